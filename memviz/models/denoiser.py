"""The UNet as the sampling loop and the methods use it: what it is told, and what it has cost."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from memviz.models import parametrization
from memviz.models.attention import Watch, crossing

Edit = Callable[[Tensor], Tensor]  # cross-attention logits (heads, pixels, L) to the same


@dataclass(frozen=True, eq=False)
class Condition:
    """What the UNet is told of a prompt; the same object stands for the same prediction."""

    text: Tensor  # (L, D)
    edit: Edit | None = None


@dataclass(frozen=True)
class Level:
    """The noise level of a step: its timestep, alpha-bar, and what the model predicts."""

    t: Tensor
    alpha: float
    kind: str

    def epsilon(self, prediction: Tensor, x: Tensor) -> Tensor:
        """A prediction at x in epsilon units."""
        return parametrization.epsilon(prediction, x, self.alpha, self.kind)

    def clean(self, prediction: Tensor, x: Tensor) -> Tensor:
        """The x0 estimate of a prediction at x."""
        return parametrization.clean(prediction, x, self.alpha, self.kind)

    def prediction(self, change: Tensor) -> Tensor:
        """A change of epsilon in the model's own units."""
        return change if self.kind == "epsilon" else change / self.alpha**0.5


@dataclass
class Predictor:
    """The UNet on any list of (latents row, condition) pairs, in chunks that fit the memory.

    `eye` is what judges pictures (see `studio.Eye`), for methods that ask it. `evaluations` counts
    the rows put through the UNet; a gradient through it counts as one more for each row, for with
    the weights fixed it costs about what the forward pass did.
    """

    pipe: Any
    eye: Any = None
    watch: Watch | None = None
    limit: int = 64  # rows at a time; halved when memory runs out
    evaluations: int = 0
    known: dict[str, Condition] = field(default_factory=dict)

    @cached_property
    def single(self) -> Any:  # noqa: ANN401
        """The UNet in single precision, for differences that drown in half; a copy if need be."""
        unet = self.pipe.unet
        if unet.dtype == torch.float32:
            return unet
        with torch.inference_mode(False):  # weights made in that mode have no gradients behind them
            return deepcopy(unet).float()

    def conditions(self, prompts: Sequence[str]) -> list[Condition]:
        """What the UNet is told of each prompt; a prompt is encoded once."""
        new = [p for p in dict.fromkeys(prompts) if p not in self.known]
        if new:
            rows, _ = self.pipe.encode_prompt(new, self.pipe.device, 1, False)
            self.known |= {p: Condition(row) for p, row in zip(new, rows, strict=True)}
        return [self.known[p] for p in prompts]

    def __call__(self, x: Tensor, t: Tensor, pairs: Sequence[tuple[int, Condition]]) -> dict:
        """Predictions by (row of x, condition), each pair counted as one evaluation."""
        found, start = {}, 0
        while start < len(pairs):
            chunk = pairs[start : start + self.limit]
            try:
                rows = self.predict(
                    x[[row for row, _ in chunk]], t, [c for _, c in chunk], watched=True
                )
            except torch.OutOfMemoryError:
                if self.limit == 1:
                    raise
                self.limit = max(1, min(self.limit, len(pairs)) // 2)
                torch.cuda.empty_cache()
                continue
            if self.watch:
                self.watch.keep(chunk)
            found.update(zip(chunk, rows, strict=True))
            start += len(chunk)
        return found

    def predict(
        self,
        x: Tensor,
        t: Tensor,
        conditions: Sequence[Condition],
        text: Tensor | None = None,
        watched: bool = False,
        unet: Any = None,  # noqa: ANN401
    ) -> Tensor:
        """One call of the UNet, (B, C, h, w); `text` (B, L, D) in place of the conditions' own."""
        unet = unet or self.pipe.unet
        text = torch.stack([c.text for c in conditions]) if text is None else text
        dtype = next(unet.parameters()).dtype  # `unet.dtype` walks all of them: 1 ms
        rows = x.to(dtype).contiguous(memory_format=torch.channels_last)
        edits, watch = [c.edit for c in conditions], self.watch if watched else None
        with ExitStack() as stack:
            if watch or any(edits):
                stack.enter_context(crossing(unet, edits, watch))
            found = unet(rows, t, encoder_hidden_states=text.to(rows.dtype), return_dict=False)[0]
        self.evaluations += len(rows)
        return found

    def gradient(self, values: Tensor, of: Tensor) -> Tensor:
        """The gradient of each value (B,) by its own row of `of` (B, ...), in float32."""
        self.evaluations += len(values)
        return torch.autograd.grad(values.sum(), of)[0].float()

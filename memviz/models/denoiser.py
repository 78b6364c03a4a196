"""The UNet as the sampling loop and the methods use it: its inputs, its units, and its cost."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from memviz.models import network, parametrization
from memviz.models.attention import AttentionRecorder, explicit_cross_attention
from memviz.models.chunks import Chunks, count_unet_rows
from memviz.models.network import network_of
from memviz.models.protocols import Pipe, Scheduler
from memviz.models.schedulers import noise_level

Edit = Callable[[Tensor], Tensor]  # cross-attention logits (heads, pixels, L) to the same
NO_SIGNAL = 1e-7  # alpha-bar below this is zero terminal SNR; Stable Diffusion ends at 0.0047


@dataclass(frozen=True, eq=False)
class Conditioning:
    """What the UNet reads of a prompt; the same object stands for the same prediction."""

    embedding: Tensor  # (L, D)
    pooled: Tensor | None = None  # (P,), the prompt's summary, where the network reads one
    edit: Edit | None = None


@dataclass(frozen=True)
class NoiseLevel:
    """The noise level of a step: its timestep, alpha-bar, and what the model predicts."""

    t: Tensor
    alpha: float
    kind: str  # "epsilon", "v_prediction" or "flow"

    @classmethod
    def of(cls, scheduler: Scheduler, index: int) -> "NoiseLevel":
        """That of a scheduler's step.

        With no signal at all left (zero terminal SNR) alpha-bar is that of the next timestep: there
        epsilon says nothing of the prompt, and every difference would be zero.
        """
        t = scheduler.timesteps[index]
        alpha, _ = noise_level(scheduler, index)
        kind = str(scheduler.config.get("prediction_type", "flow"))
        if alpha < NO_SIGNAL and kind != "flow":
            alpha = float(scheduler.alphas_cumprod[int(t) - 1])
        return cls(t, alpha, kind)

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
class Denoiser:
    """The UNet on any list of (latents row, conditioning) pairs, in chunks that fit the memory.

    `detector` looks pictures up, for methods that ask it. `evaluations` counts the rows put through
    the UNet; a gradient through it counts as one more for each row, for with the weights fixed it
    costs about what the forward pass did.
    """

    pipe: Pipe
    detector: Any = None  # a CopyDetector, of a floor above this one
    attention: AttentionRecorder | None = None
    chunks: Chunks = field(default_factory=Chunks)
    evaluations: int = 0
    encoded: dict[str, Conditioning] = field(default_factory=dict[str, Conditioning])

    @cached_property
    def single(self) -> Any:  # noqa: ANN401 - diffusers' UNet
        """The UNet in single precision, for differences that drown in half; a copy if need be."""
        unet = network_of(self.pipe)
        if unet.dtype == torch.float32:
            return unet
        with torch.inference_mode(False):  # weights made in that mode have no gradients behind them
            return deepcopy(unet).float()

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        """What the UNet reads of each prompt; a prompt is encoded once."""
        new = [p for p in dict.fromkeys(prompts) if p not in self.encoded]
        if new:
            found = network.encode_prompts(self.pipe, new)
            self.encoded |= {p: Conditioning(*row) for p, row in zip(new, found, strict=True)}
        return [self.encoded[p] for p in prompts]

    def __call__(
        self, x: Tensor, t: Tensor, pairs: Sequence[tuple[int, Conditioning]]
    ) -> dict[tuple[int, Conditioning], Tensor]:
        """Predictions (C, h, w) by (row of x, conditioning), each distinct pair evaluated once."""

        def evaluate(some: Sequence[tuple[int, Conditioning]]) -> Tensor:
            return self.predict(x[[row for row, _ in some]], t, [c for _, c in some], record=True)

        unet, found = network_of(self.pipe), dict[tuple[int, Conditioning], Tensor]()
        fit = count_unet_rows(unet, x, next(unet.parameters()).dtype)
        for some, rows in self.chunks.run(evaluate, list(dict.fromkeys(pairs)), fit):
            if self.attention:
                self.attention.file(some)
            found.update(zip(some, rows, strict=True))
        return found

    def predict(
        self,
        x: Tensor,
        t: Tensor,
        conditions: Sequence[Conditioning],
        embeddings: Tensor | None = None,
        record: bool = False,
        unet: Any = None,  # noqa: ANN401 - diffusers' UNet
    ) -> Tensor:
        """One call of the UNet, (B, C, h, w).

        `embeddings` (B, L, D) stand in place of the conditions' own. With `record` the attention
        is recorded, if there is a recorder.
        """
        unet = unet or network_of(self.pipe)
        if embeddings is None:
            embeddings = torch.stack([c.embedding for c in conditions])
        dtype = next(unet.parameters()).dtype  # `unet.dtype` walks all of them: 1 ms
        rows = x.to(dtype).contiguous(memory_format=torch.channels_last)
        edits, recorder = [c.edit for c in conditions], self.attention if record else None
        with ExitStack() as stack:
            if recorder or any(edits):
                stack.enter_context(explicit_cross_attention(unet, edits, recorder))
            pooled = [c.pooled for c in conditions if c.pooled is not None]
            summary = torch.stack(pooled).to(rows.dtype) if pooled else None
            states = embeddings.to(rows.dtype)
            found = network.predict(self.pipe, unet, rows, t, states, summary)
        self.evaluations += len(rows)
        return found

    def gradient(self, values: Tensor, of: Tensor) -> Tensor:
        """The gradient of each value (B,) by its own row of `of` (B, ...), in float32."""
        self.evaluations += len(values)
        return torch.autograd.grad(values.sum(), of)[0].float()

"""The costly signals: functions of one step's context, called for those that were asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from memviz.models.attention import AttentionRecorder, explicit_attention
from memviz.models.network import network_of
from memviz.models.tokens import end_token
from memviz.signals import WATCHING, check, free
from memviz.signals.context import StepContext

DELTA = 0.05  # length of the finite difference, in latents of about unit variance


def sharpness(context: StepContext) -> Tensor:
    """How fast the noise difference changes along itself, by a finite difference (B,)."""
    rows, places = context.distinct
    x, g = context.x[rows].float(), context.noise_difference[rows]
    if context.denoiser.single is not network_of(
        context.denoiser.pipe
    ):  # in half it would be another one
        g = context.difference_at(x, rows)
    size = free.norm(g)
    step = DELTA * g / size.clamp_min(1e-12)[:, None, None, None]
    change = free.norm(context.difference_at(x + step, rows) - g)
    return (size * change / DELTA / (1 - context.level.alpha))[places]


def sharpness_jvp(context: StepContext) -> Tensor:
    """The same by a Jacobian-vector product, exact (Jeon et al. report its norm).

    Two reverse passes make the product: forward derivatives are missing from some kernels.
    """
    rows, places = context.distinct
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        explicit_attention(context.denoiser.single),
    ):
        x = context.x[rows].float().clone().requires_grad_()
        g = context.noise_difference[rows].clone()
        difference = context.difference_at(x, rows)
        u = torch.zeros_like(difference, requires_grad=True)
        (slope,) = torch.autograd.grad(difference, x, u, create_graph=True)
        (product,) = torch.autograd.grad(slope, u, g)
    context.denoiser.evaluations += 4 * len(rows)  # two derivatives of a pair
    return (free.norm(product) / (1 - context.level.alpha))[places]


def entropy(shares: Tensor) -> Tensor:
    """-sum p log p over the last axis, with 0 log 0 = 0."""
    parts = cast(Tensor, torch.special.entr(shares.float()))  # pyright: ignore[reportUnknownMemberType]
    return parts.sum(-1)


def token_shares(context: StepContext) -> Tensor:
    """(B, L) the share of attention on each token of the prompt."""
    tokens = recorder_of(context).tokens
    return torch.stack([tokens[pair] for pair in context.pairs])


def attention_entropy(context: StepContext) -> Tensor:
    """Entropy of the attention over all tokens (B,)."""
    return entropy(token_shares(context))


def padding_entropy(context: StepContext) -> Tensor:
    """The part of that entropy that the padding has (B,)."""
    pairs = zip(token_shares(context), end_tokens(context), strict=True)
    return torch.stack([entropy(row[end + 1 :]) for row, end in pairs])


def bright_ending(context: StepContext) -> Tensor:
    """(B, 1, h, w) attention on the end token, a mean over the early layers."""
    h, w = context.x.shape[-2:]
    maps, masks = recorder_of(context).maps, list[Tensor]()
    for pair, end in zip(context.pairs, end_tokens(context), strict=True):
        squares = [as_map(layer[:, end], h, w) for layer in maps[pair]]
        masks.append(torch.stack(squares).mean(0))
    return torch.stack(masks)


def as_map(values: Tensor, h: int, w: int) -> Tensor:
    """A layer's values by pixel as a map (1, h, w) of the latents' size."""
    scale = (h * w / len(values)) ** 0.5
    small = values.view(1, 1, round(h / scale), round(w / scale))
    return interpolate(small, (h, w), mode="bilinear", align_corners=False)[0]


def end_tokens(context: StepContext) -> list[int]:
    """The place of each prompt's end token."""
    return [end_token(context.denoiser.pipe, row.prompt) for row in context.rows]


def recorder_of(context: StepContext) -> AttentionRecorder:
    """The recorder, which is there where a signal of attention was asked for."""
    assert context.denoiser.attention is not None
    return context.denoiser.attention


def difference_change(difference: Tensor, before: Tensor | None) -> Tensor:
    """Squared norm (B,) of a noise difference's change since the step before; NaN at the first."""
    if before is None:
        return torch.full((len(difference),), torch.nan)
    return free.norm(difference - before).square()


COLUMNS: dict[str, Callable[[StepContext], Tensor]] = {
    "attention_entropy": attention_entropy,
    "padding_entropy": padding_entropy,
    "sharpness": sharpness,
    "sharpness_jvp": sharpness_jvp,
}


@dataclass(frozen=True)
class FinalSignals:
    """What only the end of the denoising makes known, for all steps."""

    signals: dict[str, list[list[float | None]]]  # by row and step; None where none was evaluated
    masks: Tensor  # (B, 1, h, w), the bright ending


class CostlySignals:
    """The costly signals of one run, step by step, and those that only its end makes known."""

    def __init__(self, keys: Sequence[str]) -> None:
        check(tuple(keys))
        self.keys = tuple(keys)
        self.attention = AttentionRecorder() if {*keys} & {*WATCHING} else None
        self.keeps = bool({*keys} & {"masked_magnitude", "difference_change"})
        self.differences: list[Tensor | None] = []  # of each step, if a signal needs those before
        self._newest: StepContext | None = None

    def measure(self, context: StepContext) -> dict[str, Tensor]:
        """The columns of a step, (B,) each; of `attention` (B, L)."""
        found = {key: COLUMNS[key](context) for key in self.keys if key in COLUMNS}
        if self.attention:
            found["attention"] = token_shares(context)
        if "difference_change" in self.keys:
            found["difference_change"] = difference_change(
                context.noise_difference, self.newest_difference
            )
        if self.keeps:
            self.differences.append(context.noise_difference)
        self._newest = context
        return found

    def recall(self, difference: Tensor | None) -> None:
        """Note a step that was evaluated before, with its noise difference if it was kept."""
        if self.keeps:
            self.differences.append(difference)

    @property
    def newest_difference(self) -> Tensor | None:
        """The noise difference of the newest step, if a signal of later steps needs it."""
        return self.differences[-1] if self.differences else None

    def finish(self) -> FinalSignals | None:
        """What the last step made known, if that was asked for and a step was evaluated."""
        if self._newest is None or "masked_magnitude" not in self.keys:
            return None
        masks = bright_ending(self._newest)
        mean, missing = masks.flatten(1).mean(1), [None] * len(masks)
        steps: list[Sequence[float | None]] = [
            missing if d is None else [float(v) for v in free.norm(d * masks) / mean]
            for d in self.differences
        ]
        rows = [list(row) for row in zip(*steps, strict=True)]
        return FinalSignals({"masked_magnitude": rows}, masks)

"""The costly signals: functions of one look at a step, called for those that were asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from memviz.guidance.mitigation import Row
from memviz.models.attention import in_the_open
from memviz.models.denoiser import Level, Predictor
from memviz.models.tokens import end_token
from memviz.signals import WATCHING, check, free

DELTA = 0.05  # length of the finite difference, in latents of about unit variance


@dataclass(frozen=True)
class Look:
    """A step before it is taken: latents, predictions in epsilon units, and what made them."""

    predictor: Predictor
    x: Tensor  # (B, C, h, w)
    rows: Sequence[Row]
    states: Sequence[int]
    level: Level
    uncond: Tensor  # (B, C, h, w)
    cond: Tensor

    @property
    def pull(self) -> Tensor:
        """(B, C, h, w), float32."""
        return self.cond.float() - self.uncond.float()

    @cached_property
    def distinct(self) -> tuple[list[int], list[int]]:
        """Rows that differ from those before them, and for each row its place among them."""
        keys = [(s, r.uncond, r.cond) for s, r in zip(self.states, self.rows, strict=True)]
        own = {key: i for i, key in reversed([*enumerate(keys)])}
        order = sorted(own.values())
        return order, [order.index(own[key]) for key in keys]

    def pulls(self, x: Tensor, rows: Sequence[int]) -> Tensor:
        """The pull at latents (b, C, h, w) of these rows, in epsilon units, computed in float32."""
        conditions = [getattr(self.rows[i], name) for name in ("uncond", "cond") for i in rows]
        twice = torch.cat([x, x])
        single = self.predictor.single
        found = self.predictor.predict(twice, self.level.t, conditions, unet=single)
        low, full = self.level.epsilon(found, twice.to(found)).float().chunk(2)
        return full - low


def sharpness(look: Look) -> Tensor:
    """How fast the pull changes along itself, by a finite difference (see `SIGNALS`)."""
    rows, places = look.distinct
    g = look.pull[rows]
    if look.predictor.single is not look.predictor.pipe.unet:  # in half it would be another pull
        g = look.pulls(look.x[rows].float(), rows)
    size = free.norm(g)
    step = DELTA * g / size.clamp_min(1e-12)[:, None, None, None]
    there = look.pulls(look.x[rows].float() + step, rows)
    return (size * free.norm(there - g) / DELTA / (1 - look.level.alpha))[places]


def sharpness_jvp(look: Look) -> Tensor:
    """The same by a Jacobian-vector product, exact (Jeon et al. report its norm).

    Two reverse passes make the product: forward derivatives are missing from some kernels.
    """
    rows, places = look.distinct
    with torch.inference_mode(False), torch.enable_grad(), in_the_open(look.predictor.single):
        x, g = look.x[rows].float().clone().requires_grad_(), look.pull[rows].clone()
        pull = look.pulls(x, rows)
        u = torch.zeros_like(pull, requires_grad=True)
        (slope,) = torch.autograd.grad(pull, x, u, create_graph=True)
        (turned,) = torch.autograd.grad(slope, u, g)
    look.predictor.evaluations += 4 * len(rows)  # two derivatives of a pair
    return (free.norm(turned) / (1 - look.level.alpha))[places]


def entropy(shares: Tensor) -> Tensor:
    """-sum p log p over the last axis, with 0 log 0 = 0."""
    return torch.special.entr(shares.float()).sum(-1)


def on_tokens(look: Look) -> Tensor:
    """(B, L) the share of attention on each token of the prompt."""
    pairs = zip(look.states, look.rows, strict=True)
    return torch.stack([look.predictor.watch.tokens[s, r.cond] for s, r in pairs])


def attention_entropy(look: Look) -> Tensor:
    """Entropy of the attention over all tokens."""
    return entropy(on_tokens(look))


def padding_entropy(look: Look) -> Tensor:
    """The part of that entropy that the padding has."""
    tokens = on_tokens(look)
    ends = [end_token(look.predictor.pipe, r.prompt) for r in look.rows]
    return torch.stack([entropy(row[end + 1 :]) for row, end in zip(tokens, ends, strict=True)])


def bright_ending(look: Look) -> Tensor:
    """(B, 1, h, w) attention on the end token, a mean over the early layers."""
    side = look.x.shape[-2:]
    masks = []
    for state, row in zip(look.states, look.rows, strict=True):
        end = end_token(look.predictor.pipe, row.prompt)
        maps = look.predictor.watch.maps[state, row.cond]
        squares = [square(m[:, end], *side) for m in maps]
        masks.append(torch.stack(squares).mean(0))
    return torch.stack(masks)


def square(values: Tensor, h: int, w: int) -> Tensor:
    """A layer's values by pixel as a map (1, h, w) of the latents' size."""
    scale = (h * w / len(values)) ** 0.5
    small = values.view(1, 1, round(h / scale), round(w / scale))
    return interpolate(small, (h, w), mode="bilinear", align_corners=False)[0]


COLUMNS: dict[str, Callable[[Look], Tensor]] = {
    "attention_entropy": attention_entropy,
    "padding_entropy": padding_entropy,
    "sharpness": sharpness,
    "sharpness_jvp": sharpness_jvp,
}


class Instruments:
    """The costly signals of one run; `whole` holds those that only the last step makes known."""

    def __init__(self, keys: Sequence[str]) -> None:
        check(tuple(keys))
        self.keys = tuple(keys)
        self.watching = bool({*keys} & {*WATCHING})
        self.pulls: list[Tensor] = []
        self.whole: dict[str, list[list[float]]] = {}
        self.masks: Tensor | tuple = ()  # (B, 1, h, w) of the last step

    def look(self, look: Look, last: bool) -> dict[str, Tensor]:
        """The columns of this step."""
        found = {key: COLUMNS[key](look) for key in self.keys if key in COLUMNS}
        if self.watching:
            found["attention"] = on_tokens(look)
        if "masked_magnitude" in self.keys:
            self.pulls.append(look.pull)
            if last:
                self.masks = bright_ending(look)
                self.whole["masked_magnitude"] = self.masked(self.masks)
        return found

    def masked(self, mask: Tensor) -> list[list[float]]:
        """For each row the masked magnitude of every step."""
        mean = mask.flatten(1).mean(1)
        steps = [free.norm(pull * mask) / mean for pull in self.pulls]
        return torch.stack(steps, 1).tolist()

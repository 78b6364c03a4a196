"""What a signal is computed from: one step of all rows, before it is taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from memviz.guidance.mitigation import Row
from memviz.models.denoiser import Conditioning, Denoiser, NoiseLevel


@dataclass(frozen=True)
class StepContext:
    """Latents, both predictions in epsilon units, and what made them."""

    denoiser: Denoiser
    x: Tensor  # (B, C, h, w)
    rows: Sequence[Row]
    states: Sequence[int]  # for each row the first one whose latents are the same
    level: NoiseLevel
    uncond: Tensor  # (B, C, h, w)
    cond: Tensor

    @cached_property
    def noise_difference(self) -> Tensor:
        """eps_cond - eps_uncond (B, C, h, w), float32."""
        return self.cond.float() - self.uncond.float()

    @cached_property
    def distinct(self) -> tuple[list[int], list[int]]:
        """Rows that differ from those before them, and for each row its place among them."""
        keys = [(s, r.uncond, r.cond) for s, r in zip(self.states, self.rows, strict=True)]
        first = {key: i for i, key in reversed([*enumerate(keys)])}
        order = sorted(first.values())
        return order, [order.index(first[key]) for key in keys]

    @property
    def pairs(self) -> list[tuple[int, Conditioning]]:
        """What the conditional prediction of each row was evaluated from."""
        return [(s, r.cond) for s, r in zip(self.states, self.rows, strict=True)]

    def difference_at(self, x: Tensor, rows: Sequence[int]) -> Tensor:
        """The noise difference at latents (b, C, h, w) of these rows, computed in float32."""
        chosen = [self.rows[i] for i in rows]
        conditions = [r.uncond for r in chosen] + [r.cond for r in chosen]
        twice, unet = torch.cat([x, x]), self.denoiser.single
        found = self.denoiser.predict(twice, self.level.t, conditions, unet=unet)
        uncond, cond = self.level.epsilon(found, twice.to(found)).float().chunk(2)
        return cond - uncond

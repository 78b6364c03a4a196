"""The starting noise moved off the slope of the prompt's pull, without a gradient.

Han et al., NeurIPS 2025, https://arxiv.org/abs/2510.08625, batch-wise: with d = f_cond - f_uncond
at the first step, x_T <- x_T - g (d(x_T + rho d / ||d||) - d(x_T)), some rounds of it, and the
prompt is followed from a transition on. Stable Diffusion 1: g 0.7, rho 50, 2 rounds, transition at
900; Stable Diffusion 2: rho 30, 4 rounds, 917. No code was found: that the norm is each sample's
own, so that a picture does not depend on its batch, is memviz's reading, and so is that the prompt
is ignored (scale 0) before the transition.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memviz.guidance.base import Observation, Transition
from memviz.guidance.mitigation import FullScale, Row
from memviz.guidance.switch import AtTimestep
from memviz.settings import setting

if TYPE_CHECKING:
    from memviz.models.denoiser import Denoiser, NoiseLevel


@dataclass(frozen=True)
class BatchNoiseAdjustment(FullScale):
    """Static transition from a starting noise that was moved before the first step.

    x_T <- x_T - strength (d(x_T + radius d / ||d||) - d(x_T)), `rounds` times; four evaluations a
    round. Han et al., NeurIPS 2025, https://arxiv.org/abs/2510.08625, their batch-wise variant.
    """

    at: float = setting(900, "timestep from which the prompt is followed", 0, 1000)
    strength: float = setting(0.7, "of the move (gamma)", 0, 100)
    radius: float = setting(50, "length of the look ahead, in latents (rho)", 0, 1000)
    rounds: int = setting(2, "how often it is moved", 0, 100)

    def scale(self, seen: Sequence[Observation]) -> float:
        """0 before the transition."""
        return 0.0 if self.transition(seen) is None else self.w

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """The first step with t <= at."""
        return AtTimestep(self.at).transition(seen)

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Exchange the noise."""
        import torch

        from memviz.guidance.noise_difference import difference_at, unit

        x = torch.stack([row.noise for row in rows]).to(denoiser.pipe.device)
        for _ in range(self.rounds):
            here = difference_at(denoiser, rows, x, level.t)
            ahead = difference_at(denoiser, rows, x + self.radius * unit(here).to(x), level.t)
            x = x - self.strength * (ahead - here).to(x)
        return [replace(row, noise=noise.cpu()) for row, noise in zip(rows, x, strict=True)]

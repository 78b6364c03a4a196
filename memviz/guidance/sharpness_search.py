"""A starting noise in a flat place: where the prompt's pull changes little along itself.

SAIL: Jeon et al., Understanding and Mitigating Memorization in Diffusion Models through Sharpness
of Probability Landscapes, ICML 2025, https://arxiv.org/abs/2412.04140. The released code minimizes
one finite difference of the pull d = f_cond - f_uncond along its own direction at unit length, plus
a prior on the noise, by Adam (rate 0.05, ten steps at most), until the sum is at most 8.2 for
Stable Diffusion 1; alpha of the prior is 0.05 there and 0.01 for Stable Diffusion 2. memviz's
reading: both terms as norms (only then 8.2 is of their size for latents of 4 x 64 x 64), and each
picture by itself, where the code searches eight candidates at once and eases the target by 0.1
after three failures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memviz.guidance.mitigation import FullScale, Row
from memviz.settings import setting

if TYPE_CHECKING:
    from memviz.models.denoiser import Denoiser, NoiseLevel


@dataclass(frozen=True)
class SharpnessSearch(FullScale):
    """Plain guidance from a starting noise that was searched for before the first step.

    Adam on ||d(x + delta d / ||d||) - d(x)|| + alpha ||x|| until it is at most `target`. Jeon et
    al. (SAIL), ICML 2025, https://arxiv.org/abs/2412.04140; see the module for what is our reading.
    """

    target: float = setting(8.2, "value at which the search stops", 0, 1000)
    iterations: int = setting(10, "steps of the search at most", 0, 100)
    rate: float = setting(0.05, "learning rate of Adam", 0, 10)
    alpha: float = setting(0.05, "weight of the noise's own norm", 0, 10)
    delta: float = setting(1, "length of the finite difference, in latents", 0, 1000)

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Exchange the noise."""
        import torch

        from memviz.guidance.noise_difference import difference_at, unit
        from memviz.guidance.optimize import descend

        def sharpness(x: torch.Tensor, some: torch.Tensor) -> torch.Tensor:
            mine = [rows[int(i)] for i in some]
            here = difference_at(denoiser, mine, x, level.t)
            ahead = x + self.delta * unit(here.detach()).to(x)
            change = difference_at(denoiser, mine, ahead, level.t) - here
            size = x.float().flatten(1).norm(dim=1)  # pyright: ignore
            return change.flatten(1).norm(dim=1) + self.alpha * size  # pyright: ignore

        with torch.inference_mode(False), torch.enable_grad():
            start = torch.stack([row.noise for row in rows]).to(denoiser.pipe.device)
            found = descend(
                denoiser, sharpness, start, self.target, self.iterations, self.rate, decay=0
            )
        return [replace(row, noise=x.cpu()) for row, x in zip(rows, found, strict=True)]

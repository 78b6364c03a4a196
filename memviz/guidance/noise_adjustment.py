"""Per-sample adjustment of the starting noise: away from where the prompt pulls too hard.

Han et al., NeurIPS 2025, https://arxiv.org/abs/2510.08625: AdamW on x_T (rate 0.01) until
||f_cond - f_uncond||, f the network's own output, is at or below a target (0.7 to 1.5 for Stable
Diffusion 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memviz.guidance.mitigation import FullScale, Row
from memviz.settings import setting

if TYPE_CHECKING:
    from memviz.models.denoiser import Denoiser, NoiseLevel


@dataclass(frozen=True)
class NoiseAdjustment(FullScale):
    """Plain guidance from a starting noise that was optimized before the first step.

    x_T <- AdamW on ||f(x_T, y) - f(x_T)|| until it is at most `target`, for each picture.
    Han et al., NeurIPS 2025, https://arxiv.org/abs/2510.08625.
    """

    target: float = setting(0.9, "magnitude at which the optimization stops", 0, 1000)
    iterations: int = setting(10, "steps of the optimizer at most", 0, 100)
    rate: float = setting(0.01, "learning rate of AdamW", 0, 10)

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Exchange the noise."""
        import torch

        from memviz.guidance.noise_difference import difference_at
        from memviz.guidance.optimize import descend

        def magnitude(x: torch.Tensor, some: torch.Tensor) -> torch.Tensor:
            difference = difference_at(denoiser, [rows[int(i)] for i in some], x, level.t)
            return difference.flatten(1).norm(dim=1)  # pyright: ignore

        with torch.inference_mode(False), torch.enable_grad():
            start = torch.stack([r.noise for r in rows]).to(denoiser.pipe.device)
            found = descend(denoiser, magnitude, start, self.target, self.iterations, self.rate)
        return [replace(r, noise=x.cpu()) for r, x in zip(rows, found, strict=True)]

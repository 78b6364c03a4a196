"""CADS: the prompt's embedding is drowned in noise at first, and cleared as the steps go on.

Sadat et al., ICLR 2024, https://arxiv.org/abs/2310.17347: y' = sqrt(g) y + s sqrt(1 - g) n, with
g = 1 below tau1, 0 above tau2 and linear between, in noise levels u = t / 1000; then y' is brought
back to the mean and deviation of y and mixed with its raw self by psi. Meant for diversity.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memviz.guidance.mitigation import FullScale, Row
from memviz.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from memviz.models.denoiser import Denoiser, NoiseLevel


@dataclass(frozen=True)
class Annealed(FullScale):
    """Plain guidance by an embedding whose noise is annealed away.

    y' = sqrt(g) y + s sqrt(1 - g) n with g from 1 (u <= tau1) to 0 (u >= tau2), rescaled by psi.
    Sadat et al., ICLR 2024, https://arxiv.org/abs/2310.17347.
    """

    low: float = setting(0.6, "noise level below which the embedding is clean (tau1)", 0, 1)
    high: float = setting(0.9, "noise level above which it is all noise (tau2)", 0, 1)
    strength: float = setting(0.25, "standard deviation of the noise (s)", 0, 10)
    mix: float = setting(1, "share of the rescaled embedding (psi)", 0, 1)

    def clarity(self, u: float) -> float:
        """gamma of the paper: 1 for a clean embedding, 0 for none of it."""
        if u <= self.low:
            return 1.0
        return 0.0 if u >= self.high else (self.high - u) / (self.high - self.low)

    def step(self, denoiser: "Denoiser", row: Row, level: "NoiseLevel") -> Row:
        """The row with this step's noise, drawn from its seed; the row itself once it is clean."""
        import torch

        gamma = self.clarity(float(level.t) / 1000)
        if gamma == 1:
            return row
        generator = torch.Generator().manual_seed((1000 * row.seed + int(level.t)) % 2**63)
        clean = row.cond.embedding
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        return replace(row, cond=replace(row.cond, embedding=self.drowned(clean, noise, gamma)))

    def drowned(self, text: "Tensor", noise: "Tensor", gamma: float) -> "Tensor":
        """The embedding (L, D) at a clarity gamma."""
        raw = gamma**0.5 * text + self.strength * (1 - gamma) ** 0.5 * noise
        level = (raw - raw.mean()) / raw.std().clamp_min(1e-12) * text.std() + text.mean()
        return self.mix * level + (1 - self.mix) * raw

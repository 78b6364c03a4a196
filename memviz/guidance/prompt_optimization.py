"""Prompt-embedding optimization: the prompt is changed until it pulls no harder than others do.

Wen et al., ICLR 2024, https://arxiv.org/abs/2407.21720: at the first step AdamW lowers
L(e) = ||f(x_T, e) - f_uncond||, f the network's own output, until it is at or below a target; the
begin token stays. The released code takes one norm over all pictures of a prompt, so its target of
3 belongs to four pictures; here each picture has its own norm, and 3 / sqrt(4) = 1.5 is the same
target.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memviz.guidance.mitigation import FullScale, Row
from memviz.settings import setting

if TYPE_CHECKING:
    from memviz.models.denoiser import Denoiser, NoiseLevel


@dataclass(frozen=True)
class PromptOptimization(FullScale):
    """Plain guidance with an embedding that was optimized before the first step.

    e <- AdamW on ||f(x_T, e) - f(x_T)|| until it is at most `target`, for each picture.
    Wen et al., ICLR 2024, https://arxiv.org/abs/2407.21720.
    """

    target: float = setting(
        1.5, "magnitude at which the optimization stops, for one picture", 0, 1000
    )
    iterations: int = setting(10, "steps of the optimizer at most", 0, 100)
    rate: float = setting(0.05, "learning rate of AdamW", 0, 10)

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Exchange the embeddings."""
        import torch

        from memviz.guidance.optimize import descend

        with torch.inference_mode(False), torch.enable_grad():
            x = torch.stack([r.noise for r in rows]).to(denoiser.pipe.device)
            text = torch.stack([r.cond.embedding for r in rows]).clone()
            with torch.no_grad():
                plain = denoiser.predict(x, level.t, [r.uncond for r in rows]).float()

            def magnitude(text: torch.Tensor, some: torch.Tensor) -> torch.Tensor:
                conditions = [rows[int(i)].cond for i in some]
                found = denoiser.predict(x[some], level.t, conditions, text).float()
                difference = (found - plain[some]).flatten(1)
                return difference.norm(dim=1)  # pyright: ignore

            fixed = torch.zeros_like(text[0], dtype=torch.bool)
            fixed[0] = True  # the begin token
            found = descend(
                denoiser, magnitude, text, self.target, self.iterations, self.rate, fixed
            )
        found = found.to(rows[0].cond.embedding)
        pairs = zip(rows, found, strict=True)
        return [replace(r, cond=replace(r.cond, embedding=e)) for r, e in pairs]

"""Prompt-embedding optimization: the prompt is changed until it pulls no harder than others do.

Wen et al., ICLR 2024, https://arxiv.org/abs/2407.21720: at the first step AdamW lowers
L(e) = ||f(x_T, e) - f_uncond||, f the network's own output, until it is at or below a target; the
begin token stays. The released code takes one norm over all pictures of a prompt, so its target of
3 belongs to four pictures; here each picture has its own norm, and 3 / sqrt(4) = 1.5 is the same
target. With `embedding=released` the pictures of a prompt have one embedding, as there, and the
root mean square of their norms is lowered; one each is stronger.
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
    embedding: str = setting(
        "each",
        "each picture has its own, or all of a prompt made together have one (released)",
        choices=("each", "released"),
        terse=True,
    )

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Exchange the embeddings."""
        import torch

        from memviz.guidance.optimize import descend

        with torch.inference_mode(False), torch.enable_grad():
            x = torch.stack([r.noise for r in rows]).to(denoiser.pipe.device)
            groups = group_rows(rows, self.embedding == "released")
            text = torch.stack([rows[group[0]].cond.embedding for group in groups]).clone()
            with torch.no_grad():
                plain = denoiser.predict(x, level.t, [r.uncond for r in rows]).float()

            def magnitude(text: torch.Tensor, some: torch.Tensor) -> torch.Tensor:
                members = [groups[int(i)] for i in some]
                of = [row for group in members for row in group]
                sizes = [len(group) for group in members]
                each = text.repeat_interleave(torch.tensor(sizes, device=text.device), 0)
                conditions = [rows[row].cond for row in of]
                found = denoiser.predict(x[of], level.t, conditions, each).float()
                squares = (found - plain[of]).flatten(1).square().sum(1)
                return torch.stack([part.mean().sqrt() for part in torch.split(squares, sizes)])

            fixed = torch.zeros_like(text[0], dtype=torch.bool)
            fixed[0] = True  # the begin token
            found = descend(
                denoiser,
                magnitude,
                text,
                self.target,
                self.iterations,
                self.rate,
                fixed,
                pictures=[len(group) for group in groups],
            )
        found = found.to(rows[0].cond.embedding)
        own = {row: e for group, e in zip(groups, found, strict=True) for row in group}
        return [replace(r, cond=replace(r.cond, embedding=own[i])) for i, r in enumerate(rows)]


def group_rows(rows: Sequence[Row], shared: bool) -> list[list[int]]:
    """The rows that have an embedding together: those of a prompt, or each its own."""
    groups: dict[object, list[int]] = {}
    for i, row in enumerate(rows):
        groups.setdefault(row.prompt if shared else i, []).append(i)
    return [*groups.values()]

"""Attention rescaled: the padding is not attended to, and the begin token more than before.

Ren et al., Unveiling and Mitigating Memorization in Text-to-image Diffusion Models through Cross
Attention, ECCV 2024, https://arxiv.org/abs/2403.11052: on the prompt's half, logits of the begin
token are multiplied by c1 = 1.25 and those of the padding masked. The released code counts rows
for a batch of one and masks the other half too; here each row has its own edit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from memviz.guidance.mitigation import FullScale, Row
from memviz.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from memviz.models.denoiser import Denoiser, NoiseLevel
    from memviz.models.protocols import Pipe

NO_CROSS = (
    "Attention rescale edits cross-attention, which this model does not have: its transformer "
    "attends to prompt and picture at once. Leave ren out."
)


@dataclass(frozen=True)
class AttentionRescale(FullScale):
    """Plain guidance with edited cross-attention: logits of the begin token x c1, of padding -inf.

    Only for the prompt's prediction. Ren et al., ECCV 2024, https://arxiv.org/abs/2403.11052.
    """

    factor: float = setting(1.25, "factor on the begin token's logits (c1)", 0, 10)

    def refuse(self, pipe: "Pipe") -> str:
        """There must be attention from the picture to the prompt alone."""
        from memviz.models.network import is_flow

        return NO_CROSS if is_flow(pipe) else ""

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Give each row's condition its edit."""
        from memviz.models.tokens import end_token

        ends = [end_token(denoiser.pipe, row.prompt) for row in rows]
        return [
            replace(r, cond=replace(r.cond, edit=partial(self.edit, end=end)))
            for r, end in zip(rows, ends, strict=True)
        ]

    def edit(self, logits: "Tensor", end: int) -> "Tensor":
        """Logits (heads, pixels, L): the begin token scaled, all after the end token masked."""
        edited = logits.clone()
        edited[..., 0] *= self.factor
        edited[..., end + 1 :] = float("-inf")
        return edited

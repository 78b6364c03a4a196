"""Attention spikes weakened, and the prediction pushed away from the one that has them.

GUARD, ICML 2026 (kairanzhao/GUARD, MIT): eps = eps_u + s (eps+ - eps_u) - r (eps- - eps_u), eps+
made with weakened spikes in the cross-attention of the way down and the middle, eps- without. A
spike is a token whose share M_i of attention lies more than tau standard deviations above the mean
of the tokens; its logits are multiplied by alpha. Defaults: alpha 0.3, r 2, scale 7.5. memviz's
reading: the begin token, which takes most of the attention of any prompt, is neither counted nor
weakened; the shares are a layer's means over heads and pixels; and one tau stands for the two
thresholds (0.01 and 0.1) and the share of tokens (0.7) of the released code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from memviz.guidance.mitigation import FullScale, Here, Row
from memviz.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from memviz.models.denoiser import Denoiser, NoiseLevel


@dataclass(frozen=True)
class SpikeWeakening:
    """An edit of cross-attention logits (heads, pixels, L) on the way down and in the middle."""

    layers: ClassVar[tuple[str, ...]] = ("down", "mid")

    factor: float
    threshold: float

    def __call__(self, logits: "Tensor") -> "Tensor":
        """The same with the logits of spikes multiplied."""
        shares = logits.softmax(-1).flatten(0, -2).mean(0)[1:]  # (L - 1,) without the begin token
        z = (shares - shares.mean()) / shares.std(correction=0).clamp_min(1e-12)
        edited = logits.clone()
        edited[..., 1:][..., z > self.threshold] *= self.factor
        return edited


@dataclass(frozen=True)
class SpikeGuard(FullScale):
    """Guidance by a prompt with weakened spikes, away from the same prompt with them.

    eps_u + scale (eps+ - eps_u) - repel (eps- - eps_u); three evaluations a step. GUARD, ICML 2026;
    see the module for what is our reading.
    """

    factor: float = setting(0.3, "on the logits of a spike (alpha)", 0, 10)
    threshold: float = setting(0.1, "standard deviations above the mean (tau)", -10, 10)
    repel: float = setting(2, "strength of the push away (r)", 0, 50)

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Give each row's condition its edit; rows of one prompt go on sharing theirs."""
        edit = SpikeWeakening(self.factor, self.threshold)
        made = {row.prompt: replace(row.cond, edit=edit) for row in rows}
        return [replace(row, cond=made[row.prompt]) for row in rows]

    def correct(
        self, denoiser: "Denoiser", here: Sequence[Here], level: "NoiseLevel"
    ) -> "list[Tensor | None]":
        """The push away from the prediction with its spikes."""
        import torch

        if not self.repel:
            return [None] * len(here)
        plain = [*enumerate(denoiser.encode([h.row.prompt for h in here]))]
        found = denoiser(torch.stack([h.x for h in here]), level.t, plain)
        return [-self.repel * (found[pair] - h.uncond) for pair, h in zip(plain, here, strict=True)]

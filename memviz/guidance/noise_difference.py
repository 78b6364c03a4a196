"""What the prompt adds to the network's own output at a noise, with gradients, for each row."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import normalize

from memviz.guidance.mitigation import Row

if TYPE_CHECKING:
    from memviz.models.denoiser import Denoiser


def difference_at(denoiser: "Denoiser", rows: Sequence[Row], x: Tensor, t: Tensor) -> Tensor:
    """f_cond - f_uncond (B, C, h, w) at x, float32; two evaluations a row."""
    conditions = [*(row.uncond for row in rows), *(row.cond for row in rows)]
    text = torch.stack([c.embedding for c in conditions]).clone()
    low, full = denoiser.predict(torch.cat([x, x]), t, conditions, text).float().chunk(2)
    return full - low


def unit(x: Tensor) -> Tensor:
    """Each sample at length one."""
    return normalize(x.flatten(1), dim=1).view_as(x)

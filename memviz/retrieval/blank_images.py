"""Flat and near-empty pictures: any blank matches any blank, so a high similarity says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

SIDE = 64  # pixels looked at, in each direction
LIKE = 12  # of 255: a pixel this near to the commonest colour counts as that colour
EMPTY = 0.97  # share of pixels of one colour from which a picture is near-empty


def blank(image: Image.Image) -> str:
    """Why a picture is too empty to be judged; "" if it is not."""
    values = np.asarray(image.convert("RGB").resize((SIDE, SIDE)), np.int16)
    share = _largest_share(values)
    return f"{share:.0%} of it is one colour" if share >= EMPTY else ""


def _largest_share(values: np.ndarray) -> float:
    """Share of pixels near the median colour, or near the commonest coarse one."""
    flat = values.reshape(-1, 3)
    coarse = (flat // 32) @ np.array([64, 8, 1])
    common = flat[coarse == np.bincount(coarse).argmax()].mean(0)
    middles = (np.median(flat, axis=0), common)
    return max(float((np.abs(flat - m).max(1) <= LIKE).mean()) for m in middles)

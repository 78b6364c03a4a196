"""The sheet of a cell: all its x0 estimates in one picture."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

COLUMNS = 10  # of a sheet


def sheet(tiles: Sequence[np.ndarray]) -> Image.Image:
    """All x0 estimates of a cell in one picture, row by row."""
    height, width, _ = tiles[0].shape
    lines = math.ceil(len(tiles) / COLUMNS)
    whole = np.zeros((lines * COLUMNS, height, width, 3), np.uint8)
    whole[: len(tiles)] = tiles
    grid = whole.reshape(lines, COLUMNS, height, width, 3).swapaxes(1, 2)
    return Image.fromarray(grid.reshape(lines * height, COLUMNS * width, 3))


def mask_picture(values: "Tensor") -> Image.Image:
    """A bright ending (1, h, w) in gray, its brightest place white."""
    gray = (255 * values[0] / values.max()).round().byte().cpu().numpy()
    return Image.fromarray(gray)

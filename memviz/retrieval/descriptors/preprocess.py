"""Pictures to network input: resize, crop, normalize, in PIL and torch alone.

The same numbers serve a PIL picture (resized by Pillow) and a decoded tensor (resized by torch with
antialiasing, which agrees with Pillow to about one grey level).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memviz.errors import InputError

if TYPE_CHECKING:
    import torch
    from PIL import Image

Triple = tuple[float, float, float]
HALF: Triple = (0.5, 0.5, 0.5)
LARGEST = 4_096  # pixels of a side


@dataclass(frozen=True)
class Preprocess:
    """Resize to a short side (keeping the shape) or to a square (not keeping it), then crop."""

    mean: Triple = HALF
    std: Triple = HALF
    short_side: int | None = None
    square: int | None = None
    crop: int | None = None
    bicubic: bool = False  # else bilinear

    def __post_init__(self) -> None:
        if (self.short_side is None) == (self.square is None):
            raise InputError("A preprocessing has either a short side or a square; give one.")
        sides = (self.short_side, self.square, self.crop)
        if any(side is not None and not 1 <= side <= LARGEST for side in sides):
            raise InputError(f"A preprocessing has {sides} pixels; give 1 to {LARGEST:,}.")
        if not all(map(math.isfinite, (*self.mean, *self.std))) or 0 in self.std:
            raise InputError("A preprocessing has a mean or a deviation that cannot be used.")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) after the resize, rounded as torchvision does."""
        if self.square is not None:
            return self.square, self.square
        assert self.short_side is not None  # the one or the other, as checked above
        short, long = min(width, height), max(width, height)
        longer = int(self.short_side * long / short)
        return (self.short_side, longer) if width <= height else (longer, self.short_side)

    def pixels(self, image: Image.Image) -> torch.Tensor:
        """(3, h, w), normalized."""
        import numpy as np
        import torch
        from PIL import Image

        kind = Image.Resampling.BICUBIC if self.bicubic else Image.Resampling.BILINEAR
        image = image.convert("RGB")
        resized = image.resize(self.size(*image.size), kind)
        values = torch.from_numpy(np.array(resized)).permute(2, 0, 1).float() / 255
        return self._finish(values)

    def tensor(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) in [-1, 1] to (B, 3, h, w), normalized, as if saved and read."""
        from torch.nn.functional import interpolate

        height, width = x.shape[-2:]
        size = self.size(width, height)[::-1]
        x = x.float().add(1).div_(2).clamp_(0, 1)
        if size != (height, width):
            mode = "bicubic" if self.bicubic else "bilinear"
            x = interpolate(x, size=size, mode=mode, antialias=True).clamp(0, 1)
        return self._finish(x)

    def _finish(self, x: torch.Tensor) -> torch.Tensor:
        x = _center(x, self.crop) if self.crop is not None else x
        mean, std = (x.new_tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        return (x - mean).div_(std)


def _center(x: torch.Tensor, side: int) -> torch.Tensor:
    """The middle square; a picture smaller than that is taken whole."""
    height, width = x.shape[-2:]
    top, left = (max(0, round((length - side) / 2)) for length in (height, width))
    return x[..., top : top + side, left : left + side]

"""Edited copies of pictures, as a copy detector must see through them; tensors in [-1, 1]."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

from memviz.demo.autoencoder import pixels
from memviz.models.decode import eight_bits

Edit = Callable[[Tensor, torch.Generator], Tensor]  # (B, 3, H, W) -> (B, 3, H, W)


def uniform(g: torch.Generator, n: int, low: float, high: float) -> Tensor:
    """(n, 1, 1, 1) uniform numbers."""
    return torch.rand(n, 1, 1, 1, generator=g) * (high - low) + low


def crop(x: Tensor, g: torch.Generator) -> Tensor:
    """A window of 80 to 100 % of the side, scaled up."""
    return zoom(x, uniform(g, len(x), 0.8, 1.0).flatten(), g)


def border(x: Tensor, g: torch.Generator) -> Tensor:
    """The picture at 75 to 95 % of its size inside a border of one shade."""
    scale = 1 / uniform(g, len(x), 0.75, 0.95).flatten()
    inside = zoom(torch.ones_like(x), scale, None)
    return zoom(x, scale, None) + (1 - inside) * uniform(g, len(x), -1, 1)


def zoom(x: Tensor, scale: Tensor, g: torch.Generator | None) -> Tensor:
    """Sample a window of the given relative side; at a random place, or centred without `g`."""
    theta = torch.zeros(len(x), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    if g is not None:
        theta[:, :, 2] = (torch.rand(len(x), 2, generator=g) * 2 - 1) * (1 - scale)[:, None]
    grid = affine_grid(theta, list(x.shape), align_corners=False)
    return grid_sample(x, grid, align_corners=False)


def flip(x: Tensor, g: torch.Generator) -> Tensor:
    """Mirrored left to right."""
    return x.flip(3)


def blur(x: Tensor, g: torch.Generator) -> Tensor:
    """A 3x3 mean, twice."""
    for _ in range(2):
        x = avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return x


def colour(x: Tensor, g: torch.Generator) -> Tensor:
    """Brightness, contrast and saturation changed by up to a fifth."""
    mean, gray = x.mean((1, 2, 3), keepdim=True), x.mean(1, keepdim=True)
    x = mean + (x - mean) * uniform(g, len(x), 0.8, 1.2)
    x = gray + (x - gray) * uniform(g, len(x), 0.7, 1.2)
    return (x + uniform(g, len(x), -0.2, 0.2)).clamp(-1, 1)


def overlay(x: Tensor, g: torch.Generator) -> Tensor:
    """A square of another picture of the batch pasted over a sixteenth of the area."""
    side = x.shape[-1] // 4
    top, left = (int(v) for v in torch.randint(0, 3 * side, (2,), generator=g))
    x = x.clone()
    x[:, :, top : top + side, left : left + side] = x.roll(1, 0)[:, :, :side, :side]
    return x


def jpeg(x: Tensor, g: torch.Generator) -> Tensor:
    """Saved as JPEG of quality 30 and read back."""
    return through(x, lambda image: squeezed(image, 30))


def text(x: Tensor, g: torch.Generator) -> Tensor:
    """A line of white letters with a dark edge near the bottom, as on a meme."""
    return through(x, lettered)


def through(x: Tensor, edit: Callable[[Image.Image], Image.Image]) -> Tensor:
    """Apply an edit of PIL pictures to a batch."""
    return pixels(np.stack([np.asarray(edit(Image.fromarray(v))) for v in eight_bits(x)]))


def squeezed(image: Image.Image, quality: int) -> Image.Image:
    """The picture after JPEG."""
    buffer = BytesIO()
    image.save(buffer, "jpeg", quality=quality)
    return Image.open(buffer).convert("RGB")


def lettered(image: Image.Image) -> Image.Image:
    """The picture with a word on it."""
    image = image.copy()
    ImageDraw.Draw(image).text((6, 48), "WHEN YOU", "white", stroke_width=1, stroke_fill="black")
    return image


EDITS: dict[str, Edit] = {
    e.__name__: e for e in (crop, flip, blur, jpeg, overlay, text, colour, border)
}


def edited(x: Tensor, g: torch.Generator) -> Tensor:
    """One to three random edits, the same for a slice of the batch, different between slices."""
    parts = []
    for part in x.split(max(1, len(x) // 8)):
        names = [*EDITS]
        for i in torch.randperm(len(names), generator=g)[
            : int(torch.randint(1, 4, (1,), generator=g))
        ]:
            part = EDITS[names[i]](part, g)
        parts.append(part)
    return torch.cat(parts)

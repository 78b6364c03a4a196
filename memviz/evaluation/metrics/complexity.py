"""How simple the copied pictures are: DCR's correlation of complexity with similarity.

Somepalli et al., CVPR 2023, `diff_retrieval.py`: of the training picture that each generation is
nearest to, resized to 224 and cropped. OpenCV there reads RGB as BGR, which is repeated here.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from memviz.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

SIDE = 224
QUALITY = 90
LUMINANCE = np.array([0.2125, 0.7154, 0.0721])  # as scikit-image's rgb2gray
TV_WEIGHT = 1e-4


def crop(image: Image.Image, side: int = SIDE) -> np.ndarray:
    """(side, side, 3) uint8: the short side resized bilinearly, the middle cut out."""
    from memviz.retrieval.descriptors.preprocess import Preprocess

    unit = Preprocess((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), short_side=side, crop=side)
    return (unit.pixels(image) * 255).permute(1, 2, 0).numpy().astype(np.uint8)


def entropy(pixels: np.ndarray) -> float:
    """Entropy of the gray levels of (h, w, 3) uint8, in nats."""
    gray = np.floor((pixels / 255.0) @ LUMINANCE * 255 + 0.5).astype(np.uint8)
    share = np.bincount(gray.ravel(), minlength=256) / gray.size
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())


def jpeg_size(pixels: np.ndarray) -> float:
    """KiB of (h, w, 3) uint8 as a JPEG of quality 90, its channels swapped as in DCR."""
    from PIL import Image

    file = io.BytesIO()
    swapped = np.ascontiguousarray(pixels[..., ::-1])
    Image.fromarray(swapped).save(file, "JPEG", quality=QUALITY, subsampling="4:2:0")
    return len(file.getvalue()) / 1024


def total_variation(pixels: np.ndarray) -> float:
    """1e-4 times the sum of absolute differences of neighbors, over all channels."""
    values = pixels.astype(np.float64)
    return TV_WEIGHT * float(sum(np.abs(np.diff(values, axis=axis)).sum() for axis in (0, 1)))


def complexity(images: Sequence[Image.Image]) -> dict[str, np.ndarray]:
    """(N,) each of `entropy`, `jpeg` and `variation`."""
    pixels = [crop(image) for image in images]
    return {
        "entropy": np.array([entropy(p) for p in pixels]),
        "jpeg": np.array([jpeg_size(p) for p in pixels]),
        "variation": np.array([total_variation(p) for p in pixels]),
    }


def correlations(found: dict[str, np.ndarray], similarity: np.ndarray) -> dict[str, float]:
    """Pearson's r with similarity under DCR's names; nan where one of them does not vary.

    `cc_mixed` is of entropy times the square root of the JPEG's size. Raises InputError below two
    pictures.
    """
    if len(similarity) < 2:
        raise InputError(f"Got {len(similarity)} pictures; a correlation needs at least two.")
    mixed = found["entropy"] * found["jpeg"] ** 0.5
    named = {
        "cc_ent": found["entropy"],
        "cc_comp": found["jpeg"],
        "cc_tvl": found["variation"],
        "cc_mixed": mixed,
    }
    return {name: pearson(values, similarity) for name, values in named.items()}


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's correlation of two (N,), nan where one is constant."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(np.asarray(x, float), np.asarray(y, float))[0, 1])

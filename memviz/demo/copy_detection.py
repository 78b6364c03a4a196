"""How well edited copies of a picture are found, by any way of comparing pictures."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from memviz.demo import augmentations
from memviz.models import decode

Rows = Callable[[Sequence[Image.Image]], np.ndarray]  # pictures to unit vectors


def precisions(
    originals: Tensor, distractors: Sequence[Image.Image], looks: Mapping[str, Rows]
) -> dict[str, float]:
    """Mean average precision by name; originals (N, 3, H, W) in [-1, 1] are to be found."""
    gallery = [*decode.pictures(originals), *distractors]
    queries = [
        image
        for edit in augmentations.EDITS.values()
        for image in decode.pictures(edit(originals, torch.Generator().manual_seed(5)).clamp(-1, 1))
    ]
    return {
        name: precision(look(queries), look(gallery), len(originals))
        for name, look in looks.items()
    }


def precision(queries: np.ndarray, gallery: np.ndarray, originals: int) -> float:
    """Mean average precision where query i, modulo `originals`, has the one right answer i."""
    alike = queries @ gallery.T
    right = np.arange(len(queries)) % originals
    rank = (alike >= alike[np.arange(len(queries)), right][:, None]).sum(1)
    return round(float((1 / rank).mean()), 4)


def pixel_rows(images: Sequence[Image.Image]) -> np.ndarray:
    """Mean-free pixels as unit vectors: the plainest baseline."""
    return unit(np.stack([np.asarray(i, np.float32).ravel() for i in images]))


def hash_rows(images: Sequence[Image.Image]) -> np.ndarray:
    """Perceptual hashes as +-1 vectors: signs of the 8x8 lowest frequencies of gray pixels."""
    from scipy.fft import dctn

    gray = np.stack([np.asarray(i.convert("L").resize((32, 32)), np.float32) for i in images])
    low = dctn(gray, axes=(1, 2))[:, :8, :8].reshape(len(images), -1)[:, 1:]
    return unit(np.where(low > np.median(low, 1, keepdims=True), 1.0, -1.0))


def unit(rows: np.ndarray) -> np.ndarray:
    """Mean-free rows of length one."""
    rows = rows - rows.mean(1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)

"""Pictures, vectors and an untrained descriptor for the tests of retrieval."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from memviz.retrieval.descriptors import embedder, presets
from memviz.retrieval.descriptors.preprocess import Preprocess


def smooth(seed: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A picture with large shapes, as pictures have."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def unit(count: int, dims: int = 16, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dims)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def as_tensor(image: Image.Image) -> torch.Tensor:
    """As a decoded picture: (1, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 127.5 - 1


def preset(folder: str = "", **changes: object) -> presets.Preset:
    usual = {
        "name": "demo",
        "checkpoint": folder,
        "dims": 16,
        "preprocess": Preprocess(square=32),
        "copied": 0.8,
        "close": 0.6,
        "source": "a test",
    }
    return presets.Preset(**(usual | changes))


def save_descriptor(folder: Path) -> Path:
    """A saved descriptor of the demo's kind, untrained."""
    torch.manual_seed(0)
    return embedder.save(embedder.build(16, (8, 16)).eval(), folder, preset())

"""What a comparison works with: a model, and the eyes that judge its pictures.

Loaded once per process and reused; everything here only reads.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import interpolate

from memviz import corpus as corpora
from memviz import indexes, models
from memviz.retrieval import descriptors
from memviz.retrieval.alignment import Clip
from memviz.retrieval.index import Index, IndexMismatch
from memviz.retrieval.preprocess import eight_bits
from memviz.verdict import Thresholds


@dataclass(frozen=True)
class Eye:
    """A descriptor and the corpus it looks through."""

    corpus: corpora.Corpus
    descriptor: descriptors.Descriptor
    index: Index

    @property
    def thresholds(self) -> Thresholds:
        """From which similarity a picture counts as close or copied."""
        return self.descriptor.preset.thresholds

    def vectors(self, x: torch.Tensor) -> np.ndarray:
        """Vectors (B, D) of decoded pictures (B, 3, H, W)."""
        return self.descriptor.tensor(x).cpu().numpy()

    def nearest(self, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Similarity, corpus id (B,) and vectors (B, D) of decoded pictures (B, 3, H, W)."""
        vectors = self.vectors(x)
        similarity, ids = self.index.search(vectors, 1)
        return similarity[:, 0], ids[:, 0], vectors


@lru_cache(maxsize=2)
def model(name: str) -> models.Model:
    """A loaded model; the last two stay in memory."""
    return models.load(name)


def eye(corpus: str, preset: str) -> Eye:
    """A corpus, a descriptor and their index, which is built on first use and kept."""
    try:
        return indexed(corpus, preset)
    except IndexMismatch:
        indexes.ready(corpora.load(corpus), descriptors.descriptor(preset))
        return indexed(corpus, preset)


@lru_cache(maxsize=4)
def indexed(corpus: str, preset: str) -> Eye:
    """The same, but raises IndexMismatch where no index is there or up to date."""
    images, look = corpora.load(corpus), descriptors.descriptor(preset)
    return Eye(images, look, Index.load(indexes.folder(images, look), images, look))


@lru_cache(maxsize=2)
def clip(path: str = "") -> Clip:
    """The CLIP model that scores prompt alignment; the bundled one by default."""
    return Clip(path) if path else Clip()


def forget() -> None:
    """Let go of all that is loaded, as after running out of memory."""
    for cache in (model, indexed, clip):
        cache.cache_clear()


@torch.inference_mode()
def decode(
    pipe: Any,  # noqa: ANN401
    latents: torch.Tensor,
    batch: int = 16,
    vae: Any = None,  # noqa: ANN401
) -> torch.Tensor:
    """Pictures (B, 3, H, W) in [-1, 1], float32, of scaled latents (B, C, h, w).

    By the pipeline's own autoencoder, or another for the same latents (see `decoder`).
    """
    vae = vae or pipe.vae
    dtype = next(vae.parameters()).dtype  # `vae.dtype` walks all of them
    z = latents.to(dtype) / vae.config.scaling_factor
    parts = [vae.decode(part, return_dict=False)[0] for part in z.split(batch)]
    return torch.cat(parts).float().clamp_(-1, 1)


def pictures(x: torch.Tensor) -> list[Image.Image]:
    """Decoded pictures as 8-bit RGB."""
    return [Image.fromarray(v) for v in eight_bits(x)]


def tiles(x: torch.Tensor, side: int) -> np.ndarray:
    """Decoded pictures at most `side` pixels wide as uint8 (B, h, w, 3), for the sheets."""
    return eight_bits(x if x.shape[-1] <= side else interpolate(x, (side, side), mode="area"))

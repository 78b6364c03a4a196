"""The copy detector: a corpus, the descriptor that looks at it, and their index."""

from dataclasses import dataclass

import numpy as np
import torch

from memviz.data import corpus as corpora
from memviz.retrieval.descriptors import descriptor as descriptors_descriptor
from memviz.retrieval.index.index import Index
from memviz.retrieval.verdict import Thresholds


@dataclass(frozen=True)
class Eye:
    """A descriptor and the corpus it looks through."""

    corpus: corpora.Corpus
    descriptor: descriptors_descriptor.Descriptor
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

"""Memorization quantity (MQ): how many generated pictures are far nearer to one training picture.

Of a generated picture x, D(x) = min |x - y|^2 / mean of the 50 smallest |x - y|^2, over all
training pictures y in [0, 1]; MQ(tau) is the share of pictures with D < tau (Liu et al., ECCV 2024;
their `attack/all_in.py`). Carlini et al. 2023 take distances that are not squared and 0.5: 0.25
here. Which tau the paper's tables use is not said, so the whole curve is told.
"""

from __future__ import annotations

import faiss
import numpy as np

NEIGHBOURS = 50
THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def measure_distances(generated: np.ndarray, training: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """D (G,) of pictures (G, ...) in [0, 1] and the row (G,) of the nearest of (N, ...).

    Exact; of fewer than 50 training pictures all are neighbours.
    """
    index = faiss.IndexFlatL2(int(np.prod(training.shape[1:])))
    index.add(np.ascontiguousarray(training.reshape(len(training), -1), np.float32))
    rows = np.ascontiguousarray(generated.reshape(len(generated), -1), np.float32)
    squared, near = index.search(rows, min(NEIGHBOURS, len(training)))
    squared = np.maximum(squared, 0)
    return squared[:, 0] / np.maximum(squared.mean(1), 1e-12), near[:, 0]


def memorization_quantity(distances: np.ndarray) -> dict[str, float]:
    """MQ by threshold, as shares of the pictures."""
    return {f"{tau:g}": round(float((distances < tau).mean()), 4) for tau in THRESHOLDS}

"""The null against which a match is judged: how alike training pictures are among themselves.

Each picture's similarity to its nearest *other* picture (DCR's background statistic). A generated
picture nearer to a training picture than those are to each other is more than a look-alike.
"""

import numpy as np

BLOCK = 1024  # rows of the similarity matrix held at a time


def background(vectors: np.ndarray, block: int = BLOCK) -> np.ndarray:
    """(N,) similarity of each unit row to its nearest other row; nan where there is no other."""
    vectors = np.ascontiguousarray(vectors, np.float32)
    nearest = np.full(len(vectors), np.nan, np.float32)
    if len(vectors) < 2:
        return nearest
    for start in range(0, len(vectors), block):
        nearest[start : start + block] = _nearest(vectors, start, block)
    return nearest


def threshold(values: np.ndarray, quantile: float = 0.999) -> float:
    """The similarity that only a share of 1 - `quantile` of the training pictures reach."""
    values = values[np.isfinite(values)]
    if not len(values):
        raise ValueError("There is no background: it needs at least two pictures.")
    return float(np.quantile(values, quantile))


def _nearest(vectors: np.ndarray, start: int, block: int) -> np.ndarray:
    rows = vectors[start : start + block]
    similarity = rows @ vectors.T  # (block, N)
    own = np.arange(len(rows))
    similarity[own, start + own] = -np.inf
    return similarity.max(1)

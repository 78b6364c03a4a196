"""The null against which a match is judged: how alike training pictures are among themselves.

Each picture's similarity to its nearest *other* picture (DCR's background statistic). A generated
picture nearer to a training picture than those are to each other is more than a look-alike. The
same pass finds the duplicates within the training data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from memviz.errors import InputError

BLOCK = 1024  # rows looked up at a time
DUPLICATE = 0.95  # similarity from which two training pictures count as the same picture
LINKS = 8  # nearest others through which a group of duplicates holds together

Search = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Threshold:
    """A quantile of the background with its confidence interval."""

    value: float
    low: float
    high: float
    quantile: float
    confidence: float
    images: int  # on which it stands
    duplicates: int  # left out: a copy within the data is no measure of looking alike

    @property
    def source(self) -> str:
        """As the verdict says it."""
        return (
            f"{self.quantile:.1%} of {self.images:,} training images are less alike than "
            f"{self.value:.2f}; {self.confidence:.0%} confidence {self.low:.2f} to {self.high:.2f}"
        )


def background(vectors: np.ndarray, block: int = BLOCK) -> np.ndarray:
    """(N,) similarity of each unit row to its nearest other row; nan where there is no other."""
    import faiss

    vectors = np.ascontiguousarray(vectors, np.float32)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    parts = [found[:, 0] for _, found, _ in others(index.search, vectors, 1, block)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def others(
    search: Search, vectors: np.ndarray, k: int, block: int = BLOCK
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """First row, similarities and rows (b, k) of the nearest others, block by block; nan and -1.

    `search` gives similarities and rows of `vectors`, best first.
    """
    for start in range(0, len(vectors), block):
        part = np.ascontiguousarray(vectors[start : start + block], np.float32)
        found, rows = search(part, min(k + 1, len(vectors)))
        own = rows == (start + np.arange(len(part)))[:, None]
        own[:, -1] |= ~own.any(1)  # lost among its equals: any one of them may go
        kept = (len(part), found.shape[1] - 1)
        yield (
            start,
            *(_padded(a[~own].reshape(kept), k, v) for a, v in ((found, np.nan), (rows, -1))),
        )


def _padded(values: np.ndarray, k: int, with_: float) -> np.ndarray:
    """(b, k) where there are fewer than k others."""
    missing = k - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing)), constant_values=with_) if missing > 0 else values


def groups(links: np.ndarray, count: int) -> list[list[int]]:
    """Rows that hold together through (n, 2) links, in groups of two and more, largest first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(links), np.int8)
    graph = coo_array((ones, (links[:, 0], links[:, 1])), shape=(count, count))
    label = connected_components(graph, directed=False)[1]
    rows = np.unique(links)
    order = rows[np.argsort(label[rows], kind="stable")]
    parts = np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(order) else []
    return sorted((part.tolist() for part in parts), key=lambda part: (-len(part), part[0]))


def threshold(values: np.ndarray, quantile: float = 0.999) -> float:
    """The similarity that only a share of 1 - `quantile` of the training pictures reach."""
    values = values[np.isfinite(values)]
    if not len(values):
        raise InputError("There is no background: it needs at least two pictures.")
    return float(np.quantile(values, quantile))


def calibrated(values: np.ndarray, quantile: float = 0.999, confidence: float = 0.95) -> Threshold:
    """That threshold over pictures without a duplicate, with the interval of its order statistics.

    Distribution-free (scipy's quantile_test); a side that the data cannot bound is 1 or -1.
    """
    from scipy.stats import quantile_test

    finite = values[np.isfinite(values)]
    distinct = finite[finite < DUPLICATE]
    value = threshold(distinct, quantile)
    bounds = quantile_test(distinct, p=quantile).confidence_interval(confidence)
    low, high = (b if np.isfinite(b) else side for b, side in zip(bounds, (-1.0, 1.0), strict=True))
    left_out = len(finite) - len(distinct)
    return Threshold(value, float(low), float(high), quantile, confidence, len(distinct), left_out)

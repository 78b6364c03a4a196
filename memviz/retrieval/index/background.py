"""The null against which a match is judged: how alike training pictures are among themselves.

Each picture's similarity to its nearest *other* picture (DCR's background statistic). A generated
picture nearer to a training picture than those are to each other is more than a look-alike. The
same pass finds the duplicates within the training data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from memviz.errors import InputError
from memviz.statistics import wilson

BLOCK = 1024  # rows looked up at a time
LINKS = 8  # nearest others through which a group of duplicates comes together
LOOK_ALIKE = 0.001  # share of pictures that may be as alike as duplicates and be in no group
SLACK = 1e-6  # by which the same product may differ from one way of summing to another


class Rows(Protocol):
    """Vectors (N, D) that are read some rows at a time."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


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
    duplicate: float  # the similarity from which they are

    @property
    def source(self) -> str:
        """As the verdict says it."""
        return (
            f"{self.quantile:.1%} of {self.images:,} training images are less alike than "
            f"{self.value:.2f}; {self.confidence:.0%} confidence {self.low:.2f} to {self.high:.2f}"
        )


@dataclass(frozen=True)
class FalsePositives:
    """How often a picture that copies nothing would be called a copy, by the corpus' own pictures.

    The share of the distinct ones whose nearest other is at or above a threshold, with Wilson's
    95 % interval.
    """

    threshold: float
    share: float
    low: float
    high: float
    images: int

    @property
    def sentence(self) -> str:
        """As reports say it."""
        return (
            f"{self.share:.2%} of the {self.images:,} distinct training images are "
            f"{self.threshold:.2f} or more alike to another one (95 % confidence {self.low:.2%} to "
            f"{self.high:.2%}): as often would a picture that copies nothing be called a copy"
        )


def count_false_positives(
    values: np.ndarray, copied: float, duplicate: float
) -> FalsePositives | None:
    """Of a background (N,), without its pictures that are `duplicate` or more alike.

    None where no picture is left.
    """
    distinct = values[np.isfinite(values) & (values < duplicate)]
    if not len(distinct):
        return None
    share = float((distinct >= copied).mean())
    return FalsePositives(copied, share, *wilson(share, len(distinct)), len(distinct))


def background(vectors: np.ndarray, block: int = BLOCK) -> np.ndarray:
    """(N,) similarity of each unit row to its nearest other row; nan where there is no other."""
    import faiss

    vectors = np.ascontiguousarray(vectors, np.float32)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    parts = [found[:, 0] for _, found, _ in others(index.search, vectors, 1, block)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def others(
    search: Search, vectors: Rows, k: int, block: int = BLOCK
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
        similarity = _padded(found[~own].reshape(kept), k, np.nan)
        yield start, similarity, _padded(rows[~own].reshape(kept), k, -1)


def _padded(values: np.ndarray, k: int, with_: float) -> np.ndarray:
    """(b, k) where there are fewer than k others."""
    missing = k - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing)), constant_values=with_) if missing > 0 else values


def groups(
    links: np.ndarray, similarity: np.ndarray, stored: np.ndarray, least: float
) -> list[list[int]]:
    """Rows in groups of two and more any two of which are `least` alike, largest first.

    Complete linkage along `links` (n, 2) of `similarity` (n,), the strongest first: look-alikes
    that follow one from another, as crops of photographs do, make no chain. `stored` (N, D) has
    the rows' vectors.
    """
    from memviz.retrieval.index.engines import unit

    rows, ends = np.unique(links, return_inverse=True)
    found = np.unique(stored[rows], axis=0, return_index=True, return_inverse=True)
    same = found[2].ravel()  # equal rows are one, however many they are
    vectors = unit(stored[rows[found[1]]])
    home, members = [*range(len(vectors))], {row: [row] for row in range(len(vectors))}
    for one, other in same[ends.reshape(-1, 2)][np.argsort(-similarity, kind="stable")].tolist():
        a, b = home[one], home[other]
        if a == b or (vectors[members[a]] @ vectors[members[b]].T).min() < least - SLACK:
            continue
        for row in members[b]:
            home[row] = a
        members[a] += members.pop(b)
    label = np.array(home, np.int64)[same]
    order = np.argsort(label, kind="stable")
    parts = np.split(rows[order], np.flatnonzero(np.diff(label[order])) + 1)
    kept = (part.tolist() for part in parts if len(part) > 1)
    return sorted(kept, key=lambda part: (-len(part), part[0]))


def raise_level(
    links: np.ndarray, similarity: np.ndarray, found: list[list[int]], count: int, least: float
) -> float:
    """The similarity from which two of `count` pictures are duplicates, `least` or more.

    It is raised until at most a share of LOOK_ALIKE of the pictures is as alike to one outside
    its group of `found`: there the descriptor tells different pictures apart no more.
    """
    label = np.arange(count)
    for group in found:
        label[group] = group[0]
    apart = label[links[:, 0]] != label[links[:, 1]]
    outside = np.full(count, -np.inf)
    np.maximum.at(outside, links[apart, 0], similarity[apart])
    allowed = int(LOOK_ALIKE * count)
    if not allowed:  # too few to tell
        return least
    return max(least, float(np.partition(outside, -allowed)[-allowed]))


def threshold(values: np.ndarray, quantile: float = 0.999) -> float:
    """The similarity that only a share of 1 - `quantile` of the training pictures reach."""
    values = values[np.isfinite(values)]
    if not len(values):
        raise InputError("There is no background: it needs at least two pictures.")
    return float(np.quantile(values, quantile))


def calibrated(
    values: np.ndarray, duplicate: float, quantile: float = 0.999, confidence: float = 0.95
) -> Threshold:
    """That threshold over pictures without a duplicate, with the interval of its order statistics.

    Duplicates are `duplicate` or more alike. Distribution-free (scipy's quantile_test); a side that
    the data cannot bound is 1 or -1.
    """
    from scipy.stats import quantile_test

    finite = values[np.isfinite(values)]
    distinct = finite[finite < duplicate]
    value = threshold(distinct, quantile)
    ends = np.array(quantile_test(distinct, p=quantile).confidence_interval(confidence))
    low, high = np.where(np.isfinite(ends), ends, (-1, 1)).tolist()
    left_out = len(finite) - len(distinct)
    return Threshold(value, low, high, quantile, confidence, len(distinct), left_out, duplicate)

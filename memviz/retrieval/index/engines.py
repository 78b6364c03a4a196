"""Nearest rows of a large matrix: exactly, or by an inverted file with exact re-ranking.

Both answer `search(queries, k)` and `range(queries, least)` with rows, not ids. Johnson, Douze and
Jégou, "Billion-scale similarity search with GPUs", 2017 (faiss).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import faiss
import numpy as np

from memviz.io.read import guard_format

EXACT = 1_000_000  # rows up to which looking at all of them is quick enough
SCALAR = 20_000_000  # rows up to which a byte per dimension is affordable
SAMPLE = 40  # rows per list to train on; faiss warns below 39
BLOCK = 65_536  # rows added at a time
QUERIES = 64  # re-ranked at a time
DEEPER = 10  # candidates per wanted match
SHORT = 1_000_000  # products of a search that is over before a second thread has begun
SLACK = 0.05  # how far a quantised similarity may be off

Found = tuple[np.ndarray, np.ndarray]


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """Let faiss use so many threads, or as many as it does."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(number or before)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


class Engine(Protocol):
    """What an index searches with."""

    def search(self, queries: np.ndarray, k: int) -> Found:
        """Similarities and rows (B, k), best first; -inf and -1 where fewer were found."""
        ...

    def range(self, queries: np.ndarray, least: float) -> list[Found]:
        """For each query all rows at or above `least`, best first."""
        ...


class Exact:
    """All inner products, by faiss, which never holds them all."""

    def __init__(self, stored: np.ndarray) -> None:
        self._index = faiss.IndexFlatIP(stored.shape[1])
        for block in unit_blocks(stored):
            self._index.add(block)

    def search(self, queries: np.ndarray, k: int) -> Found:
        with _threads(1 if len(queries) * self._index.ntotal < SHORT else None):
            return self._index.search(queries, k)

    def range(self, queries: np.ndarray, least: float) -> list[Found]:
        return _split(*self._index.range_search(queries, np.nextafter(least, -1, dtype=np.float32)))


class Approximate:
    """An inverted file finds candidates; their similarities come from the stored rows."""

    def __init__(self, index: faiss.Index, stored: np.ndarray, probes: int) -> None:
        self._index, self._stored = index, stored
        faiss.extract_index_ivf(index).nprobe = probes

    @classmethod
    def load(cls, file: Path, stored: np.ndarray, probes: int) -> Approximate:
        """The lists stay on disk; the system keeps in memory what is used."""
        with guard_format(file, "a list of vectors"):
            return cls(faiss.read_index(str(file), faiss.IO_FLAG_MMAP), stored, probes)

    def search(self, queries: np.ndarray, k: int) -> Found:
        wanted = min(DEEPER * max(k, 10), len(self._stored))
        parts = [self._ranked(queries[i : i + QUERIES], k, wanted) for i in _steps(queries)]
        similarity, rows = zip(*parts, strict=True)
        return np.concatenate(similarity), np.concatenate(rows)

    def range(self, queries: np.ndarray, least: float) -> list[Found]:
        found = _split(*self._index.range_search(queries, least - SLACK))
        return [self._close(q, rows, least) for q, (_, rows) in zip(queries, found, strict=True)]

    def _ranked(self, queries: np.ndarray, k: int, wanted: int) -> Found:
        _, rows = self._index.search(queries, wanted)  # (b, wanted)
        similarity = np.einsum("bd,bcd->bc", queries, unit(self._stored[rows]))
        similarity[rows < 0] = -np.inf
        best = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(similarity, best, 1), np.take_along_axis(rows, best, 1)

    def _close(self, query: np.ndarray, rows: np.ndarray, least: float) -> Found:
        similarity = unit(self._stored[rows]) @ query
        order = np.argsort(-similarity, kind="stable")
        kept = order[similarity[order] >= least]
        return similarity[kept], rows[kept]


def recipe(count: int, dims: int) -> str:
    """The faiss recipe for this many rows: "Flat", or an inverted file with a quantiser."""
    if count <= EXACT:
        return "Flat"
    if count <= SCALAR:
        return f"IVF{lists(count)},SQ8"
    parts = max(p for p in (8, 16, 32, 64) if dims % p == 0)
    return f"OPQ{parts},IVF{lists(count)}_HNSW32,PQ{parts}"


def lists(count: int) -> int:
    """About twice the square root of the rows, as a power of two."""
    return 2 ** int(np.clip(np.round(np.log2(2 * np.sqrt(count))), 4, 18))


def probes(count: int) -> int:
    """Lists to look into: one in 64."""
    return max(8, lists(count) // 64)


def train(stored: np.ndarray, how: str, seed: int = 0) -> faiss.Index:
    """An inverted file over the stored rows, trained on a sample of them."""
    index = faiss.index_factory(stored.shape[1], how, faiss.METRIC_INNER_PRODUCT)
    wanted = min(SAMPLE * faiss.extract_index_ivf(index).nlist, len(stored))
    chosen = np.random.default_rng(seed).choice(len(stored), wanted, replace=False)
    index.train(unit(stored[np.sort(chosen)]))
    for block in unit_blocks(stored):
        index.add(block)
    return index


def unit(vectors: np.ndarray) -> np.ndarray:
    """Float32 rows of length one: a picture finds itself at 1.000 from half precision too."""
    vectors = np.ascontiguousarray(vectors, np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def unit_blocks(stored: np.ndarray) -> Iterator[np.ndarray]:
    """The same, some rows at a time."""
    for start in range(0, len(stored), BLOCK):
        yield unit(stored[start : start + BLOCK])


def _steps(queries: np.ndarray) -> range:
    return range(0, max(1, len(queries)), QUERIES)


def _split(limits: np.ndarray, similarity: np.ndarray, rows: np.ndarray) -> list[Found]:
    """faiss' flat answer to a range search, a pair per query, best first."""
    found = []
    for start, end in pairwise(limits):
        order = np.argsort(-similarity[start:end], kind="stable")
        found.append((similarity[start:end][order], rows[start:end][order]))
    return found

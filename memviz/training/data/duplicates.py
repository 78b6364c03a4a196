"""Which pictures of a corpus are copies of one another."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.retrieval.copy_detector import CopyDetector

NEIGHBOURS = 16  # of each picture that are looked at


def groups(corpus: Corpus, detector: CopyDetector | None) -> np.ndarray:
    """(N,) the number of each picture's group of copies.

    Copies are pictures whose similarity is at or above the descriptor's threshold, whatever lies
    between them; without a descriptor, files that are the same byte for byte.
    """
    if detector is None:
        digests = [blake2b(corpus.encoded(id), digest_size=16).digest() for id in corpus.ids]
        return np.unique(np.array(digests, "S16"), return_inverse=True)[1]
    similarity, ids = detector.index.search(detector.index.vectors, NEIGHBOURS)
    row = {int(id): i for i, id in enumerate(corpus.ids)}
    pairs = np.argwhere(similarity >= detector.thresholds.copied)
    own = [row[int(id)] for id in detector.index.ids]
    return components(len(corpus), ((own[a], row[int(ids[a, k])]) for a, k in pairs))


def components(n: int, pairs: Iterable[tuple[int, int]]) -> np.ndarray:
    """(n,) labels: things joined by pairs, directly or through others, share one."""
    a, b = np.array([*pairs, *((i, i) for i in range(n))]).T
    links = coo_array((np.ones(len(a), bool), (a, b)), (n, n))
    return connected_components(links, directed=False)[1]


def sizes(groups: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(N,) how many entries show what each picture shows: itself and its copies."""
    return np.bincount(groups, times).astype(np.int64)[groups]

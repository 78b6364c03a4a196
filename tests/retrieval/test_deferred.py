"""Nearest training images looked for together are those looked for one by one."""

import numpy as np

from memviz.retrieval.deferred import Lookups
from memviz.retrieval.index.index import Index, Manifest


def small() -> Index:
    vectors = np.random.default_rng(3).normal(size=(50, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Index(Manifest("demo", 8, "d", "c", "h", 50), vectors, np.arange(50) + 100)


def test_every_row_gets_what_a_search_of_its_own_finds() -> None:
    index = small()
    queries = np.random.default_rng(4).normal(size=(30, 8)).astype(np.float32)
    rows = [[{"step": i}, {"step": i}] for i in range(len(queries))]
    lookups = Lookups(index)
    for at, (vector, some) in enumerate(zip(queries, rows, strict=True)):
        lookups.add(vector, some)
        if at in (3, 4):  # someone looks at the run in progress
            lookups.settle()
            assert "nearest" in rows[at][0]
    assert "nearest" not in rows[-1][0]
    lookups.settle()
    for vector, some in zip(queries, rows, strict=True):
        similarity, ids = index.search(vector[None], 1)
        for row in some:
            assert row["nearest"] == ids[0, 0]
            np.testing.assert_allclose(row["similarity"], similarity[0, 0], atol=1e-6)
    lookups.settle()  # nothing waits


def test_without_an_index_nothing_is_looked_for() -> None:
    lookups, row = Lookups(None), {"step": 0}
    lookups.add(np.zeros(0), [row])
    lookups.settle()
    assert row == {"step": 0}

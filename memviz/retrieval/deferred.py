"""Nearest training images that are yet to be looked for: all at once costs little more than one."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from memviz.retrieval.index.index import Index


class Lookups:
    """Vectors (D,) and the trace rows that wait for their `similarity` and `nearest`."""

    def __init__(self, index: Index | None) -> None:
        self.index = index
        self._waiting: deque[tuple[np.ndarray, Sequence[dict[str, Any]]]] = deque()

    def add(self, vector: np.ndarray, rows: Sequence[dict[str, Any]]) -> None:
        """Note rows whose picture has this vector; nothing is looked for without an index."""
        if self.index is not None:
            self._waiting.append((vector, rows))

    def settle(self) -> None:
        """Give every waiting row its columns."""
        # taken one by one: steps may be added meanwhile, from another thread
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not taken:
            return
        similarity, ids = self.index.search(np.stack([vector for vector, _ in taken]), 1)
        for (_, rows), near, image_id in zip(taken, similarity[:, 0], ids[:, 0], strict=True):
            for row in rows:
                row |= {"similarity": float(near), "nearest": int(image_id)}

"""Pictures read by several threads while those before them go through a network."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AHEAD = 2  # batches read while one is embedded
Read = TypeVar("Read")


def read_ahead(ids: Sequence[int], read: Callable[[int], Read], batch: int) -> Iterator[list[Read]]:
    """What `read` makes of each id, in order, at most `batch` at a time."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        ahead: deque[list[Future[Read]]] = deque()
        for start in range(0, len(ids), batch):
            ahead.append([pool.submit(read, id) for id in ids[start : start + batch]])
            if len(ahead) > AHEAD:
                yield [future.result() for future in ahead.popleft()]
        while ahead:
            yield [future.result() for future in ahead.popleft()]

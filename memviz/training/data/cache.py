"""Rows computed once and kept on disk: latents and text embeddings that nothing varies."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from memviz.io.atomic import written
from memviz.io.paths import home

LIMIT = 8 * 2**30  # bytes; larger sets are computed batch by batch
CHUNK = 64  # rows computed at a time

Note = Callable[[str], None]


def rows(
    name: str, count: int, make: Callable[[int, int], np.ndarray], note: Note
) -> np.ndarray | None:
    """`make(start, stop)` for all rows as one float16 array on disk; None if it would not fit."""
    path = folder() / f"{name}.npy"
    if not path.exists():
        first = make(0, min(CHUNK, count)).astype(np.float16)
        if first.nbytes // len(first) * count > LIMIT:
            return None
        write(path, first, count, make, note)
    return np.load(path, mmap_mode="r")


def write(
    path: Path,
    first: np.ndarray,
    count: int,
    make: Callable[[int, int], np.ndarray],
    note: Note,
) -> None:
    """Fill a file chunk by chunk, not as a memory map: a full disk would kill the process."""
    header = {"descr": "<f2", "fortran_order": False, "shape": (count, *first.shape[1:])}
    with written(path) as part, part.open("wb") as out:
        np.lib.format.write_array_header_1_0(out, header)
        out.write(first.tobytes())
        for start in range(len(first), count, CHUNK):
            stop = min(start + CHUNK, count)
            out.write(make(start, stop).astype("<f2").tobytes())
            if start % (CHUNK * 20) == 0:
                note(f"{path.stem.partition('-')[0]}: {stop} of {count}")


def folder() -> Path:
    """Where they are kept; deleting it only costs time."""
    return home() / "encoded"

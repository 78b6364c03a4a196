"""A corpus to an index folder: in parts, resumable, only what is new, on one process or many.

The folder at `out` is replaced in one move when the new index is whole; until then, and if the
build fails, the old one stays as it was.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from memviz.io import atomic
from memviz.io.read import DamagedFile, read_array
from memviz.retrieval.index import items
from memviz.retrieval.index.assemble import assemble
from memviz.retrieval.index.index import IndexMismatch, read_manifest
from memviz.retrieval.index.parts import ROWS, Parts, Vectors, vectors_of
from memviz.retrieval.read_ahead import read_ahead

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.retrieval.descriptors.descriptor import Descriptor

BATCH = 32
PATIENCE = timedelta(days=7)  # of processes that wait for the slowest


@dataclass(frozen=True)
class Progress:
    """Where a build stands; counts of pictures in this process."""

    done: int
    total: int
    embedded: int
    reused: int
    unreadable: int
    seconds: float

    @property
    def rate(self) -> float:
        """Pictures embedded per second."""
        return self.embedded / self.seconds if self.seconds else 0.0


class Workers:
    """The processes that build together; alone unless started by `accelerate launch`."""

    def __init__(self) -> None:
        import torch

        gpu = torch.cuda.is_available()
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank, self.device, self._state = 0, "cuda" if gpu else "cpu", None
        if self.count > 1:
            from accelerate import PartialState

            self._state = PartialState(cpu=not gpu, timeout=PATIENCE)
            self.rank, self.device = self._state.process_index, str(self._state.device)

    @property
    def first(self) -> bool:
        """Whether this process writes what is written once."""
        return self.rank == 0

    def wait(self) -> None:
        """Until all have come here."""
        if self._state is not None:
            self._state.wait_for_everyone()


def build(
    corpus: Corpus,
    descriptor: Descriptor,
    out: Path,
    workers: Workers | None = None,
    exact: bool = False,
    fresh: bool = False,
    batch: int = BATCH,
) -> Iterator[Progress]:
    """Build or bring up to date the index at `out`. `fresh` embeds everything again.

    Raises IndexMismatch if `out` is something else than an index.
    """
    check_place(out)
    workers = workers or Workers()
    parts = Parts(out.with_name(f"{out.name}.building"))
    if workers.first:
        atomic.restore(out)
        if fresh:
            parts.remove()
        plan = {"corpus": corpus.hash, "preset": descriptor.preset.name}
        parts.begin(plan | {"descriptor": descriptor.hash, "rows": ROWS})
    workers.wait()
    known = {} if fresh else old_vectors(out, descriptor) | parts.known()
    numbers = range(-(-len(corpus) // ROWS))
    yield from embed(
        corpus, descriptor, parts, numbers[workers.rank :: workers.count], known, batch
    )
    workers.wait()
    if workers.first:
        assemble(corpus, descriptor, parts, numbers, out, exact)
        parts.remove()
    workers.wait()


def check_place(out: Path) -> None:
    """A folder that is no index is never replaced."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not _is_index(out))):
        raise IndexMismatch(f"{out} holds something else than an index. Name another folder.")


def _is_index(out: Path) -> bool:
    return (out / "manifest.json").is_file()


def old_vectors(out: Path, descriptor: Descriptor) -> Vectors:
    """Vectors of the index that is there, if the same descriptor made them."""
    file = out / "items.parquet"
    try:
        told = read_manifest(out)
        if (told.preset, told.descriptor) != (descriptor.preset.name, descriptor.hash):
            return {}
        vectors = read_array(out / "vectors.npy")
        fits = vectors.ndim == 2 and vectors.shape[1] == descriptor.preset.dims
        return vectors_of(file, vectors) if fits else {}
    except (FileNotFoundError, DamagedFile, IndexMismatch):  # none, or damaged: all is made again
        return {}


def embed(
    corpus: Corpus,
    descriptor: Descriptor,
    parts: Parts,
    numbers: Sequence[int],
    known: Vectors,
    batch: int,
) -> Iterator[Progress]:
    """Make the parts that are missing."""
    start, total = time.monotonic(), len(numbers) * ROWS
    counts = {"embedded": 0, "reused": 0, "unreadable": 0}
    read = partial(items.read, corpus, prepare=descriptor.preset.preprocess, known=known.keys())
    for done, number in enumerate(numbers):
        if not parts.done(number):
            ids = corpus.ids[number * ROWS : (number + 1) * ROWS]
            made, vectors = [], []
            for some in read_ahead(ids, read, batch):
                made += [item.row for item in some]
                vectors.append(_vectors(some, descriptor, known))
                for item in some:
                    counts[_fate(item)] += 1
            parts.write(number, items.table(made), np.concatenate(vectors))
        done_now = min(total, len(corpus), (done + 1) * ROWS)
        seconds = time.monotonic() - start
        yield Progress(done_now, min(total, len(corpus)), **counts, seconds=seconds)


def _fate(item: items.Item) -> str:
    if not item.readable:
        return "unreadable"
    return "reused" if item.pixels is None else "embedded"


def _vectors(some: list[items.Item], descriptor: Descriptor, known: Vectors) -> np.ndarray:
    """(readable, D) rows in order: known ones as they are, the others embedded together."""
    rows = np.empty((sum(item.readable for item in some), descriptor.preset.dims), np.float32)
    readable = [item for item in some if item.readable]
    fresh = {row: item.pixels for row, item in enumerate(readable) if item.pixels is not None}
    rows[[*fresh]] = descriptor.embed_prepared([*fresh.values()])
    for row, item in enumerate(readable):
        if item.pixels is None:
            vectors, place = known[item.row["digest"]]
            rows[row] = vectors[place]
    return rows

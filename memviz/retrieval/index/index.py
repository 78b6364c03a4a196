"""Nearest training pictures of a vector, saved as a folder that says what it was made from.

A folder: `vectors.npy` (float16 rows), `ids.npy`, `background.npy`, `manifest.json`, and, as the
builder writes it, `items.parquet` (captions, files, thumbnails), `duplicates.json`,
`problems.json`, and `lists.faiss` where the corpus is too large to look at every picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from memviz.errors import MemvizError
from memviz.io import atomic
from memviz.io.read import DamagedFile, read_array, read_record
from memviz.retrieval.index.background import background

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.retrieval.descriptors.descriptor import Descriptor
    from memviz.retrieval.index.engines import Engine

NEXT = "Build the index again."
LISTS = "lists.faiss"


class IndexMismatch(MemvizError):
    """An index that was made from something else, or is not one: one sentence."""


@dataclass(frozen=True)
class Manifest:
    """What an index was made from: a similarity means nothing without it."""

    preset: str
    dims: int
    descriptor: str  # hash of the weights
    corpus: str
    corpus_hash: str
    images: int  # that can be found; the unreadable ones are in problems.json
    recipe: str = "Flat"  # faiss
    probes: int = 0  # lists looked into by an inverted file
    created: str = ""
    versions: dict[str, str] = field(default_factory=dict, hash=False)
    counts: dict[str, int] = field(default_factory=dict, hash=False)  # of the last build
    duplicate: float | None = None  # similarity from which two of its pictures are duplicates


class Index:
    """Unit vectors of a corpus; inner product is the similarity."""

    def __init__(
        self, manifest: Manifest, vectors: np.ndarray, ids: np.ndarray, lists: Path | None = None
    ) -> None:
        self.manifest = manifest
        self.stored = vectors  # (N, D), half precision and on disk once saved
        self.ids = np.asarray(ids, np.int64)  # (N,)
        self._lists = lists

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def build(
        cls,
        corpus: Corpus,
        descriptor: Descriptor,
        batch: int = 64,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Index:
        """Embed a small corpus in memory; `building.build` is for those of any size."""
        vectors = np.empty((len(corpus), descriptor.preset.dims), np.float32)
        ids, done = [], 0
        for some, images in corpus.batches(batch):
            vectors[done : done + len(some)] = descriptor.embed(images)
            ids += some
            done += len(some)
            progress(done, len(corpus))
        return cls(manifest(corpus, descriptor, len(corpus)), vectors, np.array(ids))

    @classmethod
    def load(
        cls,
        folder: str | Path,
        corpus: Corpus | None = None,
        descriptor: Descriptor | None = None,
        exact: bool = False,
    ) -> Index:
        """Read an index, and refuse one made from another corpus or descriptor than those given.

        `exact` looks at every picture even where the index has lists.
        """
        folder = Path(folder)
        told = read_manifest(folder)
        _check(folder, told, corpus, descriptor)
        try:
            vectors = read_array(folder / "vectors.npy")
            ids = read_array(folder / "ids.npy", in_memory=True)
        except (FileNotFoundError, DamagedFile) as error:
            raise IndexMismatch(f"{folder} is not a whole index: {error} {NEXT}") from error
        if vectors.shape != (told.images, told.dims) or ids.shape != (told.images,):
            raise IndexMismatch(
                f"{folder} is not a whole index: it has vectors {vectors.shape} and ids "
                f"{ids.shape} of {told.images} pictures. {NEXT}"
            )
        if (
            vectors.dtype.kind != "f"
            or ids.dtype.kind not in "iu"
            or len({*ids.tolist()}) < len(ids)
        ):
            raise IndexMismatch(f"{folder} is not a whole index: its ids are not its own. {NEXT}")
        lists = folder / LISTS if told.recipe != "Flat" and not exact else None
        if lists and not lists.is_file():
            raise IndexMismatch(f"{folder} is not a whole index: it has no {LISTS}. {NEXT}")
        index = cls(told, vectors, ids, lists)
        background = read_background(folder)
        if background is not None and background.shape == ids.shape:
            index.background = background
        return index

    def save(self, folder: str | Path) -> Path:
        """Half precision: the similarity moves by less than 0.001."""
        folder = Path(folder)
        atomic.array(folder / "vectors.npy", self.vectors.astype(np.float16))
        atomic.array(folder / "ids.npy", self.ids.astype(np.int32))
        atomic.array(folder / "background.npy", self.background.astype(np.float16))
        write_manifest(self.manifest, folder)
        return folder

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Similarities and ids (B, min(k, N)), best first; nan and -1 for a row with nan."""
        vectors, broken = _finite(vectors)
        found, rows = self.engine.search(vectors, min(k, len(self)))
        none = broken[:, None] | (rows < 0)
        return np.where(none, np.nan, found), np.where(none, -1, self.ids[rows])

    def copies(self, vectors: np.ndarray, least: float) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each row all training pictures at or above `least`: similarities and ids."""
        vectors, broken = _finite(vectors)
        found = self.engine.range(vectors, least)
        return [
            (values[:0], rows[:0]) if bad else (values, self.ids[rows])
            for bad, (values, rows) in zip(broken, found, strict=True)
        ]

    def similarity(self, vectors: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """(B,) similarity of each row to one training picture each, as to its final match."""
        from memviz.retrieval.index.engines import unit

        rows = [self._row[int(id)] for id in ids]
        return np.einsum("bd,bd->b", vectors, unit(self.stored[rows]))

    @cached_property
    def vectors(self) -> np.ndarray:
        """(N, D) float32 unit rows, in memory."""
        from memviz.retrieval.index.engines import unit

        return unit(self.stored)

    @cached_property
    def background(self) -> np.ndarray:
        """(N,) similarity of each training picture to its nearest other."""
        return background(self.vectors)

    def background_of(self, id: int) -> float | None:
        """That of one training picture; None where there is no other, or no vector."""
        row = self._row.get(id)
        value = np.nan if row is None else float(self.background[row])
        return None if np.isnan(value) else value

    @cached_property
    def engine(self) -> Engine:
        """What rows are found with; made on first use."""
        from memviz.retrieval.index.engines import Approximate, Exact

        if self._lists is None:
            return Exact(self.stored)
        return Approximate.load(self._lists, self.stored, self.manifest.probes)

    @cached_property
    def _row(self) -> dict[int, int]:
        return {int(id): row for row, id in enumerate(self.ids)}


def manifest(corpus: Corpus, descriptor: Descriptor, images: int, **more: Any) -> Manifest:  # noqa: ANN401
    """What an index of this corpus by this descriptor says of itself."""
    preset = descriptor.preset
    known = (preset.name, preset.dims, descriptor.hash, corpus.name, corpus.hash, images)
    return Manifest(*known, **more)


def write_manifest(told: Manifest, folder: Path) -> None:
    """The last file of an index to be written."""
    atomic.json(folder / "manifest.json", vars(told))


def read_manifest(folder: Path) -> Manifest:
    """What an index says of itself. Raises IndexMismatch if it is none."""
    try:
        return read_record(folder / "manifest.json", Manifest)
    except FileNotFoundError:
        raise IndexMismatch(f"{folder} is not an index: it has no manifest.json. {NEXT}") from None
    except DamagedFile as error:
        raise IndexMismatch(f"{error} {NEXT}") from error


def read_background(folder: Path) -> np.ndarray | None:
    """What was computed when it was built; None where that cannot be used: it is made again."""
    try:
        return read_array(folder / "background.npy", in_memory=True).astype(np.float32)
    except (FileNotFoundError, DamagedFile, ValueError):
        return None


def _finite(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows with nan become zero, and are told: one broken picture must not spoil a batch."""
    vectors = np.ascontiguousarray(vectors, np.float32)
    broken: np.ndarray = ~np.isfinite(vectors).all(1)  # pyright: ignore[reportAssignmentType] - the stub forgets the axis
    return np.where(broken[:, None], 0, vectors).astype(np.float32), broken


def _check(
    folder: Path, manifest: Manifest, corpus: Corpus | None, descriptor: Descriptor | None
) -> None:
    got, wanted = [], []
    if corpus is not None:
        got.append(("corpus", manifest.corpus_hash))
        wanted.append(corpus.hash)
    if descriptor is not None:
        got += [("preset", manifest.preset), ("descriptor", manifest.descriptor)]
        wanted += [descriptor.preset.name, descriptor.hash]
    for (what, value), want in zip(got, wanted, strict=True):
        if value != want:
            raise IndexMismatch(
                f"{folder} was made from another {what}: "
                f"has {value[:24]}, wanted {want[:24]}. {NEXT}"
            )

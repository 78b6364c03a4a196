"""Exact nearest training pictures of a vector, saved as a folder that says what it was made from.

A folder: `vectors.npy` (float16 rows), `ids.npy`, `background.npy`, `manifest.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from memviz.retrieval.background import background

if TYPE_CHECKING:
    import faiss

    from memviz.corpus import Corpus
    from memviz.retrieval.descriptors import Descriptor

NEXT = "Build the index again."


class IndexMismatch(ValueError):
    """An index that was made from something else, or is not one: one sentence."""


@dataclass(frozen=True)
class Manifest:
    """What an index was made from: a similarity means nothing without it."""

    preset: str
    dims: int
    descriptor: str  # hash of the weights
    corpus: str
    corpus_hash: str
    images: int


class Index:
    """Unit vectors of a corpus; inner product is the similarity."""

    def __init__(self, manifest: Manifest, vectors: np.ndarray, ids: np.ndarray) -> None:
        self.manifest = manifest
        self.vectors = _unit(vectors)  # (N, D) float32
        self.ids = np.asarray(ids, np.int64)  # (N,)

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
        """Embed a corpus in one pass, a batch of pictures in memory at a time."""
        vectors = np.empty((len(corpus), descriptor.preset.dims), np.float32)
        ids, done = [], 0
        for some, images in corpus.batches(batch):
            vectors[done : done + len(some)] = descriptor.embed(images)
            ids += some
            done += len(some)
            progress(done, len(corpus))
        return cls(_manifest(corpus, descriptor), vectors, np.array(ids))

    @classmethod
    def load(
        cls, folder: str | Path, corpus: Corpus | None = None, descriptor: Descriptor | None = None
    ) -> Index:
        """Read an index, and refuse one made from another corpus or descriptor than those given."""
        folder = Path(folder)
        manifest = _read(folder)
        _check(folder, manifest, corpus, descriptor)
        index = cls(manifest, np.load(folder / "vectors.npy"), np.load(folder / "ids.npy"))
        if (folder / "background.npy").is_file():
            index.background = np.load(folder / "background.npy").astype(np.float32)
        return index

    def save(self, folder: str | Path) -> Path:
        """Half precision: the similarity moves by less than 0.001."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "vectors.npy", self.vectors.astype(np.float16))
        np.save(folder / "ids.npy", self.ids.astype(np.int32))
        np.save(folder / "background.npy", self.background.astype(np.float16))
        (folder / "manifest.json").write_text(json.dumps(vars(self.manifest), indent=2) + "\n")
        return folder

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Similarities and ids (B, min(k, N)), best first; nan and -1 for a row with nan."""
        vectors = np.ascontiguousarray(vectors, np.float32)
        broken = ~np.isfinite(vectors).all(1)
        found, rows = self._faiss.search(
            np.where(broken[:, None], 0, vectors).astype(np.float32), min(k, len(self))
        )
        return np.where(broken[:, None], np.nan, found), np.where(
            broken[:, None], -1, self.ids[rows]
        )

    def similarity(self, vectors: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """(B,) similarity of each row to one training picture each, as to its final match."""
        return np.einsum("bd,bd->b", vectors, self.vectors[[self._row[int(id)] for id in ids]])

    @cached_property
    def background(self) -> np.ndarray:
        """(N,) similarity of each training picture to its nearest other."""
        return background(self.vectors)

    @cached_property
    def _faiss(self) -> faiss.IndexFlatIP:
        import faiss

        index = faiss.IndexFlatIP(self.manifest.dims)
        index.add(self.vectors)
        return index

    @cached_property
    def _row(self) -> dict[int, int]:
        return {int(id): row for row, id in enumerate(self.ids)}


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Float32 rows of length one: a picture finds itself at 1.000 from half precision too."""
    vectors = np.ascontiguousarray(vectors, np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _manifest(corpus: Corpus, descriptor: Descriptor) -> Manifest:
    preset = descriptor.preset
    return Manifest(
        preset.name, preset.dims, descriptor.hash, corpus.name, corpus.hash, len(corpus)
    )


def _read(folder: Path) -> Manifest:
    try:
        values: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
        return Manifest(**values)
    except FileNotFoundError:
        raise IndexMismatch(f"{folder} is not an index: it has no manifest.json. {NEXT}") from None
    except (TypeError, ValueError) as error:
        raise IndexMismatch(
            f"{folder / 'manifest.json'} cannot be read: {error}. {NEXT}"
        ) from error


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

"""An index while it is built: a folder of finished parts, so that a killed build goes on.

`plan.json` says what of; part n is `n.npy` (float16 rows of its readable pictures) and, written
last, `n.parquet` (its items). Each is written aside and renamed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from memviz.io import atomic
from memviz.io.read import DamagedFile, read_array, read_json, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS = 256  # of a part: what a kill can cost at most
Vectors = dict[bytes, tuple[np.ndarray, int]]  # digest -> where its vector stands


class Parts:
    """The parts of one build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, plan: Mapping[str, Any]) -> None:
        """Keep what was made by this very plan; set aside what was made of another corpus."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "plan.json"
        try:
            found = read_json(file, {}) if file.exists() else plan
        except DamagedFile:
            found = {}
        if found != plan:
            self._set_aside(found, plan)
        atomic.json(file, plan)

    def _set_aside(self, found: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
        """Vectors of the same descriptor are still good for pictures that are still there."""
        usable = all(found.get(key) == plan[key] for key in ("preset", "descriptor"))
        shutil.rmtree(self.aside, ignore_errors=True)
        if usable:
            self.folder.rename(self.aside)
        else:
            shutil.rmtree(self.folder)
        self.folder.mkdir()

    @property
    def aside(self) -> Path:
        """Parts of a build whose corpus has changed since."""
        return self.folder.with_name(f"{self.folder.name}-before")

    def done(self, number: int) -> bool:
        """Whether a part is whole."""
        return all((self.folder / f"{number}.{suffix}").is_file() for suffix in ("parquet", "npy"))

    def write(self, number: int, items: pa.Table, vectors: np.ndarray) -> None:
        """A part, its items last: with them it counts as done."""
        atomic.array(self.folder / f"{number}.npy", vectors.astype(np.float16))
        with atomic.written(self.folder / f"{number}.parquet") as part:
            pq.write_table(items, part)

    def read(self, numbers: range) -> Iterator[tuple[pa.Table, np.ndarray]]:
        """Items and vectors, part by part."""
        for number in numbers:
            yield self.items(number), read_array(self.folder / f"{number}.npy")

    def items(self, number: int) -> pa.Table:
        """The items of a part."""
        return read_table(self.folder / f"{number}.parquet")

    def known(self) -> Vectors:
        """Vectors of parts that were set aside."""
        found: Vectors = {}
        for file in sorted(self.aside.glob("*.parquet")):
            with suppress(FileNotFoundError, DamagedFile):  # what cannot be read is made again
                found |= vectors_of(file, read_array(file.with_suffix(".npy"), in_memory=True))
        return found

    def remove(self) -> None:
        """When the index is whole."""
        for folder in (self.folder, self.aside):
            shutil.rmtree(folder, ignore_errors=True)


def vectors_of(items: Path, vectors: np.ndarray) -> Vectors:
    """Where the vector of each digest stands, given the items of the same pictures."""
    table = read_table(items, columns=["digest", "problem"])
    digests: list[Any] = table["digest"].to_pylist()
    problems = table["problem"].to_pylist()
    readable = [d for d, problem in zip(digests, problems, strict=True) if not problem]
    if len(readable) != len(vectors):
        raise DamagedFile(f"{items} has {len(readable)} pictures for {len(vectors)} vectors.")
    return {digest: (vectors, row) for row, digest in enumerate(readable)}

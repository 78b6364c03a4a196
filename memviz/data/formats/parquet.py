"""Parquet files with pictures inside, as data set libraries and img2dataset write them."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.data.formats.base import CAPTION_COLUMNS, IMAGE_COLUMNS, Captioned, CorpusError, named
from memviz.io.hashing import files_hash
from memviz.io.read import guard_format

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


class Parquet(Captioned):
    """One or more parquet files with a picture column (bytes, or a struct that has `bytes`)."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.groups = [group for file in files for group in _row_groups(file)]
        self._image = named(self._columns, IMAGE_COLUMNS, "picture", files[0])
        caption = named(self._columns, CAPTION_COLUMNS, "caption", files[0])
        self.captions = ["" if text is None else str(text) for text in self.column(caption)]
        self.ids = self.column("id") if "id" in self._columns else [*range(len(self.captions))]
        if not all(type(id) is int and 0 <= id < 2**63 for id in self.ids):
            raise CorpusError(f"{files[0]} has ids that are no whole numbers. Number its rows.")
        self._group = lru_cache(maxsize=1)(self._read_group)  # rows are mostly read in order

    def read(self, row: int) -> bytes:
        first, number = self._locate(row)
        with guard_format(self.groups[number][0], "a parquet file", CorpusError):
            value = self._group(number)[row - first].as_py()
        found = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(found, bytes):
            raise CorpusError(f"{self.where(row)} holds no picture bytes. Store pictures as bytes.")
        return found

    def column(self, name: str) -> list[Any]:
        if name not in self._columns:
            raise CorpusError(f"{self.files[0]} has no column {name!r}, only {self._columns}.")
        return [value for file in self.files for value in _column(file, name)]

    def where(self, row: int) -> str:
        return f"{self.groups[self._locate(row)[1]][0]}, row {row}"

    def hash(self) -> str:
        return files_hash((file.name, file) for file in self.files)

    @cached_property
    def _columns(self) -> list[str]:
        return _open(self.files[0]).schema_arrow.names

    def _locate(self, row: int) -> tuple[int, int]:
        """The first row of the group that holds `row`, and the group's number."""
        first = 0
        for number, (_, _, rows) in enumerate(self.groups):
            if row < first + rows:
                return first, number
            first += rows
        raise IndexError(row)

    def _read_group(self, number: int) -> pa.ChunkedArray:
        file, group, _ = self.groups[number]
        return _open(file).read_row_group(group, [self._image])[self._image]


def _column(file: Path, name: str) -> list[Any]:
    with guard_format(file, "a parquet file", CorpusError):
        return _open(file).read([name])[name].to_pylist()


def _row_groups(file: Path) -> list[tuple[Path, int, int]]:
    metadata = _open(file).metadata
    counts = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    return [(file, i, rows) for i, rows in enumerate(counts)]


def _open(file: Path) -> pq.ParquetFile:
    import pyarrow.parquet as pq

    with guard_format(file, "a parquet file", CorpusError):
        return pq.ParquetFile(file)

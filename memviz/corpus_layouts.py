"""How captioned pictures lie on disk: parquet, folders, LAION-10k. Each layout answers `Layout`."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from memviz.hashing import files_hash

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
IMAGE_COLUMNS = ("image", "jpg", "png", "webp", "bytes")
CAPTION_COLUMNS = ("caption", "text", "prompt", "title")
FILE_COLUMNS = ("file_name", "filename", "file", "path", "image")


class CorpusError(ValueError):
    """Why a place holds no captioned pictures: one sentence."""


class Layout(Protocol):
    """What a layout answers; `row` counts from 0 in a fixed order."""

    ids: list[int]
    captions: list[str]

    def read(self, row: int) -> bytes:
        """The encoded picture of one row."""

    def column(self, name: str) -> list[Any]:
        """A further column, one value per row."""

    def where(self, row: int) -> str:
        """The place of a row, for an error message."""

    def hash(self) -> str:
        """Changes when the set does."""


def layout(place: Path) -> Layout:
    """The layout found at `place`."""
    if not place.exists():
        raise CorpusError(f"No such corpus: {place}. Give a folder of pictures or a parquet file.")
    tables = [place] if place.is_file() else sorted(place.glob("*.parquet"))
    if place.is_file() and place.suffix != ".parquet":
        raise CorpusError(f"{place} is not a corpus. Give a folder of pictures or a parquet file.")
    return Parquet(tables) if tables else Folder(place)


class Parquet:
    """One or more parquet files with a picture column (bytes, or a struct that has `bytes`)."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.groups = [group for file in files for group in _row_groups(file)]
        self._image = _named(self._columns, IMAGE_COLUMNS, "picture", files[0])
        caption = _named(self._columns, CAPTION_COLUMNS, "caption", files[0])
        self.captions = [text or "" for text in self.column(caption)]
        self.ids = self.column("id") if "id" in self._columns else [*range(len(self.captions))]
        self._group = lru_cache(maxsize=1)(self._read_group)  # rows are mostly read in order

    def read(self, row: int) -> bytes:
        first, number = self._locate(row)
        value = self._group(number)[row - first].as_py()
        found = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(found, bytes):
            raise CorpusError(f"{self.where(row)} holds no picture bytes. Store pictures as bytes.")
        return found

    def column(self, name: str) -> list[Any]:
        if name not in self._columns:
            raise CorpusError(f"{self.files[0]} has no column {name!r}, only {self._columns}.")
        return [value for f in self.files for value in _open(f).read([name])[name].to_pylist()]

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


class Folder:
    """Pictures with a .txt beside each, a metadata table, or LAION-10k's json of captions."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.files = sorted(p for p in place.rglob("*") if p.suffix.lower() in PICTURES)
        if not self.files:
            raise CorpusError(f"{place} holds no pictures ({', '.join(sorted(PICTURES))}).")
        self.captions = _captions(place, self.files)
        self.ids = [*range(len(self.files))]

    def read(self, row: int) -> bytes:
        return self.files[row].read_bytes()

    def column(self, name: str) -> list[Any]:
        if name != "file":
            raise CorpusError(f"{self.place} has no column {name!r}, only 'file'.")
        return [str(file.relative_to(self.place)) for file in self.files]

    def where(self, row: int) -> str:
        return str(self.files[row])

    def hash(self) -> str:
        """Over names, sizes and captions; reading every picture at each start would be slow."""
        total = hashlib.sha256()
        for name, file, caption in zip(self.column("file"), self.files, self.captions, strict=True):
            total.update(f"{name}\0{file.stat().st_size}\0{caption}\n".encode())
        return total.hexdigest()


def _captions(place: Path, files: list[Path]) -> list[str]:
    """Captions in the order of the files; a table wins over .txt files."""
    table = _metadata(place) or _laion(place)
    if table is None:
        return [_beside(file) for file in files]
    found = [table.get(file.name) for file in files]
    if not any(found):
        raise CorpusError(
            f"The captions found for {place} name none of its {len(files)} pictures. "
            "They are matched by file name."
        )
    return [caption or "" for caption in found]


def _beside(file: Path) -> str:
    text = file.with_suffix(".txt")
    return text.read_text(errors="replace").strip() if text.is_file() else ""


def _metadata(place: Path) -> dict[str, str] | None:
    """metadata.csv or metadata.jsonl: a column of file names and one of captions."""
    table, lines = place / "metadata.csv", place / "metadata.jsonl"
    try:
        if table.is_file():
            return _by_name(table, csv.DictReader(table.read_text("utf-8-sig").splitlines(True)))
        if lines.is_file():
            return _by_name(lines, [json.loads(line) for line in lines.open() if line.strip()])
    except (ValueError, csv.Error) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(f"The captions beside {place} cannot be read: {error}.") from error
    return None


def _by_name(table: Path, rows: Iterable[dict[str, str]]) -> dict[str, str]:
    rows = list(rows)
    names = list(rows[0]) if rows else []
    file = _named(names, FILE_COLUMNS, "file name", table)
    caption = _named(names, CAPTION_COLUMNS, "caption", table)
    return {Path(row[file]).name: row[caption] or "" for row in rows if row.get(file)}


def _laion(place: Path) -> dict[str, str] | None:
    """{"/some/old/place/NNNN.jpg": ["caption", …]}: the keys' folders are another machine's."""
    above = [place, *place.resolve().parents[:3]]
    found = [file for folder in above for file in sorted(folder.glob("*combined_captions.json"))]
    if not found:
        return None
    try:
        entries = json.loads(found[0].read_text())
    except (OSError, ValueError) as error:
        raise CorpusError(f"{found[0]} cannot be read: {error}.") from error
    return {Path(key).name: _first(captions) for key, captions in entries.items()}


def _first(captions: str | list[str]) -> str:
    return captions if isinstance(captions, str) else (captions or [""])[0]


def _named(columns: list[str], wanted: tuple[str, ...], what: str, file: Path) -> str:
    for name in wanted:
        if name in columns:
            return name
    raise CorpusError(
        f"{file} has no {what} column: has {columns}, wanted one of {', '.join(wanted)}."
    )


def _row_groups(file: Path) -> list[tuple[Path, int, int]]:
    metadata = _open(file).metadata
    counts = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    return [(file, i, rows) for i, rows in enumerate(counts)]


def _open(file: Path) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise CorpusError(f"{file} is not a parquet file: {error}") from error

"""The captions of a folder of pictures, wherever they stand; a table wins over .txt files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from memviz.data.formats.base import CAPTION_COLUMNS, FILE_COLUMNS, CorpusError, named
from memviz.io.read import parse_json, read_record, read_text

Texts = list[str]  # the caption that is used, then the rest


def captions(place: Path, files: Sequence[str]) -> list[Texts]:
    """The captions of each file, in the order of the files (paths relative to `place`)."""
    table = _metadata(place) or _laion(place) or _generations(place, files)
    if table is None:
        return [_beside(place / file) for file in files]
    found = [table.get(file) or table.get(Path(file).name) or [] for file in files]
    if not any(found):
        raise CorpusError(
            f"The captions found for {place} name none of its {len(files)} pictures. "
            "They are matched by file name: rename one or the other."
        )
    return found


def _beside(file: Path) -> Texts:
    text = file.with_suffix(".txt")
    return [read_text(text, "replace").strip()] if text.is_file() else []


def _metadata(place: Path) -> dict[str, Texts] | None:
    """metadata.csv or metadata.jsonl: a column of file names and one of captions."""
    table, lines = place / "metadata.csv", place / "metadata.jsonl"
    try:
        if table.is_file():
            return _by_name(table, csv.DictReader(read_text(table).splitlines(True)))
        if lines.is_file():
            found = read_text(lines).split("\n")
            return _by_name(lines, [parse_json(line) for line in found if line.strip()])
    except CorpusError:
        raise
    except (ValueError, csv.Error) as error:
        raise CorpusError(
            f"The captions beside {place} cannot be read: {error}. Mend or remove them."
        ) from error
    return None


def _by_name(table: Path, rows: Iterable[Mapping[str, str]]) -> dict[str, Texts]:
    """By the path as the table has it and, for tables made elsewhere, by the bare name."""
    rows = list(rows)
    if not all(isinstance(row, Mapping) for row in rows):
        raise CorpusError(f"{table} has rows without names. Write an object a line.")
    names = list(rows[0]) if rows else []
    file = named(names, FILE_COLUMNS, "file name", table)
    caption = named(names, CAPTION_COLUMNS, "caption", table)
    pairs = [(str(row[file]), [str(row.get(caption) or "")]) for row in rows if row.get(file)]
    return {Path(name).name: text for name, text in pairs} | dict(pairs)


def _laion(place: Path) -> dict[str, Texts] | None:
    """{"/some/old/place/NNNN.jpg": ["caption", …]}: the keys' folders are another machine's."""
    above = [place, *place.resolve().parents[:3]]
    found = [file for folder in above for file in sorted(folder.glob("*combined_captions.json"))]
    if not found:
        return None
    try:
        entries = read_record(found[0], dict[str, str | list[str | None] | None])
        return {Path(key).name: _texts(value) for key, value in entries.items()}
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{found[0]} cannot be read: {error}. Wanted file names with lists of captions."
        ) from error


def _texts(value: str | Sequence[str | None] | None) -> Texts:
    return [value] if isinstance(value, str) else [text for text in value or () if text]


def _generations(place: Path, files: Sequence[str]) -> dict[str, Texts] | None:
    """DCR's `prompts.txt` (a line each) beside `generations/`, whose files sort as people count."""
    beside = (place / "prompts.txt", place.parent / "prompts.txt")
    text = next((file for file in beside if file.is_file()), None)
    made = [file for file in files if "generations" in (place.name, *Path(file).parts[:-1])]
    if text is None or not made:
        return None
    lines = read_text(text, "replace").splitlines()
    each, rest = divmod(len(made), len(lines) or 1)
    if rest or not lines:
        raise CorpusError(f"{text} has {len(lines)} lines for {len(made)} pictures; give one each.")
    ordered = sorted(made, key=natural)
    return {file: [lines[row // each].strip()] for row, file in enumerate(ordered)}


def natural(name: str) -> list[tuple[int, int | str]]:
    """A key by which "2.png" comes before "10.png"."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]

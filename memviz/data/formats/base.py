"""What every layout answers, and the names that columns go by."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from memviz.errors import MemvizError

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
IMAGE_COLUMNS = ("image", "jpg", "png", "webp", "bytes")
CAPTION_COLUMNS = ("caption", "text", "prompt", "title")
FILE_COLUMNS = ("file_name", "filename", "file", "path", "image")


class CorpusError(MemvizError):
    """Why a place holds no captioned pictures: one sentence."""


class Layout(Protocol):
    """What a layout answers; `row` counts from 0 in a fixed order."""

    ids: list[int]
    captions: list[str]

    def read(self, row: int) -> bytes:
        """The encoded picture of one row. Raises CorpusError or OSError where there is none."""
        ...

    def column(self, name: str) -> list[Any]:
        """A further column, one value per row."""
        ...

    def others(self, row: int) -> list[str]:
        """Captions of a row beyond the one that is used."""
        ...

    def where(self, row: int) -> str:
        """The place of a row, for an error message."""
        ...

    def hash(self) -> str:
        """Changes when the set does."""
        ...


class Captioned:
    """A layout whose rows have one caption each."""

    def others(self, row: int) -> list[str]:
        """None."""
        return []


def named(columns: list[str], wanted: tuple[str, ...], what: str, file: Path) -> str:
    """The first of the `wanted` names among the columns of a table."""
    for name in wanted:
        if name in columns:
            return name
    raise CorpusError(
        f"{file} has no {what} column: has {columns}, wanted one of {', '.join(wanted)}."
    )

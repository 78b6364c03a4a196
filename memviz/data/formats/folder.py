"""Folders of pictures: a .txt beside each, a table, LAION-10k's json, or DCR's generations."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memviz.data.formats.base import PICTURES, CorpusError
from memviz.data.formats.captions import captions
from memviz.io.read import read_bytes


class Folder:
    """All pictures under a folder, ordered by path, so that ids do not depend on the disk."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.files = sorted(_pictures(place), key=lambda name: name.split("/"))
        if not self.files:
            raise CorpusError(
                f"{place} holds no pictures ({', '.join(sorted(PICTURES))}). Name another folder."
            )
        found = captions(place, self.files)
        self.captions = [texts[0] if texts else "" for texts in found]
        self._others = {row: texts[1:] for row, texts in enumerate(found) if len(texts) > 1}
        self.ids = [*range(len(self.files))]

    def read(self, row: int) -> bytes:
        return read_bytes(self.place / self.files[row])

    def column(self, name: str) -> list[Any]:
        if name != "file":
            raise CorpusError(f"{self.place} has no column {name!r}, only 'file'.")
        return list(self.files)

    def others(self, row: int) -> list[str]:
        return self._others.get(row, [])

    def where(self, row: int) -> str:
        return str(self.place / self.files[row])

    def hash(self) -> str:
        """Over names, sizes and captions; reading every picture at each start would be slow."""
        total = hashlib.sha256()
        for name, caption in zip(self.files, self.captions, strict=True):
            total.update(f"{name}\0{file_size(self.place / name)}\0{caption}\n".encode())
        return total.hexdigest()


def file_size(file: Path) -> int | None:
    """Bytes; None for a link that leads nowhere."""
    try:
        return file.stat().st_size
    except OSError:
        return None


def _pictures(place: Path) -> Iterator[str]:
    """Paths relative to `place`, "/" between; hidden files and folders are not part of the set."""
    for folder, inside, files in os.walk(place, onerror=_stop):
        inside[:] = [name for name in inside if not name.startswith(".")]
        for name in files:
            if Path(name).suffix.lower() in PICTURES and not name.startswith("."):
                check_name(name, folder)
                yield (Path(folder) / name).relative_to(place).as_posix()


def check_name(name: str, folder: str) -> None:
    """Raise CorpusError for a name that is not in UTF-8: no table can hold it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise CorpusError(
            f"{folder} holds {name!a}, which is no name in UTF-8. Rename it."
        ) from None


def _stop(error: OSError) -> None:
    raise CorpusError(
        f"{error.filename} cannot be read: {error.strerror}. Change its permissions or move it."
    ) from error

"""A list of captions and URLs, as Webster's memorized prompts: pictures only as far as fetched.

Ryan Webster, "A Reproducible Extraction of Training Images from Diffusion Models", 2023: lines of
{"caption", "index", "url"}. Every line keeps its id whether or not its picture is on this machine.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from memviz.data.formats.base import CAPTION_COLUMNS, PICTURES, Captioned, CorpusError, named
from memviz.data.formats.folder import file_size
from memviz.io.read import parse_json, read_bytes, read_text


class UrlList(Captioned):
    """A row per line; its picture lies near the list as `INDEX.*`, `INDEX/*`, or the URL's name."""

    def __init__(self, file: Path) -> None:
        self.file = file
        lines = _lines(file)
        caption = named(list(lines[0]), CAPTION_COLUMNS, "caption", file)
        self.urls = [str(line.get("url") or "") for line in lines]
        self.captions = [str(line.get(caption) or "") for line in lines]
        self.ids = [*range(len(lines))]
        here = _near(file)
        indices = (line.get("index", row) for row, line in enumerate(lines))
        found = zip(indices, self.urls, strict=True)
        self.pictures = [here.get(str(i)) or here.get(_name(url)) for i, url in found]
        if not any(self.pictures):
            raise CorpusError(
                f"None of the {len(lines)} pictures of {file} is on this machine. "
                f"Fetch them into {file.parent}, named by index or as in the URL."
            )

    @property
    def present(self) -> int:
        """How many pictures are on this machine."""
        return sum(picture is not None for picture in self.pictures)

    def read(self, row: int) -> bytes:
        picture = self.pictures[row]
        if picture is None:
            raise CorpusError(f"not on this machine: {self.urls[row] or 'no URL is given'}")
        return read_bytes(picture)

    def column(self, name: str) -> list[Any]:
        if name not in ("url", "file"):
            raise CorpusError(f"{self.file} has no column {name!r}, only 'url' and 'file'.")
        files = [str(picture or url) for picture, url in zip(self.pictures, self.urls, strict=True)]
        return self.urls if name == "url" else files

    def where(self, row: int) -> str:
        return str(self.pictures[row] or f"{self.file}, line {row + 1}")

    def hash(self) -> str:
        """Over captions, URLs and the sizes of the pictures that are here."""
        total = hashlib.sha256()
        for caption, url, picture in zip(self.captions, self.urls, self.pictures, strict=True):
            size = file_size(picture) if picture else None
            total.update(f"{url}\0{size}\0{caption}\n".encode())
        return total.hexdigest()


def _lines(file: Path) -> list[dict[str, Any]]:
    try:
        lines = [parse_json(line) for line in read_text(file).split("\n") if line.strip()]
    except (OSError, ValueError) as error:
        raise CorpusError(f"{file} cannot be read: {error}. Write it again.") from error
    if not lines or not all(isinstance(line, dict) for line in lines):
        raise CorpusError(
            f"{file} is not a list of captions and URLs: wanted a JSON object a line."
        )
    return lines


def _near(file: Path) -> dict[str, Path]:
    """Pictures under the list's folder by name, and by the number of the file or its folder."""
    found: dict[str, Path] = {}
    for picture in sorted(p for p in file.parent.rglob("*") if p.suffix.lower() in PICTURES):
        own = picture.parent == file.parent or not picture.parent.name.isdigit()
        number = picture.stem if own else picture.parent.name
        for key in (picture.name, number.lstrip("0") or "0"):
            found.setdefault(key, picture)
    return found


def _name(url: str) -> str:
    try:
        return PurePosixPath(urlsplit(url).path).name
    except ValueError:  # a host that is none, as http://[
        return ""

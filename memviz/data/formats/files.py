"""Some pictures named one by one, as what a person wants looked up."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from memviz.data.formats.base import Captioned, CorpusError
from memviz.io.read import read_bytes


class PictureFiles(Captioned):
    """Files in the order given, each with the text that came with it and how it is called."""

    def __init__(
        self,
        files: list[Path],
        captions: list[str] | None = None,
        names: list[str] | None = None,
    ) -> None:
        missing = [file for file in files if not file.is_file()]
        if missing:
            raise CorpusError(f"No such picture: {missing[0]}. Give a picture or a folder of them.")
        self.files = files
        self.captions = captions or [""] * len(files)
        self.names = names or [str(file) for file in files]
        self.ids = [*range(len(files))]

    def read(self, row: int) -> bytes:
        return read_bytes(self.files[row])

    def column(self, name: str) -> list[Any]:
        if name != "file":
            raise CorpusError(f"Pictures given one by one have no column {name!r}, only 'file'.")
        return list(self.names)

    def where(self, row: int) -> str:
        return self.names[row]

    def hash(self) -> str:
        total = hashlib.sha256()
        for file in self.files:
            total.update(read_bytes(file))
        return total.hexdigest()


class PictureBytes(Captioned):
    """Pictures that were made here and lie in no file, each with its caption and a name."""

    def __init__(self, pictures: list[bytes], captions: list[str], names: list[str]) -> None:
        self.pictures, self.captions, self.names = pictures, captions, names
        self.ids = [*range(len(pictures))]

    def read(self, row: int) -> bytes:
        return self.pictures[row]

    def column(self, name: str) -> list[Any]:
        raise CorpusError(f"Pictures that were made here have no column {name!r}.")

    def where(self, row: int) -> str:
        return self.names[row]

    def hash(self) -> str:
        return hashlib.sha256(b"".join(self.pictures)).hexdigest()

"""Webdataset tar shards as img2dataset writes them: 000000012.jpg, .txt and .json per sample."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from memviz.data.formats.base import CAPTION_COLUMNS, PICTURES, Captioned, CorpusError
from memviz.io.hashing import files_hash
from memviz.io.read import LARGEST, guard_format, parse_json


@dataclass(frozen=True, slots=True)
class Sample:
    """Where the picture of a row stands in its shard."""

    shard: int
    key: str
    start: int  # byte
    size: int  # bytes


class Shards(Captioned):
    """Uncompressed tar files; opening reads their headers and captions, never the pictures."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        found = [pair for shard, file in enumerate(files) for pair in _samples(shard, file)]
        if not found:
            raise CorpusError(
                f"{files[0]} and its like hold no pictures ({', '.join(PICTURES)}). Name others."
            )
        self.samples = [sample for sample, _ in found]
        self.captions = [caption for _, caption in found]
        self.ids = [*range(len(found))]

    def read(self, row: int) -> bytes:
        sample = self.samples[row]
        with self.files[sample.shard].open("rb") as file:
            file.seek(sample.start)
            return file.read(min(sample.size, LARGEST))

    def column(self, name: str) -> list[Any]:
        if name != "file":
            raise CorpusError(f"{self.files[0]} has no column {name!r}, only 'file'.")
        return [f"{self.files[s.shard].name}/{s.key}" for s in self.samples]

    def where(self, row: int) -> str:
        sample = self.samples[row]
        return f"{self.files[sample.shard]}, {sample.key}"

    def hash(self) -> str:
        return files_hash((file.name, file) for file in self.files)


def _samples(shard: int, file: Path) -> Iterator[tuple[Sample, str]]:
    """The pictures of one shard in its order, each with its caption."""
    pictures: dict[str, Sample] = {}
    texts: dict[str, str] = {}
    with guard_format(file, "a tar shard", CorpusError), tarfile.open(file, "r:") as tar:
        for member in filter(tarfile.TarInfo.isfile, tar):
            name = PurePosixPath(member.name)
            if not name.name:
                continue
            key = str(name.with_suffix(""))
            if name.suffix.lower() in PICTURES:
                pictures[key] = Sample(shard, key, member.offset_data, member.size)
            elif name.suffix in (".txt", ".json"):
                opened = tar.extractfile(member)
                assert opened is not None  # it is a file
                text = opened.read(LARGEST).decode("utf-8", "replace")
                texts.setdefault(key, text.strip() if name.suffix == ".txt" else _stated(text))
    for key, sample in pictures.items():
        yield sample, texts.get(key, "")


def _stated(text: str) -> str:
    """The caption in a sample's json."""
    try:
        values = parse_json(text)
    except ValueError:
        return ""
    found = (values.get(name) for name in CAPTION_COLUMNS) if isinstance(values, dict) else ()
    return next((value for value in found if isinstance(value, str)), "")

"""Captioned training pictures with stable ids, read one at a time: pixels are never all held.

A corpus is a folder of pictures (a .txt beside each, a metadata table, LAION-10k or generations as
DCR published them), parquet files, webdataset tar shards, a list of captions and URLs, or a name:
one from `bundled()`, or one that the user registered.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.data.formats import CorpusError as CorpusError
from memviz.data.formats import Layout, layout
from memviz.io import images, user_config
from memviz.io.paths import demo, expand

if TYPE_CHECKING:
    from PIL import Image


def bundled() -> dict[str, Path]:
    """The names of corpora that come with memviz."""
    return {"demo-10k": demo() / "corpus"}


def known() -> dict[str, Path]:
    """Names and their places: the bundled ones and the user's own."""
    own = {name: expand(place) for name, place in user_config.names("corpora").items()}
    return own | bundled()


def load(name_or_path: str | Path) -> Corpus:
    """Open a corpus: its captions now, its pictures when asked for."""
    text = str(name_or_path).strip()
    named = known()
    if text in named:
        return Corpus(text, layout(named[text]), named[text])
    if not text:
        raise CorpusError(f"No corpus was given. Choose {', '.join(named)}, or give a folder.")
    place = expand(text)
    rows = layout(place)  # first: of a link to itself no name can be had
    return Corpus(place.resolve().name, rows, place)


class Corpus:
    """Pictures and captions; `ids` are what matches refer to and need not be consecutive."""

    def __init__(self, name: str, rows: Layout, place: str | Path = "") -> None:
        self.name, self.place = name, place
        self._rows = rows
        self.ids = rows.ids
        self.captions = rows.captions  # in the order of `ids`
        self._row = {id: row for row, id in enumerate(self.ids)}
        if len(self._row) != len(self.ids):
            raise CorpusError(f"{name} has an id twice. Give each picture an id of its own.")

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def hash(self) -> str:
        """Identifies the set, whatever folder it lies in."""
        return self._rows.hash()

    def image(self, id: int) -> Image.Image:
        """One picture, RGB and upright."""
        try:
            return images.decode(self.encoded(id))[0]
        except CorpusError:
            raise
        except ValueError as error:
            where = self.where(id)
            raise CorpusError(f"{where} is not a picture that can be read: {error}.") from error

    def encoded(self, id: int) -> bytes:
        """One picture as its file has it. Raises CorpusError where there is none."""
        row = self._find(id)
        try:
            return self._rows.read(row)
        except OSError as error:
            raise CorpusError(
                f"{self._rows.where(row)} cannot be read: {error.strerror}."
            ) from error

    def copy(self, id: int, stem: Path) -> Path:
        """Put one picture beside others of a result, as it is stored where any browser shows that.

        Else as a PNG; returns the file, `stem` with its suffix.
        """
        data = self.encoded(id)
        kind = images.plain(data)
        file = stem.with_name(f"{stem.name}.{kind or 'png'}")
        if kind:
            file.write_bytes(data)
        else:
            self.image(id).save(file)
        return file

    def where(self, id: int) -> str:
        """The place of one picture: a path, or a file and what to look for in it."""
        return self._rows.where(self._find(id))

    def caption(self, id: int) -> str:
        """One caption; empty if the picture has none."""
        return self._rows.captions[self._find(id)]

    def other_captions(self, id: int) -> list[str]:
        """Further captions of one picture, which LAION-10k has."""
        return self._rows.others(self._find(id))

    def column(self, name: str) -> list[Any]:
        """A further column of the table (`style`, `copies` of the demo), in the order of `ids`."""
        return self._rows.column(name)

    def times(self, id: int) -> int:
        """How often training shows one picture: its `copies` where the table has them, else 1."""
        return self._times[self._find(id)] if self._times else 1

    @cached_property
    def _times(self) -> list[int]:
        """By row; empty where the table says nothing."""
        try:
            return [max(1, int(value or 1)) for value in self._rows.column("copies")]
        except (CorpusError, TypeError, ValueError):
            return []

    def some(self, ids: list[int]) -> Corpus:
        """A part of the set; its pictures keep their ids and its hash stays that of the whole."""
        part = copy(self)
        part.ids, part.captions = ids, [self.caption(id) for id in ids]
        return part

    def batches(self, size: int) -> Iterator[tuple[list[int], list[Image.Image]]]:
        """All pictures in order, at most `size` at a time."""
        for start in range(0, len(self), size):
            ids = self.ids[start : start + size]
            yield ids, [self.image(id) for id in ids]

    def _find(self, id: int) -> int:
        try:
            return self._row[int(id)]
        except KeyError:
            raise CorpusError(f"{self.name} has no picture {id}; it has {len(self)}.") from None

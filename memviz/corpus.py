"""Captioned training pictures with stable ids, read one at a time: pixels are never all held.

A corpus is a folder of pictures (a .txt beside each, or metadata.csv), a parquet file or a folder
of them, LAION-10k as DCR published it, or a name from `NAMED`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.corpus_layouts import CorpusError as CorpusError
from memviz.corpus_layouts import Layout, layout

if TYPE_CHECKING:
    from PIL import Image

DEMO = Path(__file__).resolve().parent.parent / "assets" / "demo" / "corpus"
NAMED = {"demo-10k": DEMO}


def load(name_or_path: str | Path) -> Corpus:
    """Open a corpus: its captions now, its pictures when asked for."""
    text = str(name_or_path).strip()
    if text in NAMED:
        return Corpus(text, layout(NAMED[text]))
    if not text:
        raise CorpusError(f"No corpus was given. Choose {', '.join(NAMED)}, or give a folder.")
    place = Path(text).expanduser()
    return Corpus(place.resolve().name, layout(place))


class Corpus:
    """Pictures and captions; `ids` are what matches refer to and need not be consecutive."""

    def __init__(self, name: str, rows: Layout) -> None:
        self.name = name
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
        """One picture, RGB."""
        row = self._find(id)
        return _decode(self._rows.read(row), self._rows.where(row))

    def caption(self, id: int) -> str:
        """One caption; empty if the picture has none."""
        return self.captions[self._find(id)]

    def column(self, name: str) -> list[Any]:
        """A further column of the table (`style`, `copies` of the demo), in the order of `ids`."""
        return self._rows.column(name)

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


def _decode(data: bytes, where: str) -> Image.Image:
    from PIL import Image

    try:
        return Image.open(io.BytesIO(data)).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise CorpusError(f"{where} is not a picture that can be read: {error}.") from error

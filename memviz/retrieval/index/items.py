"""What an index knows of its pictures beside their vectors: one parquet row each, bad ones too."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from memviz.errors import MemvizError
from memviz.io import images
from memviz.io.read import guard_format

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from memviz.data.corpus import Corpus
    from memviz.retrieval.descriptors.preprocess import Preprocess

SIDE = 128  # pixels, the longer side of a thumbnail
QUALITY = 85  # JPEG
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("place", pa.string()),
        ("caption", pa.string()),
        ("other_captions", pa.list_(pa.string())),
        ("digest", pa.binary(16)),  # of the encoded picture; null where there is none
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("note", pa.string()),  # what was done to it: "turned upright as its EXIF says"
        ("problem", pa.string()),  # why it cannot be read; such a row has no vector
        ("thumbnail", pa.binary()),
    ]
)


@dataclass(frozen=True)
class Item:
    """One picture on its way into an index."""

    row: dict[str, Any]  # of SCHEMA
    pixels: torch.Tensor | None  # as the network reads them; None where the vector is known

    @property
    def readable(self) -> bool:
        """Whether it gets a vector."""
        return not self.row["problem"]


def read(corpus: Corpus, id: int, prepare: Preprocess, known: Iterable[bytes] = ()) -> Item:
    """Read one picture, whatever state it is in; one whose digest is `known` is not prepared."""
    texts = {"caption": corpus.caption(id), "other_captions": corpus.other_captions(id)}
    row = {"id": id, "place": corpus.where(id), "note": "", "problem": ""} | texts
    try:
        data = corpus.encoded(id)
        row["digest"] = hashlib.blake2b(data, digest_size=16).digest()
        image, row["note"] = images.decode(data)
    except MemvizError as error:
        return Item(row | {"problem": " ".join(str(error).split())}, None)
    row |= {"width": image.width, "height": image.height, "thumbnail": thumbnail(image)}
    return Item(row, None if row["digest"] in known else prepare.pixels(image))


def thumbnail(image: Image.Image, side: int = SIDE) -> bytes:
    """A small JPEG."""
    small, buffer = image.copy(), io.BytesIO()
    small.thumbnail((side, side))
    small.save(buffer, "jpeg", quality=QUALITY)
    return buffer.getvalue()


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a table."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)


class Items:
    """The items of a saved index; pictures are read a row group at a time."""

    def __init__(self, file: Path) -> None:
        self.path = file
        with guard_format(file, "a table of items"):
            self._file = pq.ParquetFile(file)

    def columns(self, *names: str) -> pa.Table:
        """Some columns of all rows."""
        with guard_format(self.path, "a table of items"):
            return self._file.read(list(names))

    def thumbnail(self, id: int) -> bytes | None:
        """The small JPEG of one picture; None where it could not be read."""
        with guard_format(self.path, "a table of items"):
            group = self._group[self._row[int(id)]]
            found = self._file.read_row_group(int(group), ["id", "thumbnail"])
            row = found["id"].to_pylist().index(int(id))
            return found["thumbnail"][row].as_py()

    @cached_property
    def _row(self) -> dict[int, int]:
        return {int(id): row for row, id in enumerate(self.columns("id")["id"].to_numpy())}

    @cached_property
    def _group(self) -> list[int]:
        meta = self._file.metadata
        return [g for g in range(meta.num_row_groups) for _ in range(meta.row_group(g).num_rows)]

"""A search is a folder: what was asked, every match, the pairs most alike, a report to open.

`summary.json` counts, DCR's figures, thresholds, provenance and the shown pairs; `matches.parquet`
every match of every picture; `pairs/` the pictures of the pairs; `report.html` on its own.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from memviz import __version__
from memviz.data.caption_overlap import shared
from memviz.errors import InputError
from memviz.io import atomic, ids
from memviz.io.paths import home
from memviz.retrieval.dcr_statistics import statistics
from memviz.retrieval.index.items import thumbnail
from memviz.search.matching import Finding, count_seeds, match_pictures
from memviz.search.thresholds import ThresholdChoice, marks

if TYPE_CHECKING:
    from PIL import Image

    from memviz.data.corpus import Corpus
    from memviz.retrieval.copy_detector import CopyDetector

SHOWN = 500  # pairs kept as pictures: those most alike
SIDE = 384  # pixels, the longer side of such a picture
FEW = 12  # pairs up to which more matches are kept as pictures than the first
DEEP = 10  # such matches of each
BINS = 50  # of the histogram, over similarities 0 to 1
COLUMNS = ("number", "picture", "prompt", "verdict", "kind", "blank", "problem")


@dataclass(frozen=True)
class SearchRequest:
    """A search: what is looked up where, and how it is judged."""

    detector: CopyDetector
    pictures: Corpus
    threshold: str = "preset"
    top: int = 10
    every: bool = False  # all matches at or above the threshold, not only the `top` nearest
    note: str = ""  # what the reader should know of the pictures

    @property
    def within(self) -> bool:
        """Whether training images are compared with the others."""
        return self.pictures.hash == self.detector.corpus.hash

    def marks(self) -> ThresholdChoice:
        """The thresholds in use."""
        detector = self.detector
        preset, null = detector.descriptor.preset, detector.index.background
        return marks(self.threshold, preset, null, detector.duplicate)


def root() -> Path:
    """Where searches are kept: $MEMVIZ_HOME/searches."""
    return home() / "searches"


def new_folder() -> Path:
    """A folder for one search, not to be guessed."""
    return root() / ids.new_id()


def kept(search_id: str) -> Path:
    """The folder of a finished search. Raises ValueError if no such search is kept."""
    folder = root() / search_id if ids.ID.fullmatch(search_id or "") else None
    if folder is None or not (folder / "summary.json").is_file():
        raise InputError(
            "There is no search at this address: it was removed, or made on another machine."
        )
    return folder


def search(asked: SearchRequest, folder: Path) -> Iterator[tuple[int, int]]:
    """Look everything up and write the folder; yields pictures so far and in all."""
    start, used = time.perf_counter(), asked.marks()
    (folder / "pairs").mkdir(parents=True, exist_ok=True)
    found: list[Finding] = []
    detector = asked.detector.with_thresholds(used.used)
    for some in match_pictures(detector, asked.pictures, asked.top, asked.every):
        for one, image in some:
            found.append(one)
            if image is not None:
                _keep(image, folder / _own(one))
        yield len(found), len(asked.pictures)
    found = count_seeds(found)
    with atomic.written(folder / "matches.parquet") as part:
        pq.write_table(matches(found), part)
    shown = _shown(asked, found, folder)
    told = {"kind": "pairs"} | summary(asked, used, found) | {"pairs": shown}
    told["seconds"] = round(time.perf_counter() - start, 2)
    write(folder / "summary.json", told)
    from memviz.search.report import page

    atomic.text(folder / "report.html", page(told, folder))


def matches(found: list[Finding]) -> pa.Table:
    """A row per picture and match; a picture without any has one row."""
    rows = []
    for one in found:
        about = {
            "number": one.number,
            "picture": one.picture,
            "prompt": one.prompt,
            "verdict": one.verdict.word,
            "kind": one.verdict.kind,
            "blank": one.blank,
            "problem": one.problem,
        }
        rows += [
            about | {"rank": rank} | vars(match) for rank, match in enumerate(one.matches, 1)
        ] or [about]
    schema = [(name, pa.int64() if name == "number" else pa.string()) for name in COLUMNS]
    schema += [("rank", pa.int32()), ("id", pa.int64()), ("path", pa.string())]
    schema += [("caption", pa.string()), ("similarity", pa.float32())]
    return pa.Table.from_pylist(rows, schema=pa.schema(schema))


def summary(asked: SearchRequest, used: ThresholdChoice, found: list[Finding]) -> dict[str, Any]:
    """Counts, figures, thresholds and what every similarity is worth."""
    detector, null = asked.detector, asked.detector.index.background
    top = np.array([one.similarity for one in found], np.float64)
    return {
        "schema": 1,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "pictures": len(found),
        "all_above": asked.every,
        "within": asked.within,
        "note": asked.note,
        "counts": dict(Counter(one.verdict.kind for one in found)),
        "too_empty": sum(bool(one.blank) for one in found),
        "unreadable": [
            {"picture": one.picture, "problem": one.problem} for one in found if one.problem
        ],
        "statistics": statistics(top, null),
        "thresholds": used.to_json(),
        "histogram": {"pictures": bins(top), "background": bins(null)},
        "provenance": provenance(detector) | {"searched": asked.pictures.name},
    }


def provenance(detector: CopyDetector) -> dict[str, Any]:
    """Corpus, descriptor and index: a similarity means nothing without them."""
    preset, told = detector.descriptor.preset, detector.index.manifest
    return {
        "corpus": {
            "name": detector.corpus.name,
            "hash": told.corpus_hash,
            "images": len(detector.index),
        },
        "descriptor": {
            "preset": preset.name,
            "hash": detector.descriptor.hash,
            "dims": preset.dims,
            "note": detector.misfit,
        },
        "preprocess": vars(preset.preprocess),
        "index": {"recipe": told.recipe, "created": told.created, "versions": told.versions},
        "memviz": __version__,
    }


def bins(values: np.ndarray) -> list[int]:
    """How many values fall into each of BINS equal parts of 0 to 1; below 0 counts as 0."""
    finite = values[np.isfinite(values)]
    return np.histogram(finite.clip(0, 1), bins=BINS, range=(0, 1))[0].tolist()


def _shown(asked: SearchRequest, found: list[Finding], folder: Path) -> list[dict[str, Any]]:
    """The pairs most alike, with their pictures in the folder; other pictures are let go."""
    order = sorted((one for one in found if one.matches), key=lambda one: -one.similarity)
    for one in order[SHOWN:]:
        (folder / _own(one)).unlink(missing_ok=True)
    deep = len(order) <= FEW
    return [_pair(asked.detector, one, folder, deep) for one in order[:SHOWN]]


def _pair(detector: CopyDetector, one: Finding, folder: Path, deep: bool) -> dict[str, Any]:
    """A pair as the report and the app show it."""
    kept = one.matches[: DEEP if deep else 1]
    theirs = [train_picture(detector, match.id, folder) for match in kept]
    told = one.to_json() | {"number": one.number, "yours": _own(one), "theirs": theirs[0]}
    told["matches"] = [m | {"picture": f} for m, f in zip_longest(told["matches"], theirs)]
    return told | {"shared": shared(one.prompt, one.matches[0].caption)}


def train_picture(detector: CopyDetector, id: int, folder: Path) -> str:
    """A training picture in the folder of a search, and its name there."""
    name = f"pairs/train-{id}.jpg"
    if not (folder / name).exists():
        _keep(detector.corpus.image(id), folder / name)
    return name


def _own(one: Finding) -> str:
    return f"pairs/{one.number}.jpg"


def _keep(image: Image.Image, file: Path) -> None:
    file.write_bytes(thumbnail(image, SIDE))


def write(file: Path, value: dict[str, Any]) -> None:
    """NaN is no JSON: a figure that does not exist is null."""
    atomic.json(file, _plain(value))


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if not np.isfinite(value):
            return None
    return value

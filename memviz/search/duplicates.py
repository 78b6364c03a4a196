"""Groups of pictures that are nearly the same within the training data, before any training."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from memviz.io.read import DamagedFile, read_record
from memviz.search.folder import provenance, train_picture, write

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.retrieval.copy_detector import CopyDetector

GROUPS = 200  # shown, largest first
MEMBERS = 6  # shown of each


@dataclass(frozen=True)
class Duplicates:
    """Groups of ids, and the similarity from which any two of a group are."""

    groups: list[list[int]]
    least: float


def find_duplicates(detector: CopyDetector, kept: Path) -> Duplicates:
    """As the index in the folder `kept` has them, else found now."""
    known = detector.index.manifest.duplicate
    if known is not None:
        with suppress(FileNotFoundError, DamagedFile):
            return Duplicates(read_record(kept / "duplicates.json", list[list[int]]), known)
    from memviz.retrieval.index.assemble import compare_within

    with tempfile.TemporaryDirectory() as aside:
        place = Path(aside)
        _, least = compare_within(detector.index, place, detector.descriptor.preset.duplicate)
        return Duplicates(read_record(place / "duplicates.json", list[list[int]]), least)


def add_repeats(found: list[list[int]], corpus: Corpus) -> list[tuple[int, list[int]]]:
    """Groups, and pictures that the corpus says are shown more than once: times shown and ids.

    Those shown most come first.
    """
    grouped = {id for group in found for id in group}
    alone = [[id] for id in corpus.ids if id not in grouped and corpus.times(id) > 1]
    counted = [(sum(map(corpus.times, group)), group) for group in [*found, *alone]]
    return sorted(counted, key=lambda pair: (-pair[0], pair[1][0]))


def report(detector: CopyDetector, kept: Path, folder: Path) -> None:
    """A folder as a search leaves it, whose summary has groups in place of pairs."""
    (folder / "pairs").mkdir(parents=True, exist_ok=True)
    found = find_duplicates(detector, kept)
    counted = add_repeats(found.groups, detector.corpus)
    write(
        folder / "summary.json",
        {
            "kind": "groups",
            "schema": 1,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "least": found.least,
            "groups": len(counted),
            "images": sum(len(group) for _, group in counted),
            "times": sum(times for times, _ in counted),
            "shown": [_group(detector, *one, folder) for one in counted[:GROUPS]],
            "provenance": provenance(detector),
        },
    )


def _group(detector: CopyDetector, times: int, ids: list[int], folder: Path) -> dict[str, object]:
    members = [
        {
            "id": id,
            "caption": detector.corpus.caption(id),
            "picture": train_picture(detector, id, folder),
            "times": detector.corpus.times(id),
        }
        for id in ids[:MEMBERS]
    ]
    return {"count": times, "members": members}

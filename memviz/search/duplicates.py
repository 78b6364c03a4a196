"""Groups of pictures that are nearly the same within the training data, before any training."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from memviz.retrieval.index.background import DUPLICATE
from memviz.search.folder import provenance, train_picture, write

if TYPE_CHECKING:
    from memviz.retrieval.copy_detector import CopyDetector

GROUPS = 200  # shown, largest first
MEMBERS = 6  # shown of each


def groups(detector: CopyDetector, kept: Path) -> list[list[int]]:
    """Ids that belong together, largest group first; `kept` is the folder of the index."""
    if (kept / "duplicates.json").is_file():
        return json.loads((kept / "duplicates.json").read_text())
    from memviz.retrieval.index.assemble import compare_within

    with tempfile.TemporaryDirectory() as place:
        compare_within(detector.index, Path(place))
        return json.loads((Path(place) / "duplicates.json").read_text())


def report(detector: CopyDetector, kept: Path, folder: Path) -> None:
    """A folder as a search leaves it, whose summary has groups in place of pairs."""
    (folder / "pairs").mkdir(parents=True, exist_ok=True)
    found = groups(detector, kept)
    write(
        folder / "summary.json",
        {
            "kind": "groups",
            "schema": 1,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "least": DUPLICATE,
            "groups": len(found),
            "images": sum(map(len, found)),
            "shown": [_group(detector, ids, folder) for ids in found[:GROUPS]],
            "provenance": provenance(detector),
        },
    )


def _group(detector: CopyDetector, ids: list[int], folder: Path) -> dict[str, object]:
    members = [
        {
            "id": id,
            "caption": detector.corpus.caption(id),
            "picture": train_picture(detector, id, folder),
        }
        for id in ids[:MEMBERS]
    ]
    return {"count": len(ids), "members": members}

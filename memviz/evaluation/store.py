"""Evaluations that were kept: a folder each, with its table and its pictures.

Those that the app begins stand in $MEMVIZ_HOME/evaluations, under names that cannot be guessed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memviz.errors import InputError
from memviz.io.ids import ID
from memviz.io.paths import home
from memviz.io.read import DamagedFile, Shape, read_json

ESTIMATE: Shape = ({"mean": float, "low": (float, None), "high": (float, None)}, None)
ROW: Shape = {"method": str, "label": str, "pictures": int, "values": dict, "published": list}
SHAPE: Shape = {"state": str, "created": str, "protocol": dict, "columns": [str], "rows": [ROW]}


@dataclass(frozen=True)
class SavedEvaluation:
    """A folder and what its `evaluation.json` says."""

    folder: Path
    result: dict[str, Any]

    @property
    def id(self) -> str:
        """Its name."""
        return self.folder.name


def root() -> Path:
    """Where the app keeps them."""
    return home() / "evaluations"


def find_evaluation(name: str) -> Path:
    """The folder of one that the app began. Raises InputError where there is none."""
    folder = root() / name
    if not ID.fullmatch(name) or not folder.is_dir():
        raise InputError("This evaluation is not here any more. Choose another.")
    return folder


def list_evaluations() -> list[Path]:
    """Their folders, the newest first."""
    found = root().iterdir() if root().is_dir() else ()
    return sorted((f for f in found if ID.fullmatch(f.name) and f.is_dir()), reverse=True)


def read_evaluation(folder: Path) -> SavedEvaluation | None:
    """What is known so far; None before the first row is begun. Raises DamagedFile."""
    try:
        result = read_json(folder / "evaluation.json", SHAPE)
    except FileNotFoundError:
        return None
    from memviz.evaluation.columns import COLUMNS

    if unknown := [name for name in result["columns"] if name not in COLUMNS]:
        raise DamagedFile(f"{folder} has a column {unknown[0]!r}, which is not known here.")
    return SavedEvaluation(folder, result)

"""The single pictures behind a row of an evaluation: what each shows and what it is nearest to."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from memviz.io import atomic
from memviz.io.read import read_json

if TYPE_CHECKING:
    from memviz.evaluation.measure import Measured
    from memviz.evaluation.pictures import Pictures

SHAPE = {"file": str, "prompt": str, "seed?": (int, None), "sim?": (float, None),
         "nearest?": (int, None), "clipscore?": (float, None)}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One picture; what was not measured is None."""

    file: str  # from the folder of the evaluation, or absolute where it lies elsewhere
    prompt: str
    seed: int | None = None
    sim: float | None = None  # to the nearest training picture
    nearest: int | None = None  # its id
    clipscore: float | None = None


def write_cells(pictures: "Pictures", measured: "Measured", file: Path) -> None:
    """Keep them beside the table, in the order of the pictures."""
    columns: dict[str, list[int | float | None]] = {}
    for name in ("seed", "sim", "nearest", "clipscore"):
        if (values := measured.pictures.get(name)) is not None:
            whole = name in ("seed", "nearest")
            columns[name] = [(int(v) if whole else round(float(v), 4)) if np.isfinite(v) else None
                             for v in values]  # fmt: skip
    root = file.parent.parent.resolve()
    rows = [
        {"file": name_file(path, root), "prompt": prompt}
        | {name: values[i] for name, values in columns.items()}
        for i, (path, prompt) in enumerate(zip(pictures.files, pictures.prompts, strict=True))
    ]
    atomic.json(file, rows, indent=None)


def name_file(path: Path, root: Path) -> str:
    """A path from the evaluation's folder where it lies in it."""
    found = path.resolve()
    return os.fspath(found.relative_to(root) if found.is_relative_to(root) else found)


def read_cells(folder: Path, row: Mapping[str, Any]) -> list[Cell]:
    """The pictures of a row, the most alike to a training picture first.

    Raises DamagedFile, or FileNotFoundError for an evaluation whose pictures were not kept.
    """
    file = (folder / str(row.get("cells", ""))).resolve()
    if not file.is_relative_to((folder / "cells").resolve()):
        raise FileNotFoundError(file)
    names = [each.name for each in fields(Cell)]
    found = [Cell(**{name: one[name] for name in names if name in one})
             for one in read_json(file, [SHAPE])]  # fmt: skip
    return sorted(found, key=lambda cell: -(-2.0 if cell.sim is None else cell.sim))

"""A run in few words: what the command line prints of it and the endpoints of the page answer."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memviz.runs.record import CellRecord
    from memviz.runs.store import Run

RUN = {"model", "corpus", "descriptor", "clip", "noise_hash", "unet_evaluations", "seconds"}
CELL = {
    *("prompt", "method", "seed", "similarity", "verdict", "kind", "prompt_signal", "spec"),
    *("transition_step", "transition_timestep", "alignment"),
}


def locate(path: Path) -> str:
    """The full path of a file."""
    return str(path.resolve())


def summarize_run(run: "Run", place: Callable[[Path], str] = locate) -> dict[str, Any]:
    """What was asked and found, cell by cell, as JSON; `place` says where a picture lies."""
    record = run.record
    return {
        "run": record.id,
        "steps": record.request.steps,
        "scheduler": record.request.scheduler,
        "spacing": record.request.spacing,
        "size": record.request.size,
        **record.model_dump(mode="json", include=RUN),
        "cells": [summarize_cell(run.folder, cell, place) for cell in record.cells],
    }


def summarize_cell(
    folder: Path, cell: "CellRecord", place: Callable[[Path], str] = locate
) -> dict[str, Any]:
    """One cell of the run in a folder."""
    return {
        **cell.model_dump(mode="json", include=CELL),
        "match": cell.match and cell.match.model_dump(include={"id", "caption"}),
        "image": cell.image and place(folder / cell.image),
    }

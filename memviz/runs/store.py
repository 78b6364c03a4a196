"""A run is a folder that a person can open, and all that the app needs to show it again.

`run.json` what was asked and what came out; `trace.parquet` the signals; `images/` the pictures,
each with its parameters inside; `steps/` one sheet of x0 estimates per cell; `matches/` the
training pictures found. Nothing here needs a model, a GPU or torch.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from memviz.errors import MemvizError
from memviz.io import atomic
from memviz.io.ids import ID
from memviz.io.paths import demo, home
from memviz.io.process import PROCESS, alive, identity
from memviz.io.read import find_mismatch, read_json
from memviz.runs import tables
from memviz.runs import trace as runs_trace
from memviz.runs.record import CellState, RunRecord

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go  # pyright: ignore[reportMissingTypeStubs]
    from PIL import Image


class RunError(MemvizError):
    """A run that is not there or cannot be read: one sentence."""


@dataclass(frozen=True)
class Run:
    """A run: its folder, what run.json says, and its trace."""

    folder: Path
    record: RunRecord
    rows: pa.Table | None = None  # of a run in progress; else they are read from the folder

    def table(self) -> pa.Table:
        """One row per cell and step so far, as `trace.SCHEMA` has them."""
        if self.rows is not None:
            return self.rows
        path = self.folder / "trace.parquet"
        return runs_trace.load(path) if path.exists() else runs_trace.SCHEMA.empty_table()

    @property
    def results(self) -> "pd.DataFrame":
        """One row per cell: prompt, method, seed, and what was found out about its picture."""
        return tables.tabulate_cells(self.record)

    @property
    def trace(self) -> "pd.DataFrame":
        """One row per cell and step: prompt, method, seed, timestep, scale and every signal."""
        return tables.tabulate_steps(self.record, self.table())

    def image(self, cell: int) -> "Image.Image":
        """The picture of a cell. Raises RunError if it has none."""
        from PIL import Image

        path = self.record.cells[cell].image if 0 <= cell < len(self.record.cells) else None
        if not path:
            raise RunError(f"Run {self.record.id} has no picture of cell {cell}.")
        return Image.open(self.folder / path)

    def figure(self, signal: str = "magnitude") -> "go.Figure":
        """A signal of every cell by timestep, as a plotly figure with the band of ordinary prompts.

        Raises InputError for a signal that the run did not record.
        """
        from memviz.runs.figure import draw_signal

        return draw_signal(self.record, self.trace, signal)

    def _repr_html_(self) -> str:
        """The pictures with their verdicts, for a notebook."""
        from memviz.runs.display import render_run

        return render_run(self)

    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


def root() -> Path:
    """Where runs are kept: $MEMVIZ_HOME/runs."""
    return home() / "runs"


def bundled_roots() -> list[Path]:
    """Folders of finished runs that come with memviz."""
    return [demo() / "runs"]


def create(folder: Path, record: RunRecord) -> Run:
    """Make the folder of a run and write what is known of it."""
    for name in ("images", "steps", "matches"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return write(Run(folder, record.model_copy(update={"process": identity(os.getpid())})))


def write(run: Run) -> Run:
    """Put run.json (and the trace of a run in progress) in place of the old one."""
    if run.rows is not None:
        runs_trace.save(run.rows, run.folder / "trace.parquet")
    atomic.json(run.folder / "run.json", run.record.to_json(), durable=True)
    return run


def read(run_id: str) -> Run:
    """The run of this id. Raises RunError if the id is malformed or no such run is kept."""
    if not ID.fullmatch(run_id or ""):
        raise RunError(
            f"{run_id!r} is not a run id; one looks like 20260102-030405-0123456789abcdef."
        )
    for place in (root(), *bundled_roots()):
        if (place / run_id / "run.json").is_file():
            return open_folder(place / run_id)
    raise RunError(f"No run {run_id} is kept in {root()}. List runs with `python -m memviz runs`.")


def own(run_id: str) -> Run:
    """A run of the user's that is over; RunError for one that is bundled or may be in progress."""
    run = read(run_id)
    if run.folder.parent != root():
        raise RunError(f"Run {run_id} comes with memviz and stays. Name one of your own.")
    if run.record.state is CellState.RUNNING:
        raise RunError(f"Run {run_id} is in progress. Stop it first.")
    return run


def open_folder(folder: Path) -> Run:
    """The run in a folder, wherever it lies."""
    file = folder / "run.json"
    try:
        record = read_record(file, file.stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        raise RunError(f"{folder} holds no readable run.json ({error}). Give a run.") from None
    return Run(folder, mark_broken(record))


@lru_cache(maxsize=512)
def read_record(file: Path, changed: int) -> RunRecord:
    """What a run.json says; one that did not change is not read again: lists open many."""
    return RunRecord.from_json(read_json(file))


def mark_broken(record: RunRecord) -> RunRecord:
    """The record, broken off where it says "running" and the process that makes it is gone."""
    known = None if find_mismatch(record.process, PROCESS) else record.process
    if record.state is not CellState.RUNNING or alive(known):
        return record
    broken = {"state": CellState.BROKEN}
    cells = tuple(
        cell.model_copy(update=broken) if cell.state is CellState.RUNNING else cell
        for cell in record.cells
    )
    return record.model_copy(update=broken | {"cells": cells})


@dataclass(frozen=True)
class DamagedRun:
    """A run's folder whose record cannot be read; it can only be removed."""

    folder: Path
    reason: str


def entries(place: Path) -> Iterator[Run | DamagedRun]:
    """Everything in a folder of runs that has a run's name, newest first."""
    for folder in sorted(place.glob("*-*"), reverse=True):
        if ID.fullmatch(folder.name):
            try:
                yield open_folder(folder)
            except RunError as error:
                yield DamagedRun(folder, str(error))


def kept(place: Path) -> Iterator[Run]:
    """The readable runs in a folder of runs, newest first."""
    return (run for run in entries(place) if isinstance(run, Run))


def damaged() -> list[DamagedRun]:
    """The user's own that cannot be read, newest first."""
    return [run for run in entries(root()) if isinstance(run, DamagedRun)]


def listed() -> list[Run]:
    """The user's own runs, newest first."""
    return list(kept(root()))


def bundled() -> list[Run]:
    """The finished runs that come with memviz, in their intended order."""
    found = [run for place in bundled_roots() for run in kept(place)]
    return sorted(found, key=lambda run: run.record.id)

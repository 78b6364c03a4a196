"""A comparison under way as browsers follow it: a whole view at first, then what steps added.

A message costs what changed since the one before, however many cells and steps there are: a cell
whose method did not switch adds one number a curve, and equal pictures are sent once.
"""

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from memviz.runs.record import CellRecord
from memviz.runs.store import Run
from memviz.ui.compare import view as compare_view
from memviz.ui.shared.encode import data_uri
from memviz.ui.shared.live import View
from memviz.ui.shared.messages import time_left

if TYPE_CHECKING:
    from memviz.comparison.recorder import StepView

Told = tuple[object, ...]  # what of a cell's record may change from step to step


class LiveView:
    """What one comparison told so far: `add` between its steps, read by all who watch."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.head: View = {}  # the first view, without its cells
        self.step = 0  # done so far
        self.cells: list[View] = []  # without curves and pictures
        self.told: list[Told] = []  # of each cell, as it is in `cells`
        self.changed: list[int] = []  # the step at which each cell's entry was new
        self.traces: list[dict[str, list[Any]]] = []
        self.pictures: list[str | None] = []  # the newest, each once
        self.shown: list[int] = []  # which of them each cell shows

    def __getstate__(self) -> dict[str, Any]:
        """Without the lock: where a GPU is lent, views come from another process."""
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, lock=Lock())

    def add(self, progress: "StepView") -> View:
        """Take in what the steps since the last call told; a small view that others ask through."""
        run = progress.snapshot()
        with self.lock:
            if not self.cells:
                self.start(run)
            self.add_steps(run, progress.step)
            self.add_pictures(progress.tiles)
        return {"id": run.record.id, "source": self}

    def start(self, run: Run) -> None:
        """What stays as it is, and a place for each cell."""
        count = len(run.record.cells)
        self.head = compare_view.view(run, live=True) | {"cells": []}
        self.cells, self.changed = [{} for _ in range(count)], [0] * count
        self.told = [()] * count
        self.traces = [compare_view.empty() for _ in range(count)]

    def add_steps(self, run: Run, step: int) -> None:
        """The new rows of the trace, and the cells of which something else is new."""
        cells, table = run.record.cells, run.table()
        for number, curves in compare_view.traces(table.slice(self.step * len(cells))).items():
            for name, values in curves.items():
                self.traces[number][name] += values
        for number, cell in enumerate(cells):
            if (told := note_changes(cell)) != self.told[number]:
                self.told[number], self.changed[number] = told, step
                known = compare_view.cell_view(cell, {}, None, over=False)
                self.cells[number] = {
                    k: v for k, v in known.items() if k not in ("trace", "preview")
                }
        self.step = step
        left = time_left(run.record.seconds, step, len(run.record.timesteps))
        self.head["result"] = f"{compare_view.headline(run.record, step, live=True)}{left}"

    def add_pictures(self, tiles: tuple[np.ndarray, ...]) -> None:
        """The newest x0 estimates; cells whose sample is the same share one array."""
        places: dict[int, int] = {}
        self.shown = [places.setdefault(id(tile), len(places)) for tile in tiles]
        distinct = {id(tile): tile for tile in tiles}
        self.pictures = [data_uri(Image.fromarray(tile)) for tile in distinct.values()]

    def whole(self) -> View:
        """All that is known, for a page that has nothing of it yet."""
        with self.lock:
            cells = [
                {**cell, "trace": {name: [*values] for name, values in trace.items()},
                 "preview": self.pictures[picture]}
                for cell, trace, picture in zip(self.cells, self.traces, self.shown, strict=True)
            ]  # fmt: skip
            return {**self.head, "step": self.step, "cells": cells}

    def since(self, step: int) -> View:
        """What a page has to add that knows the first `step` steps."""
        with self.lock:
            names = self.traces[0] if self.traces else ()
            return {
                "id": self.head["id"],
                "from": step,
                "step": self.step,
                "result": self.head["result"],
                "added": {name: [t[name][step:] for t in self.traces] for name in names},
                "changed": [
                    cell for cell, new in zip(self.cells, self.changed, strict=True) if new > step
                ],
                "pictures": self.pictures,
                "shown": self.shown,
            }


def note_changes(cell: CellRecord) -> Told:
    """What of a cell may change while it is made, and is shown."""
    return (cell.state, cell.transition_step, cell.transition_kind, cell.prompt_read)

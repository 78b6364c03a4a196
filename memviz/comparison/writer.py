"""The folder of a run while it is made: started, brought up to date, and left finished."""

# The stubs of pyarrow leave these half typed.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
from PIL import Image, PngImagePlugin

from memviz.comparison.cell import CellSpec
from memviz.comparison.plan import Plan
from memviz.comparison.recorder import StepView, TraceRecorder
from memviz.io.images import png_parameters
from memviz.runs import resume, store
from memviz.runs.record import (
    CellFiles,
    CellRecord,
    CellResult,
    CellState,
    Record,
    RunRecord,
)
from memviz.runs.sheet import mask_picture, sheet


class RunWriter:
    """Writes one run; `record` is what run.json says before the first step."""

    def __init__(self, plan: Plan, record: RunRecord, folder: Path) -> None:
        self.plan, self.record, self.folder = plan, record, folder

    def start(self) -> None:
        """Make the folder."""
        store.create(self.folder, self.record)

    def snapshot(self, recorder: TraceRecorder, count: int) -> store.Run:
        """The run as it stood after its first `count` steps; nothing is written."""
        cells = [
            cell_record(known, recorder.progress(cell, count))
            for cell, known in zip(self.plan.cells, self.record.cells, strict=True)
        ]
        return self.run(recorder, count, cells, recorder.table(count), CellState.RUNNING)

    def finish(
        self,
        recorder: TraceRecorder,
        images: Sequence[Image.Image],
        results: Sequence[CellResult],
    ) -> store.Run:
        """Write the finished run."""
        cells = self.write_cells(recorder, images, results, CellState.DONE)
        table = recorder.whole_table([r.match and r.match.id for r in results])
        count = len(recorder.moments)
        run = store.write(self.run(recorder, count, cells, table, CellState.DONE))
        resume.forget(self.folder)
        return run

    def stop(self, recorder: TraceRecorder, state: CellState, error: str | None = None) -> None:
        """Write what there is of a run that did not finish: the newest estimates and all steps."""
        count = len(recorder.moments)
        images = recorder.view().previews if count else []
        results = [CellResult() for _ in self.plan.cells]
        cells = [cell_record(known, state=state) for known in self.record.cells]
        if count:
            cells = self.write_cells(recorder, images, results, state)
        table = recorder.table().sort_by([("cell", "ascending"), ("step", "ascending")])
        store.write(self.run(recorder, count, cells, table, state, error))

    def run(
        self,
        recorder: TraceRecorder,
        count: int,
        cells: Sequence[CellRecord],
        table: pa.Table,
        state: CellState,
        error: str | None = None,
    ) -> store.Run:
        """The run with these cells."""
        newest = recorder.moments[count - 1] if count else None
        known = {
            "state": state,
            "error": error,
            "cells": tuple(cells),
            "unet_evaluations": newest.evaluations if newest else 0,
            "seconds": round(recorder.seconds(count, state is not CellState.RUNNING), 2),
        }
        return store.Run(self.folder, self.record.model_copy(update=known), table)

    def write_cells(
        self,
        recorder: TraceRecorder,
        images: Sequence[Image.Image],
        results: Sequence[CellResult],
        state: CellState,
    ) -> list[CellRecord]:
        """Write every cell's files."""

        def write(cell: CellSpec, image: Image.Image, result: CellResult) -> CellRecord:
            return self.write_cell(recorder, cell, image, result, state)

        with ThreadPoolExecutor() as pool:  # the encoders let go of Python's lock
            return [*pool.map(write, self.plan.cells, images, results)]

    def write_cell(
        self,
        recorder: TraceRecorder,
        cell: CellSpec,
        image: Image.Image,
        result: CellResult,
        state: CellState,
    ) -> CellRecord:
        """The picture with its parameters inside, the sheet of x0 estimates, and what was kept."""
        n, mask = cell.number, None
        if recorder.final and state is CellState.DONE:
            mask = f"steps/{n}-ending.png"
            mask_picture(recorder.final.masks[n]).save(self.folder / mask)
        kept = resume.keep_cell(self.folder, n, recorder.states) if recorder.states else 0
        files = CellFiles(
            image=f"images/{n}.png", sheet=f"steps/{n}.jpg", mask=mask, kept_bytes=kept
        )
        progress = recorder.progress(cell, len(recorder.moments))
        found = cell_record(self.record.cells[n], progress, result, files, state=state)
        image.save(self.folder / f"images/{n}.png", pnginfo=parameters(self.record, found))
        place = self.folder / f"steps/{n}.jpg"
        sheet(recorder.tiles(n)).save(place, quality=85, subsampling=0)
        return found


def cell_record(known: CellRecord, *parts: Record, **more: object) -> CellRecord:
    """A cell's record with more known of it."""
    update = {name: value for part in parts for name, value in part}
    return known.model_copy(update={**update, **more})


def parameters(run: RunRecord, cell: CellRecord) -> PngImagePlugin.PngInfo:
    """What a finished picture says of itself."""
    request = run.request
    settings = {
        "Steps": request.steps,
        "Sampler": request.scheduler,
        **({"Size": f"{request.size}x{request.size}"} if request.size else {}),
        "Method": cell.spec,
        "Seed": cell.seed,
        "Model": request.model,
    }
    about = {"run": run.id} | cell.model_dump(mode="json", by_alias=True)
    return png_parameters(cell.prompt, settings, about)


def save_snapshot(view: StepView) -> None:
    """Bring the folder of a run in progress up to date, with the newest x0 estimates."""
    run = view.snapshot()
    if run.record.state is CellState.RUNNING:
        for number, image in enumerate(view.previews):
            resume.show(run.folder, number, image)
        store.write(run)

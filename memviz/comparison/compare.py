"""The one use case behind the Compare tab and `python -m memviz compare`.

`compare(ask)` denoises all cells together, writes a run folder as it goes and yields its progress.
Stop reading and it stops within a step; what is there is kept.
"""

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from memviz import resources
from memviz.comparison import metadata, scoring
from memviz.comparison.cell import Cell, parameters
from memviz.comparison.request import ComparisonRequest
from memviz.detection import reference_bands
from memviz.errors import InputError
from memviz.guidance.model_defaults import settings
from memviz.guidance.spec import parse
from memviz.guidance.transition import Constant
from memviz.io.ids import new_id
from memviz.models import decode
from memviz.models.loading import Model, scheduler
from memviz.models.preview_decoder import decoder
from memviz.models.tokens import tokens
from memviz.retrieval.deferred import Lookups
from memviz.runs import latents, resume, store, trace
from memviz.runs.record import RunRecord
from memviz.runs.sheet import mask_picture, sheet
from memviz.sampling.loop import sample
from memviz.sampling.types import Request, ResumeState, Step
from memviz.signals.costly import FinalSignals

TILE = 128  # pixels at most of an x0 estimate on its sheet


@dataclass(frozen=True)
class Progress:
    """Where a comparison stands: the run so far, and the newest x0 estimate of each cell."""

    comparison: "Comparison"
    step: int
    steps: int

    @property
    def run(self) -> store.Run:
        """The run with all that is known now (made when asked for: few steps are looked at)."""
        return self.comparison.so_far()

    @property
    def previews(self) -> list[Image.Image | None]:
        """The newest x0 estimate of each cell."""
        return [c.newest() for c in self.comparison.cells]


def compare(
    ask: ComparisonRequest, folder: Path | None = None, resumable: bool = False
) -> Iterator[Progress]:
    """Make all cells of `ask` in `folder` (a new run of the user's by default).

    A resumable run is named by its folder and keeps every step: the same call, made again after it
    broke off, goes on from there.
    """
    run_id = folder.name if folder and resumable else new_id()
    yield from Comparison(ask, folder or store.root() / run_id, run_id, resumable).make()


class Comparison:
    """A run being made."""

    def __init__(
        self, ask: ComparisonRequest, folder: Path, run_id: str, resumable: bool = False
    ) -> None:
        self.ask, self.start, self.resumable = ask, time.perf_counter(), resumable
        self.model: Model = resources.load_model(ask.model)
        self.eye = resources.load_detector(ask.corpus, ask.descriptor) if ask.corpus else None
        self.decoder, self.decoder_note = decoder(self.model.pipe, ask.decoder)
        self.settings = settings(self.model.folder)
        self.methods = self.settings.get("methods", {})
        self.scheduler = scheduler(self.model.pipe, ask.scheduler, ask.steps)
        self.timesteps = [int(t) for t in self.scheduler.timesteps]
        self.cells = [Cell(i, *c) for i, c in enumerate(ask.cells(self.methods))]
        self.evaluations = 0
        self.lookups = Lookups(self.eye and self.eye.index)
        self.bands = self.found_bands()
        info = {
            "id": run_id,
            **metadata.asked(ask, self.model, self.methods, self.timesteps),
            **metadata.judges(self.eye, self.bands, ask.prompts),
            **metadata.sheets(self.model, TILE),
            "decoder_note": self.decoder_note,
            "cells": [c.to_json() for c in self.cells],
        }
        # before the folder is made: a refusal leaves none behind
        self.before = self.kept_steps(info) if ask.since else None
        if resumable and self.before is None:
            self.before = resume.read(folder, RunRecord.from_json(info))
        self.info = info
        self.run = store.create(folder, RunRecord.from_json(info))

    def found_bands(self) -> reference_bands.Found:
        """The benign bands that hold for this run's settings."""
        plain = [c.guidance.w for c in self.cells if isinstance(c.guidance, Constant)]
        own = parse("cfg", self.methods)[1].w
        return reference_bands.find(
            self.model, self.ask.scheduler, self.ask.steps, (plain or [own])[0]
        )

    def make(self) -> Iterator[Progress]:
        """Denoise, look, judge; on any end leave a folder that says how it ended."""
        try:
            yield from self.denoise()
            for cell in self.cells:
                cell.state = "done"
            self.note("done")
            resume.forget(self.run.folder)
        except (GeneratorExit, KeyboardInterrupt):
            self.note("stopped")
            raise
        except Exception as error:
            self.note("failed", error=f"{type(error).__name__}: {error}".splitlines()[0])
            raise
        yield self.progress(len(self.timesteps))

    def denoise(self) -> Iterator[Progress]:
        """All steps, then the finished pictures."""
        requests = [Request(c.prompt, c.seed, c.guidance) for c in self.cells]
        step, eye, masks = None, self.eye, []
        steps = sample(
            self.model.pipe, requests, self.scheduler, eye, self.ask.signals, self.before
        )
        for event in steps:
            if isinstance(event, FinalSignals):
                self.complete(event)
                masks = event.masks
                continue
            step = event
            self.look(step)
            if self.resumable and step.index + 1 < len(self.timesteps):  # the last tells of all
                resume.note(self.run.folder, step)
            yield self.progress(step.index + 1)
        self.finish(step)
        for cell, mask in zip(self.cells, masks, strict=False):
            cell.result["mask"] = f"steps/{cell.number}-ending.png"
            mask_picture(mask).save(self.run.folder / cell.result["mask"])

    def kept_steps(self, info: dict[str, Any]) -> ResumeState:
        """The steps of a kept cell that this run goes on from."""
        run_id, _, number = self.ask.since.partition(":")
        new = RunRecord.from_json(info)
        return latents.load(run_id, int(number or 0), self.cells[0].guidance, new)

    def look(self, step: Step) -> None:
        """Add a step to every cell's trace and sheet; equal samples are looked at once."""
        self.evaluations = step.evaluations
        found = self.estimates(step)
        alike: dict[int, list] = {state: [] for state in found}
        for i, cell in enumerate(self.cells):
            tile, vector = found[step.states[i]]
            cell.tiles.append(tile)
            cell.vectors.append(vector)
            signals = {name: values[i] for name, values in step.signals.items()}
            row = {"cell": i, "step": step.index, "t": step.t, "scale": step.scales[i]} | signals
            cell.rows.append(row)
            alike[step.states[i]].append(row)
            seen = [r["magnitude"] for r in cell.rows]
            row["magnitude_mean"] = math.fsum(seen) / len(seen)
            cell.cost = step.costs[i]
            cell.read = step.prompts[i]
            if "attention" in signals and not cell.tokens:
                cell.tokens = tokens(self.model.pipe, cell.read)
            if self.ask.keep:
                cell.predictions.append(step.prediction[i])
        for state, (_, vector) in found.items():
            self.lookups.add(vector, alike[state])

    def complete(self, final: FinalSignals) -> None:
        """Add to every cell's trace what only the last step made known."""
        for name, values in final.signals.items():
            for cell, own in zip(self.cells, values, strict=True):
                for row, value in zip(cell.rows, own, strict=True):
                    row[name] = value

    def estimates(self, step: Step) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """For each distinct sample: tile and vector of its x0 estimate."""
        rows = sorted(set(step.states))
        x = decode.decode(self.model.pipe, step.x0[rows], vae=self.decoder)
        tiles = decode.tiles(x, TILE)
        blind = self.eye is None
        vectors = [np.empty(0)] * len(rows) if blind else self.eye.embed(x)
        return dict(zip(rows, zip(tiles, vectors, strict=True), strict=True))

    def finish(self, step: Step) -> None:
        """Decode the final latents, write every cell's files and judge the pictures as written."""
        if self.ask.probe:
            self.probe()
        images = decode.pictures(decode.decode(self.model.pipe, step.latents))
        self.judge(images)
        with ThreadPoolExecutor() as pool:  # the encoders let go of Python's lock
            written = pool.map(self.write, self.cells, images)
            for cell, paths in zip(self.cells, written, strict=True):
                cell.result |= paths

    def judge(self, images: list[Image.Image]) -> None:
        """Add what is found out about the finished pictures to each cell."""
        aligned = [None] * len(images)  # where no CLIP model is at hand
        if self.settings.get("clip"):
            aligned = scoring.alignment([c.prompt for c in self.cells], images)
        found = scoring.matches(self.eye, images)
        self.copy([match for own in found for match in own])
        for cell, own, score in zip(self.cells, found, aligned, strict=True):
            cell.result = {**scoring.on_prompt(cell, self.bands), "matches": own}
            cell.result |= scoring.on_picture(self.eye, own) | {"alignment": score}
            if own:
                near = scoring.to_match(self.eye, np.stack(cell.vectors), own[0])
                for row, similarity in zip(cell.rows, near, strict=True):
                    row["similarity_final"] = similarity

    def probe(self) -> None:
        """Beside each magnitude, that of the same prompt and seed along plain guidance."""
        plain = {(c.prompt, c.seed): c for c in self.cells if c.key == "cfg"}
        for cell in self.cells:
            if other := plain.get((cell.prompt, cell.seed)):
                for row, same in zip(cell.rows, other.rows, strict=True):
                    row["magnitude_cfg"] = same["magnitude"]

    def copy(self, matches: list[scoring.Match]) -> None:
        """Put the matches' pictures into the run, and tell each where its own is."""
        shown = sorted({match["id"] for match in matches})  # neighbours are read together
        places = {id: self.eye.corpus.copy(id, self.run.folder / f"matches/{id}") for id in shown}
        for match in matches:
            match["image"] = f"matches/{places[match['id']].name}"

    def write(self, cell: Cell, image: Image.Image) -> dict[str, str]:
        """The finished picture with its parameters inside, and the sheet of x0 estimates."""
        paths = {"image": f"images/{cell.number}.png", "sheet": f"steps/{cell.number}.jpg"}
        image.save(self.run.folder / paths["image"], pnginfo=parameters(cell, self.info))
        sheet(cell.tiles).save(self.run.folder / paths["sheet"], quality=85, subsampling=0)
        if cell.predictions:
            cell.kept = latents.keep(self.run.folder, cell.number, cell.predictions)
        return paths

    def note(self, state: str, error: str | None = None) -> None:
        """Bring the folder up to date with how things stand."""
        if state != "done":
            for cell in self.cells:
                with suppress(InputError):  # stopped before the first step: no sheet to write
                    cell.result |= self.partial(cell)
                cell.state = "stopped" if state == "stopped" else "failed"
        self.info |= {"state": state, "error": error}
        self.run = store.write(self.so_far())

    def save(self) -> None:
        """Bring the folder of a run in progress up to date, with the newest x0 estimates."""
        if self.run.record.state != "running":  # it ended in the meantime
            return
        for cell in self.cells:
            resume.show(self.run.folder, cell.number, cell.newest())
        store.write(self.so_far())

    def partial(self, cell: Cell) -> dict[str, str]:
        """What a cell that was not finished leaves behind: its newest x0 estimate and its sheet."""
        if not cell.tiles:
            raise InputError(f"Cell {cell.number} has no step yet.")
        return self.write(cell, cell.newest())

    def so_far(self) -> store.Run:
        """The run with all that is known now."""
        self.lookups.settle()
        cells = [c.to_json() for c in self.cells]
        seconds = round(time.perf_counter() - self.start, 2)
        known = {"cells": cells, "seconds": seconds, "unet_evaluations": self.evaluations}
        rows = [row for cell in self.cells for row in cell.rows]
        table = pa.Table.from_pylist(rows, schema=trace.SCHEMA)
        return store.Run(self.run.folder, RunRecord.from_json(self.info | known), table)

    def progress(self, step: int) -> Progress:
        """What a reader sees of this step."""
        return Progress(self, step, len(self.timesteps))

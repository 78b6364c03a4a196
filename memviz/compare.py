"""The one use case behind the Compare tab and `python -m memviz compare`.

`compare(ask)` denoises all cells together, writes a run folder as it goes and yields its progress.
Stop reading and it stops within a step; what is there is kept.
"""

import importlib.metadata
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from memviz import __version__, bands, kept, runs, studio, trace, unfinished
from memviz.ask import Ask
from memviz.cells import COLUMNS, Cell, mask_picture, parameters, sheet
from memviz.decoder import decoder
from memviz.guidance import Constant
from memviz.ids import new_id
from memviz.instruments.look import tokens
from memviz.methods import parse
from memviz.models import Model, scheduler
from memviz.sampling import Past, Request, Step, noise, noise_hash, sample
from memviz.settings import settings
from memviz.verdict import prompt_signal, verdict

TILE = 128  # pixels at most of an x0 estimate on its sheet
TOP = 8  # matches kept per cell
LIBRARIES = ("torch", "diffusers", "transformers", "gradio")


@dataclass(frozen=True)
class Progress:
    """Where a comparison stands: the run so far, and the newest x0 estimate of each cell."""

    comparison: "Comparison"
    step: int
    steps: int

    @property
    def run(self) -> runs.Run:
        """The run with all that is known now (made when asked for: few steps are looked at)."""
        return self.comparison.so_far()

    @property
    def previews(self) -> list[Image.Image | None]:
        """The newest x0 estimate of each cell."""
        return [c.tiles[-1] if c.tiles else None for c in self.comparison.cells]


def compare(ask: Ask, folder: Path | None = None, resumable: bool = False) -> Iterator[Progress]:
    """Make all cells of `ask` in `folder` (a new run of the user's by default).

    A resumable run is named by its folder and keeps every step: the same call, made again after it
    broke off, goes on from there.
    """
    run_id = folder.name if folder and resumable else new_id()
    yield from Comparison(ask, folder or runs.root() / run_id, run_id, resumable).make()


class Comparison:
    """A run being made."""

    def __init__(self, ask: Ask, folder: Path, run_id: str, resumable: bool = False) -> None:
        self.ask, self.start, self.resumable = ask, time.perf_counter(), resumable
        self.model: Model = studio.model(ask.model)
        self.eye = studio.eye(ask.corpus, ask.descriptor) if ask.corpus else None
        self.decoder, self.decoder_note = decoder(self.model.pipe, ask.decoder)
        self.settings = settings(self.model.folder)
        self.scheduler = scheduler(self.model.pipe, ask.scheduler, ask.steps)
        self.timesteps = [int(t) for t in self.scheduler.timesteps]
        cells = ask.cells(self.settings.get("methods", {}))
        self.cells = [Cell(i, *c) for i, c in enumerate(cells)]
        self.evaluations = 0
        self.bands = self.found_bands()
        info = self.info(run_id)
        self.before = unfinished.read(folder, info) if resumable else None
        self.run = runs.create(folder, info)

    def info(self, run_id: str) -> dict[str, Any]:
        """What is known before the first step."""
        ask, pipe = self.ask, self.model.pipe
        prints = {str(s): noise_hash(noise(pipe, [s])[0]) for s in ask.seeds}
        return {
            "schema": 1,
            "id": run_id,
            "state": "running",
            "error": None,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "title": ask.prompts[0],
            "asked": ask.to_json(self.settings.get("methods", {})),
            "model": {n: getattr(self.model, n) for n in ("name", "hash", "parameters")},
            **self.judges(),
            "noise_hash": prints,
            "timesteps": self.timesteps,
            "band": self.bands.signals.get("magnitude"),
            "bands": self.bands.signals,
            "band_note": self.bands.note,
            "decoder_note": self.decoder_note,
            "tile": min(TILE, pipe.unet.config.sample_size * pipe.vae_scale_factor),
            "sheet_columns": COLUMNS,
            "device": str(pipe.device),
            "versions": versions(),
            "unet_evaluations": 0,
            "seconds": 0.0,
            "cells": [c.to_json() for c in self.cells],
        }

    def judges(self) -> dict[str, Any]:
        """Corpus, descriptor and thresholds: what every similarity is worth."""
        if self.eye is None:
            return {"corpus": None, "descriptor": None, "thresholds": None}
        corpus, look = self.eye.corpus, self.eye.descriptor
        return {
            "corpus": {"name": corpus.name, "hash": corpus.hash, "images": len(corpus)},
            "descriptor": {"preset": look.preset.name, "dims": look.preset.dims, "hash": look.hash},
            "thresholds": vars(self.eye.thresholds),
        }

    def found_bands(self) -> bands.Found:
        """The benign bands that hold for this run's settings, and a sentence on them."""
        plain = [c.guidance.w for c in self.cells if isinstance(c.guidance, Constant)]
        own = parse("cfg", self.settings.get("methods", {}))[1].w
        return bands.find(self.model, self.ask.scheduler, self.ask.steps, (plain or [own])[0])

    def make(self) -> Iterator[Progress]:
        """Denoise, look, judge; on any end leave a folder that says how it ended."""
        try:
            yield from self.denoise()
            for cell in self.cells:
                cell.state = "done"
            self.note("done")
            unfinished.forget(self.run.folder)
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
        step, known = None, self.known()
        steps = sample(self.model.pipe, requests, self.scheduler, self.eye, self.ask.signals, known)
        for step in steps:
            self.look(step)
            if self.resumable and step.index + 1 < len(self.timesteps):  # the last tells of all
                unfinished.note(self.run.folder, step)
            yield self.progress(step.index + 1)
        self.finish(step)
        for cell, mask in zip(self.cells, step.masks, strict=False):
            cell.result["mask"] = f"steps/{cell.number}-ending.png"
            mask_picture(mask).save(self.run.folder / cell.result["mask"])

    def known(self) -> Past | None:
        """The steps that this run goes on from: a kept cell's, or its own before it broke off."""
        if not self.ask.since:
            return self.before
        run_id, _, number = self.ask.since.partition(":")
        wanted = {"model": self.run.info["model"], "timesteps": self.timesteps,
                  "noise_hash": self.run.info["noise_hash"]}  # fmt: skip
        return kept.load(run_id, int(number or 0), self.cells[0].guidance, wanted)

    def look(self, step: Step) -> None:
        """Add a step to every cell's trace and sheet; equal samples are looked at once."""
        self.evaluations = step.evaluations
        found = self.estimates(step)
        for i, cell in enumerate(self.cells):
            tile, seen, vector = found[step.states[i]]
            cell.tiles.append(tile)
            cell.vectors.append(vector)
            signals = {name: values[i] for name, values in step.signals.items()}
            cell.rows.append(
                {"cell": i, "step": step.index, "t": step.t, "scale": step.scales[i]}
                | signals
                | seen
            )
            seen = [r["magnitude"] for r in cell.rows]
            cell.rows[-1]["magnitude_mean"] = math.fsum(seen) / len(seen)
            cell.cost = step.costs[i]
            cell.read = step.prompts[i]
            if "attention" in signals and not cell.tokens:
                cell.tokens = tokens(self.model.pipe, cell.read)
            if self.ask.keep:
                cell.predictions.append(step.prediction[i])
            for name, values in step.whole.items():
                # a step taken from another run was not looked at
                for row, value in zip(cell.rows[-len(values[i]) :], values[i], strict=True):
                    row[name] = value

    def estimates(self, step: Step) -> dict[int, tuple]:
        """For each distinct sample: tile, similarity columns and vector of its x0 estimate."""
        rows = sorted(set(step.states))
        x = studio.decode(self.model.pipe, step.x0[rows], vae=self.decoder)
        images = studio.tiles(studio.pictures(x), TILE)
        if self.eye is None:
            return {row: (image, {}, np.empty(0)) for row, image in zip(rows, images, strict=True)}
        similarity, ids, vectors = self.eye.nearest(x)
        columns = [
            {"similarity": float(s), "nearest": int(i)}
            for s, i in zip(similarity, ids, strict=True)
        ]
        return dict(zip(rows, zip(images, columns, vectors, strict=True), strict=True))

    def finish(self, step: Step) -> None:
        """Decode the final latents, write every cell's files and judge the pictures as written."""
        if self.ask.probe:
            self.probe()
        images = studio.pictures(studio.decode(self.model.pipe, step.latents))
        alignment, matches = self.alignment(images), self.matches(images)
        for i, cell in enumerate(self.cells):
            cell.result = self.judged(cell, matches[i]) | {"alignment": alignment[i]}
        shown = {match["id"] for some in matches for match in some}
        with ThreadPoolExecutor() as pool:  # encoding a sheet takes as long as a step
            written = pool.map(self.write, self.cells, images)
            for image_id in sorted(shown):  # neighbours in the corpus are read together
                self.copy(image_id)
            for cell, paths in zip(self.cells, written, strict=True):
                cell.result |= paths

    def probe(self) -> None:
        """Beside each magnitude, that of the same prompt and seed along plain guidance."""
        plain = {(c.prompt, c.seed): c for c in self.cells if c.key == "cfg"}
        for cell in self.cells:
            if other := plain.get((cell.prompt, cell.seed)):
                for row, same in zip(cell.rows, other.rows, strict=True):
                    row["magnitude_cfg"] = same["magnitude"]

    def matches(self, images: list[Image.Image]) -> list[list[dict[str, Any]]]:
        """The nearest corpus images of each finished picture."""
        if self.eye is None:
            return [[] for _ in images]
        similarity, ids = self.eye.index.search(self.eye.descriptor.embed(images), TOP)
        return [
            [self.match(*pair) for pair in zip(*p, strict=True)]
            for p in zip(similarity, ids, strict=True)
        ]

    def match(self, similarity: float, image_id: int) -> dict[str, Any]:
        """One match, whose picture lies in the run."""
        caption = self.eye.corpus.caption(int(image_id))
        return {
            "id": int(image_id),
            "caption": caption,
            "similarity": round(float(similarity), 4),
            "image": f"matches/{image_id}.png",
        }

    def copy(self, image_id: int) -> None:
        """Put a match's picture into the run."""
        picture = self.eye.corpus.image(image_id)
        picture.save(self.run.folder / f"matches/{image_id}.png")

    def alignment(self, images: list[Image.Image]) -> list[float | None]:
        """CLIP's cosine of each picture with its prompt; None where no CLIP model is at hand."""
        if not self.settings.get("clip"):
            return [None] * len(images)
        scores = studio.clip().score(images, [c.prompt for c in self.cells])
        return [round(float(s), 4) for s in scores]

    def judged(self, cell: Cell, matches: list[dict[str, Any]]) -> dict[str, Any]:
        """Both verdicts on a finished cell: on the picture, and on the prompt."""
        first = cell.rows[0]["magnitude"]
        signal = prompt_signal(first, self.bands.range("magnitude", 0))
        found = {"prompt_signal": {**vars(signal), "value": round(first, 4)}, "matches": matches}
        if not matches:
            return found | {"similarity": None, "match": None, "verdict": "No corpus", "reason": ""}
        final = np.full(len(cell.rows), matches[0]["id"])
        near = self.eye.index.similarity(np.stack(cell.vectors), final)
        for row, similarity in zip(cell.rows, near.tolist(), strict=True):
            row["similarity_final"] = similarity
        top = matches[0]["similarity"]
        said = verdict(top, len(self.eye.corpus), self.eye.thresholds)
        words = {"verdict": said.word, "reason": said.reason, "kind": said.kind}
        return found | {"similarity": top, "match": matches[0]} | words

    def write(self, cell: Cell, image: Image.Image) -> dict[str, str]:
        """The finished picture with its parameters inside, and the sheet of x0 estimates."""
        paths = {"image": f"images/{cell.number}.png", "sheet": f"steps/{cell.number}.webp"}
        image.save(self.run.folder / paths["image"], pnginfo=parameters(cell, self.run.info))
        sheet(cell.tiles).save(self.run.folder / paths["sheet"], "webp", quality=92, method=1)
        if cell.predictions:
            cell.kept = kept.keep(self.run.folder, cell.number, cell.predictions)
        return paths

    def note(self, state: str, error: str | None = None) -> None:
        """Bring the folder up to date with how things stand."""
        if state != "done":
            for cell in self.cells:
                with suppress(ValueError):  # stopped before the first step: no sheet to write
                    cell.result |= self.partial(cell)
                cell.state = "stopped" if state == "stopped" else "failed"
        self.run = runs.write(self.so_far(state=state, error=error))

    def save(self) -> None:
        """Bring the folder of a run in progress up to date, with the newest x0 estimates."""
        if self.run.info["state"] != "running":  # it ended in the meantime
            return
        for cell in self.cells:
            unfinished.show(self.run.folder, cell.number, cell.tiles[-1])
        runs.write(self.so_far())

    def partial(self, cell: Cell) -> dict[str, str]:
        """What a cell that was not finished leaves behind: its newest x0 estimate and its sheet."""
        if not cell.tiles:
            raise ValueError(f"Cell {cell.number} has no step yet.")
        return self.write(cell, cell.tiles[-1])

    def so_far(self, **changes: Any) -> runs.Run:  # noqa: ANN401
        """The run with all that is known now."""
        cells = [c.to_json() for c in self.cells]
        seconds = round(time.perf_counter() - self.start, 2)
        known = {"cells": cells, "seconds": seconds, "unet_evaluations": self.evaluations}
        rows = [row for cell in self.cells for row in cell.rows]
        table = pa.Table.from_pylist(rows, schema=trace.SCHEMA)
        return runs.Run(self.run.folder, self.run.info | known | changes, table)

    def progress(self, step: int) -> Progress:
        """What a reader sees of this step."""
        return Progress(self, step, len(self.timesteps))


def versions() -> dict[str, str]:
    """The libraries that a run was made with."""
    found = {"memviz": __version__}
    for name in LIBRARIES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found

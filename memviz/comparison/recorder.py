"""What the steps of a comparison tell, recorded as they come; nothing recorded changes later."""

# The stubs of pyarrow leave these half typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from memviz.comparison.cell import CellSpec
from memviz.comparison.plan import TILE, Plan
from memviz.guidance.base import Observation
from memviz.guidance.first_minimum import prominence
from memviz.models import decode
from memviz.models.tokens import tokens
from memviz.runs import trace
from memviz.runs.record import CellProgress
from memviz.runs.resume import state_of
from memviz.runs.store import Run
from memviz.sampling.types import ResumeState, Step
from memviz.signals import observe
from memviz.signals.costly import FinalSignals

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class StepView:
    """How a comparison stands after a step; steps that come later do not change it."""

    step: int  # done so far
    steps: int
    tiles: tuple[np.ndarray, ...]  # the newest x0 estimate of each cell, uint8 (h, w, 3)
    take: Callable[[], Run]

    @property
    def previews(self) -> list[Image.Image]:
        """The newest x0 estimate of each cell."""
        return [Image.fromarray(tile) for tile in self.tiles]

    def snapshot(self) -> Run:
        """The run as it stood after this step; looks up the estimates not looked up before."""
        return self.take()


@dataclass(frozen=True)
class Moment:
    """What one step told of every cell, in the order of the cells."""

    rows: tuple[dict[str, Any], ...]  # of the trace, without what an index finds
    tiles: tuple[np.ndarray, ...]
    vectors: tuple[np.ndarray, ...]  # (D,), of the x0 estimates; empty without a detector
    states: tuple[int, ...]  # the first cell whose sample is the same
    evaluations: int  # by all cells so far
    costs: tuple[float, ...]  # evaluations that each would have needed alone
    prompts: tuple[str, ...]  # what the network read
    seconds: float  # since the start


class TraceRecorder:
    """Appends what each step tells. A view of k steps holds the first k entries and no more."""

    def __init__(self, plan: Plan, snapshot: Callable[["TraceRecorder", int], Run]) -> None:
        self.plan, self.snapshot, self.start = plan, snapshot, time.perf_counter()
        self.moments: list[Moment] = []
        self.observations: list[list[Observation]] = [[] for _ in plan.cells]
        self.totals = [0.0] * len(plan.cells)  # of the magnitude
        self.batches: list[pa.RecordBatch] = []  # of the moments that were looked up
        self.states: list[ResumeState] = []  # kept on request
        self.tokens: list[tuple[str, ...] | None] = [None] * len(plan.cells)
        self.final: FinalSignals | None = None

    def add(self, step: Step) -> StepView:
        """Record a step; equal samples are decoded and described once."""
        found = self.describe(step)
        rows = []
        for i in range(len(self.plan.cells)):
            signals = {name: values[i] for name, values in step.signals.items()}
            self.totals[i] += signals["magnitude"]
            mean = self.totals[i] / (step.index + 1)
            place = {"cell": i, "step": step.index, "t": step.t, "scale": step.scales[i]}
            rows.append({**place, **signals, "magnitude_mean": mean})
            self.observations[i].append(observe(step.t, rows[-1]))
            if "attention" in signals and self.tokens[i] is None:
                self.tokens[i] = tuple(tokens(self.plan.model.pipe, step.prompts[i]))
        tiles, vectors = zip(*(found[state] for state in step.states), strict=True)
        self.moments.append(
            Moment(tuple(rows), tiles, vectors, tuple(step.states), step.evaluations,
                   tuple(step.costs), tuple(step.prompts), time.perf_counter() - self.start)
        )  # fmt: skip
        if self.plan.request.keep:
            self.states.append(state_of(step))
        return self.view()

    def describe(self, step: Step) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """For each distinct sample: tile and vector of its x0 estimate."""
        rows = sorted(set(step.states))
        decoder = self.plan.decoder
        own = decoder.looks(step.index, self.plan.request.look_every)
        vae = None if own else decoder.network
        x = decode.decode(self.plan.model.pipe, step.x0[rows], vae=vae)
        detector = self.plan.detector
        vectors = detector.embed(x) if detector else [np.empty(0)] * len(rows)
        return dict(zip(rows, zip(decode.tiles(x, TILE), vectors, strict=True), strict=True))

    def complete(self, final: FinalSignals) -> None:
        """Record what only the end of the denoising made known."""
        self.final = final

    def view(self, run: Run | None = None) -> StepView:
        """How things stand now; with a finished run, the last view."""
        count = len(self.moments)
        take = (lambda: run) if run else partial(self.snapshot, self, count)
        return StepView(count, len(self.plan.timesteps), self.moments[-1].tiles, take)

    def seconds(self, count: int, over: bool) -> float:
        """What the first steps took, or the whole run if it is over."""
        if over or not count:
            return time.perf_counter() - self.start
        return self.moments[count - 1].seconds

    def first_magnitudes(self) -> list[float]:
        """The magnitude of each cell at the first step."""
        return [seen[0].magnitude for seen in self.observations]

    def tiles(self, number: int) -> list[np.ndarray]:
        """All x0 estimates of a cell."""
        return [moment.tiles[number] for moment in self.moments]

    def table(self, count: int | None = None) -> pa.Table:
        """The trace of the first steps: each is looked up and laid out in columns once."""
        count = len(self.moments) if count is None else count
        fresh = self.moments[len(self.batches) : count]
        for moment, rows in zip(fresh, self.look_up(fresh), strict=True):
            found = [{**row, **more} for row, more in zip(moment.rows, rows, strict=True)]
            self.batches.append(pa.RecordBatch.from_pylist(found, schema=trace.SCHEMA))
        return pa.Table.from_batches(self.batches[:count], schema=trace.SCHEMA)

    def look_up(self, moments: Sequence[Moment]) -> list[Rows]:
        """The nearest corpus image of each x0 estimate, all at once: it costs little more."""
        if self.plan.detector is None or not moments:
            return [[{} for _ in m.rows] for m in moments]
        places = {(k, s): m.vectors[s] for k, m in enumerate(moments) for s in m.states}
        similarity, ids = self.plan.detector.index.search(np.stack([*places.values()]), 1)
        found = {
            place: {"similarity": float(near), "nearest": int(id)}
            for place, near, id in zip(places, similarity[:, 0], ids[:, 0], strict=True)
        }
        return [[found[k, s] for s in m.states] for k, m in enumerate(moments)]

    def whole_table(self, matches: Sequence[int | None]) -> pa.Table:
        """The trace cell by cell, with what is known at the end: `matches` are the final ones."""
        table = self.table().sort_by([("cell", "ascending"), ("step", "ascending")])
        late = {"similarity_final": self.similarity_to(matches)}
        if self.plan.request.probe:
            late["magnitude_cfg"] = self.plain_magnitudes()
        if self.final:
            late |= self.final.signals
        for name, rows in late.items():
            field = trace.SCHEMA.field(name)
            values = [value for row in rows for value in row]
            where = trace.SCHEMA.get_field_index(name)
            table = table.set_column(where, field, pa.array(values, field.type))
        return table

    def similarity_to(self, matches: Sequence[int | None]) -> list[Sequence[float | None]]:
        """By cell: the similarity of each x0 estimate to the picture matched in the end."""
        found: list[Sequence[float | None]] = []
        for i, match in enumerate(matches):
            if match is None or self.plan.detector is None:
                found.append([None] * len(self.moments))
            else:
                vectors = np.stack([moment.vectors[i] for moment in self.moments])
                ids = np.full(len(vectors), match)
                found.append(self.plan.detector.index.similarity(vectors, ids).tolist())
        return found

    def plain_magnitudes(self) -> list[Sequence[float | None]]:
        """By cell: the magnitudes of the same prompt and seed along plain guidance."""
        cells = self.plan.cells
        plain = {(c.prompt, c.seed): c.number for c in cells if c.method == "cfg"}
        numbers = [plain.get((c.prompt, c.seed)) for c in cells]
        missing: Sequence[None] = [None] * len(self.moments)
        return [
            missing if n is None else [o.magnitude for o in self.observations[n]] for n in numbers
        ]

    def progress(self, cell: CellSpec, count: int) -> CellProgress:
        """What the first steps tell of a cell."""
        if not count:
            return CellProgress()
        moment, seen = self.moments[count - 1], self.observations[cell.number][:count]
        read = moment.prompts[cell.number]
        change, minimum = cell.guidance.transition(seen), trace.estimated(seen)
        clear = trace.prominent(seen)
        magnitudes = [o.magnitude for o in seen]
        depth = None if minimum is None else round(prominence(magnitudes, minimum), 4)
        return CellProgress.model_validate(
            {
                "evaluations": round(moment.costs[cell.number], 2),
                "prompt_read": read if read != cell.prompt else None,
                "tokens": self.tokens[cell.number],
                "transition_step": change.step if change else None,
                "transition_timestep": seen[change.step].t if change else None,
                "transition_kind": change.kind if change else "none",
                "estimated_step": minimum,
                "estimated_timestep": None if minimum is None else seen[minimum].t,
                "estimated_prominence": depth,
                "prominent_timestep": None if clear is None else seen[clear].t,
            }
        )

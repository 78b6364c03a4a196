"""The rows of one call of `sample` while they are denoised: one step reads from top to bottom."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from memviz.errors import InputError
from memviz.guidance.base import Guidance, Observation
from memviz.guidance.mitigation import Here, Row, foresee_scale, remedy
from memviz.models import parametrization
from memviz.models.denoiser import Denoiser, NoiseLevel
from memviz.models.network import network_of
from memviz.models.protocols import Scheduler
from memviz.models.schedulers import noise_level, told_timestep
from memviz.sampling.noise import noise
from memviz.sampling.types import Request, ResumeState, Step
from memviz.signals import free, observe
from memviz.signals.context import StepContext
from memviz.signals.costly import CostlySignals

OTHER_UNIT = (
    "The kept steps have their magnitudes in epsilon units, as memviz measured them before; now it "
    "takes the model's own. Make the picture afresh."
)
A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Guided:
    """The guided predictions of a step, before the scheduler takes it."""

    level: NoiseLevel
    prediction: Tensor  # (B, C, h, w), in the model's units
    scales: list[float]
    states: list[int]  # after the step
    signals: Mapping[str, Tensor]


class Batch:
    """The rows of one call of `sample` while they are denoised."""

    def __init__(
        self,
        denoiser: Denoiser,
        requests: Sequence[Request],
        scheduler: Scheduler,
        costly: CostlySignals,
        size: int | None = None,
        measure: bool = True,
    ) -> None:
        self.measures = measure
        self.denoiser, self.requests, self.scheduler = denoiser, requests, scheduler
        self.costly = costly
        self.costs = [0.0] * len(requests)
        self.rows = self.start_rows(size)
        start = torch.stack([row.noise for row in self.rows])
        start = start.to(denoiser.pipe.device, network_of(denoiser.pipe).dtype)
        self.x = start * scheduler.init_noise_sigma
        self.x0: Tensor | None = None  # the estimates of the step before
        self.seen: list[list[Observation]] = [[] for _ in requests]
        self.states = first_of([id(row.noise) for row in self.rows])
        self.groups = first_of([(r.prompt, r.guidance) for r in requests])

    def start_rows(self, size: int | None) -> list[Row]:
        """All rows, as their methods want them to start."""
        seeds = [r.seed for r in self.requests]
        start = dict(zip(seeds, noise(self.denoiser.pipe, seeds, size), strict=True))
        empty, *own = self.denoiser.encode(["", *(r.prompt for r in self.requests)])
        rows = [
            Row(r.prompt, r.seed, start[r.seed], empty, conditioning)
            for r, conditioning in zip(self.requests, own, strict=True)
        ]
        level = NoiseLevel.of(self.scheduler, 0)
        return self.by_method(rows, lambda m, some: remedy(m).begin(self.denoiser, some, level))

    def step(self, index: int, t: Tensor) -> Step:
        """Evaluate both predictions of all rows, measure, guide, and take the step."""
        level = NoiseLevel.of(self.scheduler, index)
        x = self.scheduler.scale_model_input(self.x, t)
        rows = [
            remedy(request.guidance).step(self.denoiser, row, level)
            for request, row in zip(self.requests, self.rows, strict=True)
        ]
        known = self.foresee_scales(index)
        uncond, cond = self.evaluate(x, t, rows, known)
        more = [1 if scale in (0, 1) else 2 for scale in known]
        self.costs = [cost + calls for cost, calls in zip(self.costs, more, strict=True)]
        signals = self.measure(level, x, rows, (uncond, cond), known)
        scales = self.choose_scales(index, free.to_lists(signals))
        prediction = parametrization.guided(uncond, cond, torch.tensor(scales))
        here = [Here(*parts) for parts in zip(rows, x, uncond, cond, scales, strict=True)]
        changes = self.correct(level, here)
        for i, change in enumerate(changes):
            if change is not None:
                prediction[i] += change
        used = zip(self.states, scales, rows, changes, strict=True)
        states = first_of([sample_key(i, *parts) for i, parts in enumerate(used)])
        return self.move(index, x, Guided(level, prediction, scales, states, signals))

    def foresee_scales(self, index: int) -> list[float | None]:
        """The scales that are known before the step is evaluated; none where all is measured."""
        if self.measures:
            return [None] * len(self.requests)
        step = told_timestep(self.scheduler, index)
        rows = zip(self.requests, self.seen, strict=True)
        return [foresee_scale(request.guidance, seen, step) for request, seen in rows]

    def measure(
        self,
        level: NoiseLevel,
        x: Tensor,
        rows: Sequence[Row],
        outputs: tuple[Tensor, Tensor],
        known: Sequence[float | None],
    ) -> dict[str, Tensor]:
        """The signals of the step; NaN, or none at all, where no scale depends on them."""
        if None not in known:
            return {}
        epsilons = level.epsilon(outputs[0], x), level.epsilon(outputs[1], x)
        x0 = level.clean(outputs[1], x)
        signals = free.measure(outputs, epsilons, x0, x, self.groups)
        if self.measures:
            context = StepContext(self.denoiser, x, rows, self.states, level, *epsilons)
            return signals | self.costly.measure(context)
        blank = torch.tensor([scale is not None for scale in known], device=x.device)
        return {name: column.masked_fill(blank, torch.nan) for name, column in signals.items()}

    def recall(self, index: int, t: Tensor, past: ResumeState) -> Step:
        """Take a step whose prediction and signals are known: nothing is evaluated.

        Raises InputError where its magnitude is in another unit than those that are to come.
        """
        level = NoiseLevel.of(self.scheduler, index)
        x = self.scheduler.scale_model_input(self.x, t)
        columns = past.signals[index]
        if "magnitude_epsilon" not in columns and level.kind != "epsilon":
            raise InputError(OTHER_UNIT)
        scales = self.choose_scales(index, columns)
        prediction = past.predictions[index].to(self.x)
        if past.states:
            self.costs, states = [*past.costs[index]], past.states[index]
        else:
            same = [p.numpy(force=True).tobytes() for p in prediction]
            self.costs = [cost + 2 for cost in self.costs]
            states = first_of([*zip(self.states, same, strict=True)])
        self.costly.recall(past.differences[index] if past.differences else None)
        signals = {name: torch.tensor(values) for name, values in columns.items()}
        return self.move(index, x, Guided(level, prediction, scales, states, signals))

    def move(self, index: int, x: Tensor, guided: Guided) -> Step:
        """Let the scheduler take the step from its latents, of which the network read `x`."""
        x0 = guided.level.clean(guided.prediction, x)
        after = self.scheduler.step(guided.prediction, guided.level.t, self.x, return_dict=False)[0]
        signals = {**guided.signals}
        if self.measures:
            last = index + 1 == len(self.scheduler.timesteps)
            read = after if last else after * noise_level(self.scheduler, index + 1)[1]
            signals |= free.measure_change(x, read, self.x0, x0)
        self.x, self.x0, self.states = after, x0, guided.states
        return Step(
            index=index,
            t=told_timestep(self.scheduler, index),
            scales=guided.scales,
            signals=free.to_lists(signals),
            x0=x0,
            latents=after,
            prediction=guided.prediction,
            states=guided.states,
            evaluations=self.denoiser.evaluations,
            costs=[*self.costs],
            prompts=[row.prompt for row in self.rows],
            noise_difference=self.costly.newest_difference,
        )

    def evaluate(
        self, x: Tensor, t: Tensor, rows: Sequence[Row], known: Sequence[float | None]
    ) -> tuple[Tensor, Tensor]:
        """Unconditional and conditional predictions (B, C, h, w), each distinct one once.

        Where the scale is known to be 0 or 1, the one that it takes stands for both.
        """
        parts = [*zip(self.states, rows, known, strict=True)]
        uncond = [(state, row.cond if scale == 1 else row.uncond) for state, row, scale in parts]
        cond = [(state, row.uncond if scale == 0 else row.cond) for state, row, scale in parts]
        if self.denoiser.attention:
            self.denoiser.attention.clear()
        found = self.denoiser(x, t, uncond + cond)
        return torch.stack([found[p] for p in uncond]), torch.stack([found[p] for p in cond])

    def choose_scales(self, index: int, columns: Mapping[str, Sequence[float]]) -> list[float]:
        """Show each method its sample's own signals; each one's answer."""
        t = told_timestep(self.scheduler, index)
        for i, seen in enumerate(self.seen):
            seen.append(observe(t, {name: values[i] for name, values in columns.items()}))
        return [float(r.guidance.scale(s)) for r, s in zip(self.requests, self.seen, strict=True)]

    def correct(self, level: NoiseLevel, here: Sequence[Here]) -> list[Tensor | None]:
        """What the methods add to the guided predictions."""
        return self.by_method(here, lambda m, some: remedy(m).correct(self.denoiser, some, level))

    def by_method(
        self, items: Sequence[A], call: Callable[[Guidance, list[A]], Sequence[B]]
    ) -> list[B]:
        """What `call(method, its items)` makes of each item; its evaluations go on their bill."""
        found: dict[int, B] = {}
        for method in dict.fromkeys(r.guidance for r in self.requests):
            mine = [i for i, r in enumerate(self.requests) if r.guidance == method]
            before = self.denoiser.evaluations
            found |= zip(mine, call(method, [items[i] for i in mine]), strict=True)
            for i in mine:
                self.costs[i] += (self.denoiser.evaluations - before) / len(mine)
        return [found[i] for i in range(len(items))]


def first_of(keys: Sequence[Hashable]) -> list[int]:
    """For each key the index at which it first appears."""
    places: dict[Hashable, int] = {}
    return [places.setdefault(key, i) for i, key in enumerate(keys)]


def sample_key(i: int, state: int, scale: float, row: Row, change: Tensor | None) -> Hashable:
    """What tells row i's next sample from others: its past and all that its prediction used."""
    uncond, cond = row.uncond if scale != 1 else None, row.cond if scale else None
    return state, scale, uncond, cond, None if change is None else i

"""The rows of one call of `sample` while they are denoised, and what is told of each step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from memviz.guidance.base import Observation
from memviz.guidance.mitigation import Here, Row, remedy
from memviz.models import parametrization
from memviz.models.denoiser import Level, Predictor
from memviz.sampling.noise import noise
from memviz.sampling.types import Past, Request, Step
from memviz.signals import SEEN, free, observe
from memviz.signals.costly import Instruments, Look

NO_SIGNAL = 1e-7  # alpha-bar below this is zero terminal SNR; Stable Diffusion ends at 0.0047


class Batch:
    """The rows of one call of `sample` while they are denoised."""

    def __init__(self, predictor: Predictor, requests: Sequence[Request], scheduler: Any) -> None:  # noqa: ANN401
        self.predictor, self.requests, self.scheduler = predictor, requests, scheduler
        self.device = predictor.pipe.device
        self.costs = [0.0] * len(requests)
        self.rows = self.begin()
        start = torch.stack([r.noise for r in self.rows]).to(self.device, predictor.pipe.unet.dtype)
        self.x = start * scheduler.init_noise_sigma
        self.seen: list[list[Observation]] = [[] for _ in requests]
        self.states = first_of([id(r.noise) for r in self.rows])
        self.before: Tensor | None = None  # the x0 estimates of the step before

    def level(self, t: Tensor) -> Level:
        """The noise level of a timestep."""
        kind = self.scheduler.config.prediction_type
        return Level(t, signal_level(self.scheduler.alphas_cumprod, int(t)), kind)

    def begin(self) -> list[Row]:
        """All rows, as their methods want them to start."""
        seeds = [r.seed for r in self.requests]
        start = dict(zip(seeds, noise(self.predictor.pipe, seeds), strict=True))
        empty, *conditions = self.predictor.conditions(["", *(r.prompt for r in self.requests)])
        rows = [
            Row(r.prompt, r.seed, start[r.seed], empty, c)
            for r, c in zip(self.requests, conditions, strict=True)
        ]
        level = self.level(self.scheduler.timesteps[0])
        return self.by_method(
            rows, lambda method, some: remedy(method).begin(self.predictor, some, level)
        )

    def by_method(self, items: Sequence[Any], call: Callable) -> list[Any]:
        """What `call(method, its items)` makes of each item; its evaluations go on their bill."""
        found = [*items]
        for method in dict.fromkeys(r.guidance for r in self.requests):
            mine = [i for i, r in enumerate(self.requests) if r.guidance == method]
            paid = self.predictor.evaluations
            for i, item in zip(mine, call(method, [items[i] for i in mine]), strict=True):
                found[i] = item
            for i in mine:
                self.costs[i] += (self.predictor.evaluations - paid) / len(mine)
        return found

    def step(self, index: int, t: Tensor, instruments: Instruments) -> Step:
        """Predict, guide and move on."""
        level = self.level(t)
        rows = [
            remedy(q.guidance).step(self.predictor, row, level)
            for q, row in zip(self.requests, self.rows, strict=True)
        ]
        uncond, cond = both(self.predictor, self.x, t, self.states, rows)
        self.costs = [c + 2 for c in self.costs]
        eps = [level.epsilon(p, self.x) for p in (uncond, cond)]
        row = measured(self.requests, *eps, level.clean(cond, self.x), self.x)
        look = Look(self.predictor, self.x, rows, self.states, level, *eps)
        last = index == len(self.scheduler.timesteps) - 1
        row |= instruments.look(look, last)
        self.observe(int(t), {name: row[name].tolist() for name in SEEN if name in row})
        scales = self.scales()
        prediction = parametrization.guided(uncond, cond, torch.tensor(scales, device=self.device))
        changes = self.corrections(rows, uncond, cond, scales, level)
        for i, change in enumerate(changes):
            prediction[i] += 0 if change is None else change
        keys = zip(self.states, rows, scales, changes, strict=True)
        states = first_of([parted(i, *key) for i, key in enumerate(keys)])
        made = self.move(index, t, level, prediction, states, row, scales)
        pull = (instruments.pulls or [None])[-1]
        return replace(made, whole={**instruments.whole}, masks=instruments.masks, pull=pull)

    def observe(self, t: int, columns: Mapping[str, Sequence[float]]) -> None:
        """Show each method the signals of its own sample at this step."""
        for i, seen in enumerate(self.seen):
            seen.append(observe(t, {name: values[i] for name, values in columns.items()}))

    def scales(self) -> list[float]:
        """Each method's answer to what its sample has shown."""
        return [float(r.guidance.scale(s)) for r, s in zip(self.requests, self.seen, strict=True)]

    def corrections(
        self, rows: list[Row], uncond: Tensor, cond: Tensor, scales: list[float], level: Level
    ) -> list[Tensor | None]:
        """What the methods add to the guided predictions."""
        here = [Here(*parts) for parts in zip(rows, self.x, uncond, cond, scales, strict=True)]
        return self.by_method(
            here, lambda method, some: remedy(method).correct(self.predictor, some, level)
        )

    def repeat(self, index: int, t: Tensor, past: Past) -> Step:
        """A step of the past: its prediction and signals are known, so no evaluation is made."""
        columns = past.signals[index]
        self.observe(int(t), columns)
        prediction = past.predictions[index].to(self.x)
        row = {name: torch.tensor(values) for name, values in columns.items()}
        if past.states:
            self.costs, states = past.costs[index], past.states[index]
        else:
            self.costs = [c + 2 for c in self.costs]
            same = [p.numpy(force=True).tobytes() for p in prediction]
            states = first_of([*zip(self.states, same, strict=True)])
        return self.move(index, t, self.level(t), prediction, states, row, self.scales())

    def move(
        self,
        index: int,
        t: Tensor,
        level: Level,
        prediction: Tensor,
        states: list[int],
        row: dict[str, Tensor],
        scales: list[float],
    ) -> Step:
        """Let the scheduler take the step."""
        x0 = level.clean(prediction, self.x)
        after = self.scheduler.step(prediction, t, self.x, return_dict=False)[0]
        row |= changes(self.before, self.x, x0, after)
        self.x, self.before, self.states = after, x0, states
        return Step(
            index=index,
            t=int(t),
            scales=scales,
            signals={name: values.tolist() for name, values in row.items()},
            x0=x0,
            latents=after,
            prediction=prediction,
            states=states,
            evaluations=self.predictor.evaluations,
            costs=[*self.costs],
            prompts=[r.prompt for r in self.rows],
            whole={},
        )


def measured(
    requests: Sequence[Request], uncond: Tensor, cond: Tensor, x0: Tensor, x: Tensor
) -> dict[str, Tensor]:
    """The signals that cost nothing, from predictions in epsilon units and the prompt's own x0."""
    pull = cond.float() - uncond.float()
    groups = first_of([(r.prompt, r.guidance) for r in requests])
    magnitude = free.norm(pull)
    return {
        "magnitude": magnitude,
        "magnitude_unit": magnitude / pull[0].numel() ** 0.5,
        "cosine": free.alignment_cosine(uncond, cond),
        "one_step": free.one_step(x0, x),
        "agreement": free.agreement(pull, groups),
    }


def signal_level(alphas: Tensor, t: int) -> float:
    """alpha-bar of a timestep; with no signal at all left (zero terminal SNR) that of the next one.

    There epsilon says nothing of the prompt: every magnitude would be zero.
    """
    return float(alphas[t] if alphas[t] > NO_SIGNAL else alphas[t - 1])


def first_of(keys: Sequence[object]) -> list[int]:
    """For each key the index at which it first appears."""
    places: dict[object, int] = {}
    return [places.setdefault(key, i) for i, key in enumerate(keys)]


def parted(i: int, state: int, row: Row, scale: float, change: Tensor | None) -> tuple:
    """What tells a row's next sample from others: its past and all that its prediction used."""
    return (
        state,
        scale,
        row.uncond if scale != 1 else None,
        row.cond if scale else None,
        None if change is None else i,
    )


def both(
    predictor: Predictor, x: Tensor, t: Tensor, states: list[int], rows: Sequence[Row]
) -> tuple[Tensor, Tensor]:
    """Unconditional and conditional predictions (B, C, h, w), each distinct one evaluated once."""
    empty = [(state, row.uncond) for state, row in zip(states, rows, strict=True)]
    full = [(state, row.cond) for state, row in zip(states, rows, strict=True)]
    if predictor.watch:
        predictor.watch.forget()
    found = predictor(x, t, list(dict.fromkeys(empty + full)))
    return torch.stack([found[p] for p in empty]), torch.stack([found[p] for p in full])


def changes(before: Tensor | None, x: Tensor, x0: Tensor, after: Tensor) -> dict[str, Tensor]:
    """How far this step turned and moved the latents and the x0 estimate (NaN at the first)."""
    moved = torch.full((len(x),), torch.nan) if before is None else free.shift(before, x0)
    return {
        "latent_change": free.turn(x, after),
        "step_size": free.shift(x, after),
        "x0_change": moved,
    }

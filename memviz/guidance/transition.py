"""Guidance methods as values: frozen, comparable, and asked one question, the scale of a step.

The scale w mixes the two predictions of a step: eps_uncond + w (eps_cond - eps_uncond).
0 ignores the prompt, 1 follows it plainly, a negative scale moves away from it.

References: Ho and Salimans, Classifier-Free Diffusion Guidance, 2022 (`cfg`);
Jain et al., Classifier-Free Guidance inside the Attraction Basin May Cause Memorization,
CVPR 2025, https://arxiv.org/abs/2411.16738 (`stp`, `dtp`, `og`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from memviz.guidance.base import Observation, Transition, knob, scale_knob
from memviz.guidance.first_minimum import dip

SHAPES: dict[str, Callable[[float], float]] = {
    "static": lambda u: 1.0,
    "linear": lambda u: 1 - u,
    "invlinear": lambda u: u,
    "cosine": lambda u: 1 + math.cos(math.pi * u),
    "sine": lambda u: 1 + math.sin(math.pi * u - math.pi / 2),
    "v": lambda u: abs(2 * u - 1),
    "a": lambda u: 1 - abs(2 * u - 1),
}
"""Factors of the full scale by noise level u = t / 1000: 1 at the first step, 0 at the last."""


def static(seen: Sequence[Observation], at: float) -> Transition | None:
    """Guidance from the first timestep that is not above `at`."""
    step = next((i for i, s in enumerate(seen) if s.t <= at), None)
    return None if step is None else Transition(step, "static")


def dynamic(seen: Sequence[Observation], latest: float, rise: float = 0) -> Transition | None:
    """Guidance from the step that reveals the first minimum, or else below timestep `latest`."""
    found = dip([s.magnitude for s in seen], rise)
    fallback = next((i for i, s in enumerate(seen) if s.t < latest), None)
    if found and (fallback is None or found[1] <= fallback):
        return Transition(found[1], "minimum")
    return None if fallback is None else Transition(fallback, "fallback")


EARLY = {
    "about": "scale before the transition (0 ignores the prompt, below 0 moves away from it)",
    "label": "scale before",
}
LATE = {"about": "scale from the transition on", "label": "scale after"}
AT = {
    "about": "timestep of the transition (999 is the noisiest, 0 the last)",
    "label": "transition timestep",
}
LATEST = {
    "about": "timestep below which guidance starts without a minimum (0: never)",
    "label": "fallback timestep",
}
RISE = {
    "about": "share by which the magnitude must rise above its minimum to count (0: the paper's "
    "rule)",
    "label": "rise that counts",
}
SHAPE = {"about": "how the full scale varies with the noise level", "choices": tuple(SHAPES)}


@dataclass(frozen=True)
class Constant:
    """One scale at every step."""

    w: float = scale_knob(7.5, "scale at every step", name="scale")
    shape: str = knob("static", **SHAPE)

    def scale(self, seen: Sequence[Observation]) -> float:
        """The scale, whatever was seen."""
        return self.w * SHAPES[self.shape](seen[-1].t / 1000)

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """None: the prompt is followed from the first step."""
        return None


@dataclass(frozen=True)
class Static:
    """The early scale while t > at, then the late one."""

    early: float = scale_knob(0, **EARLY)
    late: float = scale_knob(7.5, **LATE)
    at: float = knob(500, **AT)
    shape: str = knob("static", **SHAPE)

    def scale(self, seen: Sequence[Observation]) -> float:
        """Early or late, by the newest timestep."""
        return switched(self, seen)

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """The first step with t <= at."""
        return static(seen, self.at)


@dataclass(frozen=True)
class Dynamic:
    """The early scale until the magnitude has passed its first minimum, then the late one."""

    early: float = scale_knob(0, **EARLY)
    late: float = scale_knob(7.5, **LATE)
    latest: float = knob(300, **LATEST)
    rise: float = knob(0, **RISE, high=10)
    shape: str = knob("static", **SHAPE)

    def scale(self, seen: Sequence[Observation]) -> float:
        """Early or late, by the sample's own magnitudes."""
        return switched(self, seen)

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """One step after the minimum, or the fallback."""
        return dynamic(seen, self.latest, self.rise)


@dataclass(frozen=True)
class Opposite:
    """Away from the prompt (a negative early scale) until a transition of either kind."""

    early: float = scale_knob(-2, **EARLY)
    late: float = scale_knob(7.5, **LATE)
    kind: str = knob("static", "which transition", name="transition", choices=("static", "dynamic"))
    at: float = knob(650, **AT, when="static")
    latest: float = knob(300, **LATEST, when="dynamic")
    shape: str = knob("static", **SHAPE)

    def scale(self, seen: Sequence[Observation]) -> float:
        """Early or late, by the chosen transition."""
        return switched(self, seen)

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """That of the chosen kind."""
        return static(seen, self.at) if self.kind == "static" else dynamic(seen, self.latest)


def switched(guidance: Static | Dynamic | Opposite, seen: Sequence[Observation]) -> float:
    """The early scale before the transition, the shaped late scale from it on."""
    if guidance.transition(seen) is None:
        return guidance.early
    return guidance.late * SHAPES[guidance.shape](seen[-1].t / 1000)

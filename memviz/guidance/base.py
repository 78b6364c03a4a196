"""What a guidance method is asked, what it may see, and how its parameters are declared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Observation:
    """What a method sees of one step: its timestep, and every signal recorded before it is taken.

    `signals` maps keys of `memviz.signals.SIGNALS` to the sample's own value; a costly signal is
    there only if the run records it.
    """

    t: int
    signals: Mapping[str, float]

    @property
    def magnitude(self) -> float:
        """The norm of what the prompt adds to the prediction."""
        return self.signals["magnitude"]


@dataclass(frozen=True)
class Transition:
    """The first step at the late scale, and what brought it: "static", "minimum" or "fallback"."""

    step: int
    kind: str


class Guidance(Protocol):
    """A method's answers for one sample, given its own steps so far, newest last."""

    def scale(self, seen: Sequence[Observation]) -> float:
        """The scale of the newest step."""

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """When the late scale began; None while it has not, or where there is none."""


def knob(default: float | str, about: str, low: float = 0, high: float = 1000, **more: Any) -> Any:  # noqa: ANN401
    """A field that carries its help and limits to the form, the command line and the docs.

    `label` names it in full; `when` is the transition that it belongs to, where there are several.
    """
    return field(default=default, metadata={"about": about, "low": low, "high": high, **more})


def scale_knob(default: float, about: str, **more: Any) -> Any:  # noqa: ANN401
    """A scale between -50 and 50."""
    return knob(default, about, -50, 50, **more)

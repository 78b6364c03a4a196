"""What a guidance method is asked, what it may see, and how it declares a scale."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass
from typing import Any, ClassVar, Literal, Protocol

from memviz.errors import InputError
from memviz.settings import setting


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

    def read(self, signal: str) -> float:
        """One signal by its key. Raises InputError if it is not recorded."""
        if signal not in self.signals:
            recorded = ", ".join(self.signals)
            raise InputError(
                f"The signal {signal!r} is not recorded here. Record it, if it is one of the "
                f"costly ones, or let the rule look at one of {recorded}."
            )
        return self.signals[signal]


class UnmeasuredError(Exception):
    """A rule asked for a signal of a step that was not evaluated yet; for the sampling loop."""


class Unmeasured(Mapping[str, float]):
    """The signals of a step before it is evaluated: whoever asks for one learns that."""

    def __getitem__(self, key: str) -> float:
        raise UnmeasuredError(key)

    def __iter__(self) -> Iterator[str]:
        raise UnmeasuredError

    def __len__(self) -> int:
        raise UnmeasuredError


@dataclass(frozen=True)
class Transition:
    """The first step at the late scale, and what brought it: its timestep, a minimum, or none."""

    step: int
    kind: Literal["static", "minimum", "fallback"]


class Guidance(Protocol):
    """A method's answers for one sample, given its own steps so far, newest last.

    A frozen dataclass: equal values are one method. Its answers depend on what was seen and on
    nothing else.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def scale(self, seen: Sequence[Observation]) -> float:
        """The scale of the newest step."""
        ...

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """When the late scale began; None while it has not, or where there is none."""
        ...


def scale_setting(default: float, about: str, **more: object) -> Any:  # noqa: ANN401 - a field
    """A setting that is a scale, between -50 and 50."""
    return setting(default, about, -50, 50, **more)

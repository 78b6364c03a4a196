"""When a two-phase method switches from its early to its late scale: rules that can be swapped."""

from collections.abc import Sequence
from dataclasses import Field, dataclass
from typing import Any, ClassVar, Protocol

from memviz.errors import InputError
from memviz.guidance.base import Observation, Transition
from memviz.guidance.first_minimum import dip
from memviz.settings import check_settings, setting


class Switch(Protocol):
    """A rule that says when the late scale begins: a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """The first step at the late scale; None while it has not come."""
        ...


@dataclass(frozen=True)
class AtTimestep:
    """Switch at the first timestep t <= at.

    The static transition of Jain et al., CVPR 2025, https://arxiv.org/abs/2411.16738, with tau for
    `at`: 500 for Stable Diffusion 2.1 fine-tuned on LAION-10k, 650 with opposite guidance.
    """

    at: float = setting(
        500,
        "timestep of the transition (999 is the noisiest, 0 the last)",
        0,
        1000,
        label="transition timestep",
    )

    def __post_init__(self) -> None:
        """Check the setting. Raises InputError."""
        check_settings(self)

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """The first step with t <= at."""
        step = next((i for i, o in enumerate(seen) if o.t <= self.at), None)
        return None if step is None else Transition(step, "static")


@dataclass(frozen=True)
class FirstMinimum:
    """Switch once a signal has passed its first local minimum, or below timestep `latest`.

    The dynamic transition of Jain et al., CVPR 2025, https://arxiv.org/abs/2411.16738: with d_j the
    magnitude of step j, the first j with d_(j-2) > d_(j-1) < d_j; guidance begins at j, one step
    after the minimum. `rise` asks for d_j > (1 + rise) d_(j-1) instead, so that dips of mere noise
    do not count (0 is the paper's rule). The paper has no fallback; `latest` 0 is none.

    `signal` is the key of any signal that the run records, `magnitude` in the paper.
    """

    latest: float = setting(
        300,
        "timestep below which guidance starts without a minimum (0: never)",
        0,
        1000,
        label="fallback timestep",
    )
    rise: float = setting(
        0,
        "share by which the signal must rise above its minimum to count (0: the paper's rule)",
        0,
        10,
        label="rise that counts",
    )
    signal: str = setting("magnitude", "signal whose first minimum it is", terse=True)

    def __post_init__(self) -> None:
        """Check the settings. Raises InputError."""
        check_settings(self)
        if not self.signal.isidentifier():
            raise InputError(f"signal is {self.signal!r}; give a signal's key, as magnitude.")

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """One step after the minimum, or the fallback."""
        found = dip([o.read(self.signal) for o in seen], self.rise)
        fallback = next((i for i, o in enumerate(seen) if o.t < self.latest), None)
        if found and (fallback is None or found[1] <= fallback):
            return Transition(found[1], "minimum")
        return None if fallback is None else Transition(fallback, "fallback")

"""What a method may change besides the scale: the start, the condition of a step, the prediction.

A method that changes any of them is a `Remedy` and says so by defining the hook; the sampling loop
calls the hooks and knows no method by name. Hooks that take rows get all rows of the method.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from memviz.guidance.base import (
    Guidance,
    Observation,
    Transition,
    Unmeasured,
    UnmeasuredError,
    scale_setting,
)
from memviz.settings import check_settings

if TYPE_CHECKING:
    from torch import Tensor

    from memviz.models.denoiser import Conditioning, Denoiser, NoiseLevel
    from memviz.models.protocols import Pipe


@dataclass(frozen=True, eq=False)
class Row:
    """A sample as it starts: its prompt and seed, its noise (C, h, w), and what the UNet is told.

    A row that keeps an object of another row shares the evaluations made with it.
    """

    prompt: str
    seed: int
    noise: "Tensor"
    uncond: "Conditioning"
    cond: "Conditioning"


@dataclass(frozen=True, eq=False)
class Here:
    """A row at one step: latents and both predictions (C, h, w), and the scale in force."""

    row: Row
    x: "Tensor"
    uncond: "Tensor"
    cond: "Tensor"
    scale: float


class Remedy:
    """A method that changes more than the scale: it defines the hooks that it needs."""

    looks_up: ClassVar[bool] = False  # whether it asks the copy detector of the denoiser

    def refuse(self, pipe: "Pipe") -> str:
        """Why the method does not apply to this model, in a sentence; empty where it does."""
        return ""

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """The rows as they shall start; `level` is that of the first step."""
        return [*rows]

    def step(self, denoiser: "Denoiser", row: Row, level: "NoiseLevel") -> Row:
        """The row as it shall be evaluated at this step."""
        return row

    def correct(
        self, denoiser: "Denoiser", here: Sequence[Here], level: "NoiseLevel"
    ) -> list["Tensor | None"]:
        """What to add to each row's guided prediction, in the model's units; None for nothing."""
        return [None] * len(here)


NOTHING = Remedy()


def remedy(guidance: Guidance) -> Remedy:
    """The hooks of a method; those of one that only sets the scale do nothing."""
    return guidance if isinstance(guidance, Remedy) else NOTHING


def foresee_scale(guidance: Guidance, seen: Sequence[Observation], t: int) -> float | None:
    """The scale of a step that is not evaluated yet.

    None where it depends on what the step will show, or where the method reads both predictions.
    """
    if type(remedy(guidance)).correct is not Remedy.correct:
        return None
    try:
        return float(guidance.scale([*seen, Observation(t, Unmeasured())]))
    except UnmeasuredError:
        return None


@dataclass(frozen=True)
class FullScale(Remedy):
    """A remedy under plain guidance: one scale from the first step on."""

    w: float = scale_setting(7.5, "scale at every step", name="scale")

    def __post_init__(self) -> None:
        """Check the settings. Raises InputError."""
        check_settings(self)

    def scale(self, seen: Sequence[Observation]) -> float:
        """The scale, whatever was seen."""
        return self.w

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """None: the prompt is followed from the first step."""
        return None

"""Guidance methods as values: frozen, comparable, and asked one question, the scale of a step.

The scale w mixes the two predictions of a step: eps_uncond + w (eps_cond - eps_uncond).
0 ignores the prompt, 1 follows it plainly, a negative scale moves away from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from memviz.guidance.base import Observation, Transition, scale_setting
from memviz.guidance.shapes import SHAPES
from memviz.guidance.switch import AtTimestep, Switch
from memviz.settings import check_settings, setting

USUAL = AtTimestep()
SHAPED = "how the full scale varies with the noise level"


@dataclass(frozen=True)
class Constant:
    """One scale at every step: w times the shape's factor of t / 1000.

    Classifier-free guidance of Ho and Salimans, 2022, https://arxiv.org/abs/2207.12598, with
    w = 1 + their guidance strength; 7.5 is what Stable Diffusion is used with.
    """

    w: float = scale_setting(7.5, "scale at every step", name="scale")
    shape: str = setting("static", SHAPED, choices=tuple(SHAPES))

    def __post_init__(self) -> None:
        """Check the settings. Raises InputError."""
        check_settings(self)

    def scale(self, seen: Sequence[Observation]) -> float:
        """The scale, whatever was seen."""
        return self.w * SHAPES[self.shape].factor(seen[-1].t / 1000)

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """None: the prompt is followed from the first step."""
        return None


@dataclass(frozen=True)
class TwoPhase:
    """The early scale until the switch, then the late one times the shape's factor of t / 1000.

    Jain et al., Classifier-Free Guidance inside the Attraction Basin May Cause Memorization,
    CVPR 2025, https://arxiv.org/abs/2411.16738: early = 0 and `AtTimestep` is their static
    transition (STP), early = 0 and `FirstMinimum` their dynamic one (DTP), and early = -s_o < 0
    opposite guidance (OG). The shapes `released-v` and `released-a` bend the early scale, too.
    """

    early: float = scale_setting(
        0,
        "scale before the transition (0 ignores the prompt, below 0 moves away from it)",
        label="scale before",
    )
    late: float = scale_setting(7.5, "scale from the transition on", label="scale after")
    switch: Switch = USUAL
    shape: str = setting("static", SHAPED, choices=tuple(SHAPES))

    def __post_init__(self) -> None:
        """Check the settings. Raises InputError."""
        check_settings(self)

    def scale(self, seen: Sequence[Observation]) -> float:
        """Early or late, by the switch."""
        late, shape = self.transition(seen) is not None, SHAPES[self.shape]
        factor = shape.factor(seen[-1].t / 1000) if late or shape.early else 1.0
        return (self.late if late else self.early) * factor

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """That of the switch."""
        return self.switch.transition(seen)

"""What goes into `sampling.sample` and what comes out: rows, a state to go on from, steps."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from memviz.guidance.base import Guidance


@dataclass(frozen=True)
class Request:
    """One row: a prompt, the seed of its starting noise and how it is guided."""

    prompt: str
    seed: int
    guidance: Guidance


@dataclass(frozen=True)
class ResumeState:
    """The first steps of a stored run, to go on from without evaluating them again.

    What has a default is kept where the run that goes on is the same, broken off.
    """

    predictions: Tensor  # (k, B, C, h, w), guided, as `Step.prediction` gave them
    signals: Sequence[dict[str, list[float]]]  # the columns of each of the k steps
    evaluations: int = 0  # made for them and before the first
    costs: Sequence[list[float]] = ()  # of each step, as the next two
    states: Sequence[list[int]] = ()
    differences: Sequence[Tensor] = ()

    def __len__(self) -> int:
        return len(self.predictions)


@dataclass(frozen=True)
class Step:
    """One model call for all rows.

    `states[i]` is the first row whose sample is the same as row i's after this step, so work on
    x0 or latents need only be done for the rows that are their own state.
    """

    index: int
    t: int
    scales: list[float]
    signals: dict[str, list[float]]  # column -> one value per row
    x0: Tensor  # (B, C, h, w), scaled latents
    latents: Tensor  # (B, C, h, w), after the step
    prediction: Tensor  # (B, C, h, w), guided, in the model's units
    states: list[int]
    evaluations: int  # rows put through the UNet so far
    costs: list[float]  # the evaluations that each row would have needed alone so far
    prompts: list[str]  # what the text encoder read: a method may have changed the prompt
    noise_difference: Tensor | None  # (B, C, h, w), epsilon units, if a final signal needs it

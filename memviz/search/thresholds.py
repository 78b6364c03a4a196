"""From which similarity a picture counts as a copy: the preset's, the corpus' own, a convention."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from memviz.errors import InputError, MemvizError
from memviz.retrieval.descriptors.presets import CONVENTIONS, Preset
from memviz.retrieval.index.background import (
    FalsePositives,
    Threshold,
    calibrated,
    count_false_positives,
)
from memviz.retrieval.verdict import CopyThresholds

STRICT, LOOSER = 0.999, 0.99  # quantiles of the background from which a picture is copied, close


@dataclass(frozen=True)
class ThresholdChoice:
    """The thresholds in use, and the corpus' own beside them."""

    used: CopyThresholds
    own: Threshold | None  # None where the corpus is too small to have one
    false_positives: FalsePositives | None  # of the one in use

    def to_json(self) -> dict[str, object]:
        """As summary.json has it."""
        return {
            "used": vars(self.used),
            "background": self.own and vars(self.own),
            "false_positives": self.false_positives
            and vars(self.false_positives) | {"sentence": self.false_positives.sentence},
        }


def marks(choice: str, preset: Preset, background: np.ndarray, duplicate: float) -> ThresholdChoice:
    """`choice` is "preset", "background" or a similarity between 0 and 1.

    Training images that are `duplicate` or more alike are no measure of looking alike.
    """
    own = close = None
    with suppress(MemvizError):
        own, close = (calibrated(background, duplicate, q) for q in (STRICT, LOOSER))
    match choice:
        case "preset":
            used = preset.thresholds
        case "background":
            used = _of_background(own, close)
        case _:
            used = _convention(choice, preset)
    return ThresholdChoice(used, own, count_false_positives(background, used.copied, duplicate))


def _of_background(own: Threshold | None, close: Threshold | None) -> CopyThresholds:
    if own is None or close is None:
        raise InputError(
            "This corpus has too few distinct pictures for a threshold of its own. Use preset."
        )
    source = f"{own.source}; {close.quantile:.1%} are less alike than {close.value:.2f}"
    return CopyThresholds(own.value, close.value, source)


def _convention(choice: str, preset: Preset) -> CopyThresholds:
    try:
        value = float(choice)
    except ValueError:
        value = float("nan")
    if not 0 < value <= 1:
        raise InputError(
            f"The threshold is {choice!r}. Give preset, background, or a number such as 0.5, 0.75."
        )
    whose = CONVENTIONS.get(value, "given")
    return CopyThresholds(value, min(value, preset.close), f"{value:g}: {whose}")

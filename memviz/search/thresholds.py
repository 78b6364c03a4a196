"""From which similarity a picture counts as a copy: the preset's, the corpus' own, a convention."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from memviz.errors import InputError, MemvizError
from memviz.retrieval.descriptors.presets import CONVENTIONS, Preset
from memviz.retrieval.index.background import Threshold, calibrated
from memviz.retrieval.verdict import CopyThresholds

LOOSER = 0.99  # quantile of the background from which a picture is close


@dataclass(frozen=True)
class ThresholdChoice:
    """The thresholds in use, and the corpus' own beside them."""

    used: CopyThresholds
    own: Threshold | None  # None where the corpus is too small to have one

    def to_json(self) -> dict[str, object]:
        """As summary.json has it."""
        return {"used": vars(self.used), "background": self.own and vars(self.own)}


def marks(choice: str, preset: Preset, background: np.ndarray) -> ThresholdChoice:
    """`choice` is "preset", "background" or a similarity between 0 and 1."""
    own = close = None
    with suppress(MemvizError):
        own, close = calibrated(background), calibrated(background, LOOSER)
    match choice:
        case "preset":
            return ThresholdChoice(preset.thresholds, own)
        case "background":
            return ThresholdChoice(_of_background(own, close), own)
    return ThresholdChoice(_convention(choice, preset), own)


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

"""Numbers to plain words. Two questions that must not be confused, each with its threshold said.

*Is this picture a copy?* The similarity to the nearest training picture, against two thresholds.
*Does this prompt look memorized?* The magnitude of the first steps, against ordinary prompts.
A low similarity proves nothing beyond the pictures looked at, so no word says "not memorized".
"""

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["copied", "close", "none", "memorized", "ordinary", "unknown"]


@dataclass(frozen=True)
class Thresholds:
    """Similarities from which a picture counts as close or copied; `source` says whose they are."""

    copied: float
    close: float
    source: str


@dataclass(frozen=True)
class Verdict:
    """A word to show, a sentence with the numbers behind it, and a key for colours and counting."""

    word: str
    reason: str
    kind: Kind


def verdict(similarity: float, n_images: int, thresholds: Thresholds) -> Verdict:
    """Is the picture a copy of one of `n_images` training pictures?"""
    value, t = _checked(similarity), thresholds
    if value is None:
        return Verdict("No similarity", "The similarity is not a number.", "unknown")
    if value >= t.copied:
        reason = (
            f"{value:.2f} is at or above {t.copied:.2f}, the threshold for a copy ({t.source})."
        )
        return Verdict("Copied", reason, "copied")
    if value >= t.close:
        reason = (
            f"{value:.2f} is below {t.copied:.2f} (copied) but not below {t.close:.2f} (close) "
        )
        return Verdict("Close", f"{reason}({t.source}).", "close")
    return Verdict(f"No copy found among {n_images:,} images", _far(value, n_images, t), "none")


def _far(value: float, n_images: int, t: Thresholds) -> str:
    nearest = f"The nearest of {n_images:,} training images has {value:.2f}, below {t.close:.2f}"
    return f"{nearest} ({t.source}). Images outside this set were not looked at."


def _checked(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None

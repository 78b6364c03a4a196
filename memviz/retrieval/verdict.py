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
class CopyThresholds:
    """Similarities from which a picture counts as close or copied; `source` says whose they are."""

    copied: float
    close: float
    source: str


@dataclass(frozen=True)
class Verdict:
    """A word to show, a sentence with the numbers behind it, and a key for colors and counting."""

    word: str
    reason: str
    kind: Kind


def judge_similarity(similarity: float, n_images: int, thresholds: CopyThresholds) -> Verdict:
    """Is a picture a copy, whose nearest of `n_images` training pictures has this similarity?"""
    t = thresholds
    if not math.isfinite(similarity):
        return Verdict("No similarity", "The similarity is not a number.", "unknown")
    value = f"{similarity:.2f}"
    if similarity >= t.copied:
        reason = f"{value} is at or above {t.copied:.2f}, the threshold for a copy ({t.source})."
        return Verdict("Copied", reason, "copied")
    if similarity >= t.close:
        reason = f"{value} is below {t.copied:.2f} (copied) but not below {t.close:.2f} (close)"
        return Verdict("Close", f"{reason} ({t.source}).", "close")
    reason = (
        f"The nearest of {n_images:,} training images has {value}, below {t.close:.2f} "
        f"({t.source}). Images outside this set were not looked at."
    )
    return Verdict(f"No copy found among {n_images:,} images", reason, "none")


def judge_misfit(similarity: float, why: str) -> Verdict:
    """No verdict, where the descriptor is not made for the corpus."""
    reason = f"{why} Its {similarity:.2f} does not tell whether the picture is a copy."
    return Verdict("Not judged", reason, "unknown")


def judge_blank(why: str, otherwise: Verdict) -> Verdict:
    """The verdict on a picture that is too empty to be judged; `otherwise` is what it would be."""
    about = f"A near-empty picture ({why}) is like any other one, so it is not judged."
    return Verdict("Too empty to judge", f"{about} {otherwise.reason}", "unknown")

"""The story that a run tells: one copied picture, and the same noise under a method that avoids it.

Every sentence is made from the run, so that none can say what the pictures beside it do not show.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from memviz.guidance.registry import CORE, METHODS
from memviz.runs.record import CellRecord, RunRecord
from memviz.ui.shared import sentences

Curves = Mapping[int, Mapping[str, Sequence[float | None]]]
YOURS = "Look a picture of yours up among the training images, or watch a model learn to copy."


def make_story(record: RunRecord, curves: Curves) -> dict[str, Any] | None:
    """A copied cell, one beside it that is none, and a sentence on each; None if there are none."""
    pair = find_pair(record.cells)
    if pair is None:
        return None
    copy, other = pair
    step = find_crossing(record, curves, copy)
    return {
        "copy": copy.number,
        "other": other.number,
        "step": step,
        "title": f"This model copies: “{copy.prompt}”",
        "copied": copied_words(copy),
        "decided": decided_words(record, copy, step),
        "changed": changed_words(record, other),
        "yours": YOURS,
    }


def find_pair(cells: Sequence[CellRecord]) -> tuple[CellRecord, CellRecord] | None:
    """A copy, and a picture from the same prompt and noise that is none; core methods first."""
    rank = {key: place for place, key in enumerate(CORE)}
    order = sorted(cells, key=lambda c: rank.get(c.method, len(rank)))
    for copy in order:
        for other in order:
            same = (copy.prompt, copy.seed) == (other.prompt, other.seed)
            if same and copy.match and sentences.copied(copy) and other.kind == "none":
                return copy, other
    return None


def find_crossing(record: RunRecord, curves: Curves, cell: CellRecord) -> int | None:
    """The step from which on the estimate stays a copy."""
    mark = record.copy_mark
    values = curves.get(cell.number, {}).get("similarity", [])
    if mark is None or not values:
        return None
    below = [i for i, value in enumerate(values) if value is None or value < mark]
    step = below[-1] + 1 if below else 0
    return step if step < len(values) else None


def copied_words(cell: CellRecord) -> str:
    """Which training image came back, and how like it."""
    number = cell.match.id if cell.match else ""
    near = f"similarity {cell.similarity or 0:.2f}, where 1 is the same picture"
    return f"Under {name_method(cell)} training image #{number} came back: {near}."


def decided_words(record: RunRecord, cell: CellRecord, step: int | None) -> str:
    """When that was settled."""
    if step is None:
        return "How close each step's estimate of the picture is to its nearest training image."
    at = f"From step {step} of {record.request.steps} on"
    return f"{at} it was heading for a copy under {name_method(cell)}: above the dotted mark."


def changed_words(record: RunRecord, other: CellRecord) -> str:
    """What the other method did with the same noise."""
    mark = record.copy_mark
    least = f"; a copy begins at {mark:.2f}" if mark is not None else ""
    near = f"Its nearest training image is {other.similarity or 0:.2f} similar{least}."
    return f"The same prompt and noise, {sentences.switch(other)}. {near}"


def name_method(cell: CellRecord) -> str:
    """A method's name in a sentence."""
    if cell.method == "cfg":
        return "plain guidance (CFG)"
    return METHODS[cell.method].label if cell.method in METHODS else cell.method

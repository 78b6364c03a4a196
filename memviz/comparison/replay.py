"""A run made again from what its record says, and how far the pictures differ."""

from collections.abc import Generator

import numpy as np

from memviz.comparison.compare import compare
from memviz.comparison.recorder import StepView
from memviz.comparison.request import ComparisonRequest
from memviz.errors import InputError
from memviz.runs.record import RequestRecord, RunRecord
from memviz.runs.store import Run


def replay(record: RunRecord) -> Generator[StepView, None, None]:
    """Make a run again, as a new run of the user's. Raises a MemvizError for what is not there."""
    return compare(read_request(record.request), title=f"{record.title} (again)")


def read_request(asked: RequestRecord) -> ComparisonRequest:
    """What a record asked for; pictures that went on from kept ones are made from the start."""
    return ComparisonRequest(**asked.model_dump(exclude={"since", "keep"}))


def measure_difference(one: Run, other: Run) -> int:
    """The largest difference of two runs' pictures over pixels and channels, of 255.

    Raises InputError where they have no pictures of the same cells and sizes.
    """
    if len(one.record.cells) != len(other.record.cells) or not one.record.cells:
        raise InputError(
            "The two runs do not have the same pictures. Compare a run and its replay."
        )
    return max(difference_of_cells(one, other, cell.number) for cell in one.record.cells)


def difference_of_cells(one: Run, other: Run, number: int) -> int:
    """The largest difference of one cell's pictures."""
    first, second = (np.asarray(run.image(number).convert("RGB"), int) for run in (one, other))
    if first.shape != second.shape:
        raise InputError(f"Picture {number} has another size: the model here makes others.")
    return int(np.abs(first - second).max())

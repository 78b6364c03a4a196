"""The first local minimum of a curve, as Jain et al. (CVPR 2025) read it off the magnitude."""

import math
from collections.abc import Sequence
from itertools import pairwise


def first_minimum(values: Sequence[float]) -> int | None:
    """Index of the first local minimum, known once a later value is higher; None if there is none.

    A fall, then a rise: `values[i-1] > values[i] < values[i+1]` (Jain et al.). A level stretch
    between the two counts, at its first index; the ends never do; NaN is no fall and no rise.
    """
    found = dip(values)
    return found and found[0]


def dip(values: Sequence[float], rise: float = 0) -> tuple[int, int] | None:
    """The first minimum's index and that of the value which reveals it.

    `rise` is the share by which a value must exceed the minimum to reveal it; 0 is the paper's
    rule, more overlooks dips of mere noise.
    """
    lowest = None
    for i, (before, now) in enumerate(pairwise(values), 1):
        if now < (before if lowest is None else values[lowest]):
            lowest = i
        elif lowest is not None and now > values[lowest] * (1 + rise):
            return lowest, i
        elif math.isnan(now):  # no fall and no rise
            lowest = None
    return None

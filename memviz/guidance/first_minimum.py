"""The first local minimum of a curve, as Jain et al. (CVPR 2025) read it off the magnitude.

Their rule takes any dip. `prominent_minimum` takes only those that a curve falls to and climbs out
of by a share of their depth, and so can say that a curve has none.
"""

import math
from collections.abc import Sequence
from itertools import pairwise, takewhile

PROMINENT = 0.5  # share; 98 % of the demo's duplicated curves have as much, 3 % of others


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


def prominence(values: Sequence[float], at: int) -> float:
    """The share by which a curve stands above one of its values before it and after it; 0 or more.

    min(max before, max after) / value - 1, each maximum of the stretch up to the next lower value;
    infinite where the value is 0, and 0 at the ends. Unlike a fall in deviations of the curve it
    does not count what merely falls, or merely rises, from end to end.
    """
    low = values[at]
    before, after = reversed(values[:at]), values[at + 1 :]
    heights = [max(takewhile(lambda v: v >= low, side), default=low) for side in (before, after)]
    rise = min(heights) - low
    return (rise / low if low else math.inf) if rise > 0 else 0.0


def prominent_minimum(values: Sequence[float], least: float = PROMINENT) -> int | None:
    """Index of the first local minimum with at least this prominence, if any.

    Of a level stretch at the bottom it is the first; what the curve does later may reveal a
    minimum but never moves it.
    """
    inside = range(1, len(values) - 1)
    minima = (i for i in inside if values[i - 1] > values[i] <= values[i + 1])
    return next((i for i in minima if prominence(values, i) >= least), None)

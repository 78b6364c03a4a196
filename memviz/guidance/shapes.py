"""How the full scale varies with the noise level u = t / 1000: 1 at the first step, 0 at the last.

The formulas are those of the released code of Jain et al. (CVPR 2025,
https://github.com/SonyResearch/mitigating_memorization). Its `v` and `a` are here as `released-v`
and `released-a`; ours of these names reach 0 and 1, so that they end at no and at full guidance.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A factor of the scale by noise level; `early`: of the scale before the transition, too."""

    factor: Callable[[float], float]
    early: bool = False


SHAPES: dict[str, Shape] = {
    "static": Shape(lambda u: 1.0),
    "linear": Shape(lambda u: 1 - u),
    "invlinear": Shape(lambda u: u),
    "cosine": Shape(lambda u: 1 + math.cos(math.pi * u)),
    "sine": Shape(lambda u: 1 + math.sin(math.pi * u - math.pi / 2)),
    "v": Shape(lambda u: abs(2 * u - 1)),
    "a": Shape(lambda u: 1 - abs(2 * u - 1)),
    "released-v": Shape(lambda u: min(u, 1 - u), early=True),
    "released-a": Shape(lambda u: max(u, 1 - u), early=True),
}

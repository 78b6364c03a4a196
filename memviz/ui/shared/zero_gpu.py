"""Live runs on a Space with ZeroGPU: a GPU is lent to a process of its own, for a while.

The demo stays on the CPU: it is made in seconds there, and a visitor's share of a GPU is short.
What comes back is the view of each step, plain JSON; the run's folder is written over there.
"""

import os
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from importlib import import_module
from math import ceil
from typing import Any, TypeVar

from memviz.models.loading import LENT
from memviz.ui.shared.start_run import Work

T = TypeVar("T")
View = dict[str, Any]
LOAD = 30.0  # seconds until a model of some GB is read
EACH = 0.05  # seconds of one step of one picture, both predictions and what is looked up: a guess
LEAST, MOST = 45, 120  # seconds that are asked for: no more than a visitor without an account has

try:
    SPACES: Any = import_module("spaces")  # it wants to come before anything of CUDA
except ModuleNotFoundError:
    SPACES = None


def estimate_seconds(work: Work, _: Callable[..., View]) -> int:
    """How long the GPU is wanted, from steps times pictures."""
    ask = work.ask
    pictures = len(ask.prompts) * len(ask.methods) * len(ask.seeds)
    return min(MOST, max(LEAST, ceil(LOAD + EACH * ask.steps * pictures)))


def make_views(work: Work, look: Callable[..., View]) -> Generator[View]:
    """The view of every step, made where the GPU is."""
    os.environ[LENT] = "1"
    with closing(work()) as steps:
        for progress in steps:
            yield look(progress)


if SPACES:  # it must exist when a Space starts, and does nothing where no GPU is lent
    make_views = SPACES.GPU(duration=estimate_seconds)(make_views)


def lend(
    work: Callable[[], Generator[T]], look: Callable[[T], View]
) -> tuple[Callable[[], Generator[Any]], Callable[[Any], View]]:
    """The same work, on a lent GPU where this is ZeroGPU and the model is worth it."""
    zero = SPACES and os.environ.get("SPACES_ZERO_GPU")
    if not zero or not isinstance(work, Work) or work.ask.model.partition("-")[0] == "demo":
        return work, look
    return partial(make_views, work, look), lambda view: view

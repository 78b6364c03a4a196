"""See a diffusion model copy its training data, see when that was decided, and avoid it.

import memviz as mv

run = mv.compare(mv.load_model("demo"), ["vintage fox poster with cactus"], ["cfg", "stp"])
run.results, run.trace, run.figure()
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memviz.api import compare, detect, sweep
    from memviz.errors import InputError, MemvizError
    from memviz.guidance.base import Guidance, Observation, Transition
    from memviz.guidance.registry import METHODS, register
    from memviz.guidance.switch import AtTimestep, FirstMinimum
    from memviz.guidance.transition import Constant, TwoPhase
    from memviz.models.schedulers import scheduler
    from memviz.resources import load_clip, load_detector, load_model
    from memviz.retrieval.copy_detector import CopyDetector, Match
    from memviz.runs.store import Run
    from memviz.runs.store import read as open_run
    from memviz.sampling.generate import Generated, generate
    from memviz.sampling.loop import sample
    from memviz.sampling.types import Request

__version__ = "0.1.0"
__all__ = [
    "METHODS",
    "AtTimestep",
    "Constant",
    "CopyDetector",
    "FirstMinimum",
    "Generated",
    "Guidance",
    "InputError",
    "Match",
    "MemvizError",
    "Observation",
    "Request",
    "Run",
    "Transition",
    "TwoPhase",
    "compare",
    "detect",
    "generate",
    "load_clip",
    "load_detector",
    "load_model",
    "open_run",
    "register",
    "sample",
    "scheduler",
    "sweep",
]

_HOMES = {
    "memviz.api": ("compare", "detect", "sweep"),
    "memviz.errors": ("InputError", "MemvizError"),
    "memviz.guidance.base": ("Guidance", "Observation", "Transition"),
    "memviz.guidance.registry": ("METHODS", "register"),
    "memviz.guidance.switch": ("AtTimestep", "FirstMinimum"),
    "memviz.guidance.transition": ("Constant", "TwoPhase"),
    "memviz.models.schedulers": ("scheduler",),
    "memviz.resources": ("load_clip", "load_detector", "load_model"),
    "memviz.retrieval.copy_detector": ("CopyDetector", "Match"),
    "memviz.runs.store": ("Run", "open_run"),
    "memviz.sampling.generate": ("Generated", "generate"),
    "memviz.sampling.loop": ("sample",),
    "memviz.sampling.types": ("Request",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_OTHER_NAME = {"open_run": "read"}


def __getattr__(name: str) -> object:
    """A public name, imported when it is first asked for: `import memviz` loads nothing heavy."""
    if name not in _HOME:
        raise AttributeError(f"module 'memviz' has no attribute {name!r}")
    found = getattr(import_module(_HOME[name]), _OTHER_NAME.get(name, name))
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return sorted([*globals(), *__all__])

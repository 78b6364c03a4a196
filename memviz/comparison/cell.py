"""A cell, one prompt x method x seed: what is to be made."""

from dataclasses import dataclass

from memviz.guidance.base import Guidance
from memviz.guidance.spec import MethodSpec


@dataclass(frozen=True)
class CellSpec:
    """One prompt x method x seed, and its number in the run."""

    number: int
    prompt: str
    method: str  # its key in METHODS, or a name of the user's
    guidance: Guidance
    seed: int

    @property
    def spec(self) -> str:
        """The method spelled out in full."""
        return str(MethodSpec(self.method, self.guidance))

    @property
    def label(self) -> str:
        """What the method is called."""
        return MethodSpec(self.method, self.guidance).label

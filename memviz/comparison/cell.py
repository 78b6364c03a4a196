"""A cell, one prompt x method x seed: what is to be made."""

from dataclasses import dataclass

from memviz.guidance.base import Guidance
from memviz.guidance.spec import spec


@dataclass(frozen=True)
class CellSpec:
    """One prompt x method x seed, and its number in the run."""

    number: int
    prompt: str
    method: str  # its key in METHODS
    guidance: Guidance
    seed: int

    @property
    def spec(self) -> str:
        """The method spelled out in full."""
        return spec(self.method, self.guidance)

"""A cell, one prompt x method x seed, while it is made: its trace so far and what it leaves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from memviz.guidance.base import Guidance, Observation
from memviz.guidance.registry import METHODS
from memviz.guidance.spec import spec
from memviz.runs import trace
from memviz.signals import observe


@dataclass
class Cell:
    """One prompt x method x seed while it is made."""

    number: int
    prompt: str
    key: str
    guidance: Guidance
    seed: int
    rows: list[dict[str, Any]] = field(default_factory=list)  # of the trace
    tiles: list[np.ndarray] = field(default_factory=list)  # x0 estimates, uint8 (h, w, 3)
    vectors: list[np.ndarray] = field(default_factory=list)  # of the x0 estimates
    predictions: list[Any] = field(default_factory=list)  # kept on request, (C, h, w) a step
    tokens: list[str] = field(default_factory=list)  # where the attention on them was recorded
    cost: float = 0.0  # evaluations it would have needed alone
    read: str = ""  # the prompt that the network read, where a method changed it
    kept: int = 0  # bytes of the predictions on disk
    state: str = "running"
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def seen(self) -> list[Observation]:
        """The signals that the method has looked at."""
        return [observe(r["t"], r) for r in self.rows]

    def newest(self) -> Image.Image | None:
        """The x0 estimate of the last step that was looked at."""
        return Image.fromarray(self.tiles[-1]) if self.tiles else None

    def to_json(self) -> dict[str, Any]:
        """As run.json keeps it."""
        return {
            "cell": self.number,
            "prompt": self.prompt,
            "method": self.key,
            "label": METHODS[self.key].label,
            "spec": spec(self.key, self.guidance),
            "seed": self.seed,
            "state": self.state,
            "evaluations": round(self.cost, 2),
            "prompt_read": self.read if self.read != self.prompt else None,
            "kept_bytes": self.kept,
            "tokens": self.tokens or None,
            **switched(self),
            **self.result,
        }


def switched(cell: Cell) -> dict[str, Any]:
    """Where guidance set in, and where the magnitude had its first minimum."""
    seen = cell.seen
    change, minimum = cell.guidance.transition(seen), trace.estimated(seen)
    clear = trace.prominent(seen)
    return {
        "transition_step": change.step if change else None,
        "transition_timestep": seen[change.step].t if change else None,
        "transition_kind": change.kind if change else "none",
        "estimated_step": minimum,
        "estimated_timestep": None if minimum is None else seen[minimum].t,
        "estimated_prominence": None if minimum is None else prominence(seen, minimum),
        "prominent_timestep": None if clear is None else seen[clear].t,
    }


def prominence(seen: Sequence[Observation], step: int) -> float:
    """How deep the minimum at a step is, in deviations of the curve."""
    return round(trace.prominence([s.magnitude for s in seen], step), 4)


def parameters(cell: Cell, run: Mapping[str, Any]) -> PngImagePlugin.PngInfo:
    """The PNG text chunks of a finished picture: a line for people, JSON for programs."""
    asked = run["asked"]
    line = (
        f"{cell.prompt}\nSteps: {asked['steps']}, Sampler: {asked['scheduler']}, "
        f"Method: {spec(cell.key, cell.guidance)}, Seed: {cell.seed}, Model: {asked['model']}"
    )
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", line)
    text.add_text("memviz", json.dumps({"run": run["id"]} | cell.to_json()))
    return text

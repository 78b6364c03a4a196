"""Does a prompt look memorized? A score per prompt from the first steps, against the benign band.

The score of Wen et al. (https://arxiv.org/abs/2407.21720): the mean magnitude over the first k
steps under plain guidance, averaged over n pictures. No more steps are made than are used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from memviz import resources
from memviz.data.prompts import Prompt
from memviz.detection import reference_bands
from memviz.detection.roc import told
from memviz.detection.verdict import prompt_signal
from memviz.errors import InputError
from memviz.guidance.base import Guidance
from memviz.guidance.model_defaults import own, plain_guidance
from memviz.models.loading import Model
from memviz.sampling.generate import denoise
from memviz.sampling.types import Request

ROWS = 32  # prompts x pictures denoised together


@dataclass(frozen=True)
class Detection:
    """What to look at: a model, its schedule, and which readings of the score are wanted."""

    prompts: Sequence[Prompt]
    model: str = "demo"
    steps: int = 50
    scheduler: str = "ddim"
    used: Sequence[int] = (1, 5, 0)  # first steps of each reading; 0 is all of them
    images: Sequence[int] = (1, 4)
    spacing: str = ""
    size: int | None = None
    dtype: str = ""

    def __post_init__(self) -> None:
        """Say what is wrong before anything is loaded."""
        for k in self.used:
            if not 0 <= k <= self.steps:
                raise InputError(f"--steps-used has {k}; give 1 to {self.steps}, or all.")
        if not self.images or min(self.images) < 1:
            raise InputError("--images wants numbers from 1 on, as 1,4.")


def detect(
    asked: Detection, note: Callable[[str], object] = print, model: Model | None = None
) -> dict[str, Any]:
    """Scores and verdicts per prompt, and how well they tell where the prompts have labels."""
    model = model or resources.load_model(asked.model, asked.dtype)
    guidance = plain_guidance(own(model))
    rows = magnitudes(model, asked, guidance, note)  # (prompts, pictures, steps)
    grid = asked.scheduler, asked.steps, guidance.w, asked.spacing, asked.size
    found = reference_bands.find(model, *grid)
    readings = {name(k, n): rows[:, :n, : k or asked.steps].mean((1, 2))
                for k, n in product(asked.used, asked.images)}  # fmt: skip
    return {
        "model": {"name": model.name, "hash": model.hash},
        "steps": asked.steps,
        "scheduler": asked.scheduler,
        "spacing": asked.spacing,
        "size": asked.size,
        "scale": guidance.w,
        "band": found.note(*(p.text for p in asked.prompts)),
        "prompts": [
            {
                "prompt": p.text,
                "label": p.label,
                "scores": {key: round(float(v[i]), 4) for key, v in readings.items()},
                "verdict": judged(found.of(p.text), rows[i, 0], asked),
            }
            for i, p in enumerate(asked.prompts)
        ],
        "readings": {key: measured(values, asked.prompts) for key, values in readings.items()},
    }


def name(k: int, n: int) -> str:
    """A reading by its steps and pictures: `k5_n4`, `all_n1`."""
    return f"{f'k{k}' if k else 'all'}_n{n}"


def magnitudes(
    model: Model, asked: Detection, guidance: Guidance, note: Callable[[str], object]
) -> np.ndarray:
    """(prompts, pictures, steps) under plain guidance; as many steps as any reading uses."""
    longest = asked.steps if 0 in asked.used else max(asked.used)
    pairs = [(p.text, s) for p in asked.prompts for s in range(max(asked.images))]
    found: list[list[float]] = []
    for start in range(0, len(pairs), ROWS):
        note(f"{start} of {len(pairs)} pictures")
        requests = [Request(p, s, guidance) for p, s in pairs[start : start + ROWS]]
        made = denoise(
            model,
            requests,
            steps=asked.steps,
            scheduler=asked.scheduler,
            spacing=asked.spacing,
            size=asked.size,
            first=longest,
        )
        found += [trajectory.signals["magnitude"] for trajectory in made]
    return np.array(found).reshape(len(asked.prompts), max(asked.images), longest)


def judged(band: reference_bands.Band, magnitudes: np.ndarray, asked: Detection) -> str:
    """The words on the first picture's first reading, against ordinary prompts."""
    k = asked.used[0] or asked.steps
    limits = band.range("magnitude_mean", k - 1)
    limits = limits or (band.range("magnitude", 0) if k == 1 else None)
    return prompt_signal(float(magnitudes[:k].mean()), limits).word


def measured(scores: np.ndarray, prompts: Sequence[Prompt]) -> dict[str, Any] | None:
    """How well a reading tells; hard negatives apart. None where the prompts have no labels."""
    by = {
        label: [float(s) for s, p in zip(scores, prompts, strict=True) if p.label == label]
        for label in ("memorized", "ordinary", "hard")
    }
    if not (by["memorized"] and by["ordinary"]):
        return None
    found = told(by["memorized"], by["ordinary"])
    return found | {"hard": told(by["memorized"], by["hard"]) if by["hard"] else None}

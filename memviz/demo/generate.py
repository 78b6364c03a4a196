"""Finished pictures in groups, for judging: not a run, nothing is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from memviz.guidance.base import Observation
from memviz.models import decode
from memviz.models.loading import scheduler
from memviz.sampling.loop import sample
from memviz.sampling.types import Request, Step
from memviz.signals import observe

SCHEDULER = "ddim"
ROWS = 64  # requests denoised together


@dataclass(frozen=True)
class Made:
    """One finished picture: what was asked, its magnitudes, its switch and what it shows."""

    request: Request
    magnitudes: list[float]
    kind: str
    step: int | None
    image: Image.Image


def make(
    pipe: Any,  # noqa: ANN401
    requests: Sequence[Request],
    steps: int,
    name: str = SCHEDULER,
) -> Iterator[Made]:
    """Denoise requests in groups; pictures in the order asked."""
    for start in range(0, len(requests), ROWS):
        group = requests[start : start + ROWS]
        past = list(sample(pipe, group, scheduler(pipe, name, steps)))
        images = decode.pictures(decode.decode(pipe, past[-1].latents))
        for i, (request, image) in enumerate(zip(group, images, strict=True)):
            magnitudes = [s.signals["magnitude"][i] for s in past]
            change = request.guidance.transition(seen(past, i))
            kind, step = (change.kind, change.step) if change else ("none", None)
            yield Made(request, magnitudes, kind, step, image)


def seen(past: Sequence[Step], row: int) -> list[Observation]:
    """What the method of one row has seen."""
    return [observe(s.t, {k: v[row] for k, v in s.signals.items()}) for s in past]

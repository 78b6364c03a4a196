"""Requests to finished pictures with all that was recorded of them: nothing is written.

for made in generate(model, [Request("a fox", seed=0, guidance=Constant(7.5))]):
    made.image.save(f"{made.request.seed}.png")
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from torch import Tensor

from memviz.guidance.base import Observation, Transition
from memviz.models import decode, schedulers
from memviz.models.loading import Model
from memviz.models.protocols import Pipe
from memviz.retrieval.copy_detector import CopyDetector, Match
from memviz.sampling.loop import sample
from memviz.sampling.types import Request
from memviz.signals import observe
from memviz.signals.costly import FinalSignals

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

BATCH = 64  # requests denoised together


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What was recorded of one request while it was denoised."""

    request: Request
    timesteps: list[int]
    scales: list[float]  # of guidance, one per step
    signals: dict[str, list[float]]  # column -> one value per step
    latents: Tensor  # (C, h, w), after the last step that was made
    evaluations: float  # rows through the UNet that it would have needed alone
    prompt: str  # what the text encoder read: a method may have changed the prompt

    @property
    def observations(self) -> list[Observation]:
        """What its method saw, step by step."""
        return [
            observe(t, {name: values[i] for name, values in self.signals.items()})
            for i, t in enumerate(self.timesteps)
        ]

    @property
    def transition(self) -> Transition | None:
        """When its method went over to the late scale, if it did."""
        return self.request.guidance.transition(self.observations)


@dataclass(frozen=True, eq=False)
class Generated:
    """A finished picture: its trajectory, what it shows, and what a copy detector finds."""

    trajectory: Trajectory
    image: "Image.Image"  # 8-bit RGB, as it is saved
    vector: "np.ndarray | None" = None  # (D,), by the detector's descriptor
    matches: Sequence[Match] = ()  # training pictures, best first

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.trajectory.request

    @property
    def signals(self) -> dict[str, list[float]]:
        """Column -> one value per step."""
        return self.trajectory.signals


def generate(
    model: Model | Pipe,
    requests: Sequence[Request],
    *,
    steps: int = 50,
    scheduler: str = "ddim",
    spacing: str = "",
    size: int | None = None,
    batch: int = BATCH,
    extra: Sequence[str] = (),
    detector: CopyDetector | None = None,
    matches: int = 1,
    measure: bool = True,
) -> Iterator[Generated]:
    """Make a picture of each request, in their order, `batch` at a time.

    A picture does not depend on the others of its batch (of the signals, `agreement` alone does,
    which compares seeds). `spacing` of the timesteps is as for `models.schedulers.scheduler`,
    `size` in pixels a side, by default the model's own. `extra` names costly signals to record;
    with a `detector` each picture has its vector and its `matches` nearest training pictures.
    Without `measure` it is faster and records no signals but those that a method's rule reads
    (see `sample`). Raises InputError or ModelError.
    """
    for start in range(0, len(requests), batch):
        some = requests[start : start + batch]
        made = denoise(
            model,
            some,
            steps=steps,
            scheduler=scheduler,
            spacing=spacing,
            size=size,
            extra=extra,
            detector=detector,
            measure=measure,
        )
        yield from finish(model, made, detector, matches)


def denoise(
    model: Model | Pipe,
    requests: Sequence[Request],
    *,
    steps: int = 50,
    scheduler: str = "ddim",
    spacing: str = "",
    size: int | None = None,
    extra: Sequence[str] = (),
    detector: CopyDetector | None = None,
    first: int | None = None,
    measure: bool = True,
) -> list[Trajectory]:
    """Denoise requests together, no further than the `first` steps where that is given."""
    if not requests:
        return []
    pipe = pipe_of(model)
    grid = schedulers.scheduler(pipe, scheduler, steps, spacing)
    last, timesteps, scales = None, list[int](), list[list[float]]()
    columns: dict[str, list[Any]] = {}  # by step, then by row
    events = sample(pipe, requests, grid, detector, extra, size=size, measure=measure)
    for event in islice(events, first):
        if isinstance(event, FinalSignals):
            columns |= {name: [*zip(*rows, strict=True)] for name, rows in event.signals.items()}
            continue
        last = event  # the tensors of the steps before are let go
        timesteps.append(event.t)
        scales.append(event.scales)
        for name, values in event.signals.items():
            columns.setdefault(name, []).append(values)
    assert last is not None
    return [
        Trajectory(
            request,
            timesteps,
            [row[i] for row in scales],
            {name: [values[i] for values in table] for name, table in columns.items()},
            last.latents[i],
            last.costs[i],
            last.prompts[i],
        )
        for i, request in enumerate(requests)
    ]


def finish(
    model: Model | Pipe,
    trajectories: Sequence[Trajectory],
    detector: CopyDetector | None = None,
    matches: int = 1,
) -> list[Generated]:
    """Decode the latents of finished trajectories, and look the pictures up."""
    import torch

    if not trajectories:
        return []
    latents = torch.stack([t.latents for t in trajectories])
    images = decode.pictures(decode.decode(pipe_of(model), latents))
    if detector is None:
        return [Generated(*pair) for pair in zip(trajectories, images, strict=True)]
    vectors = detector.embed(images)
    found = detector.match_vectors(vectors, matches)
    return [Generated(*parts) for parts in zip(trajectories, images, vectors, found, strict=True)]


def pipe_of(model: Model | Pipe) -> Pipe:
    """The pipeline of a loaded model, or the one given."""
    return model.pipe if isinstance(model, Model) else model

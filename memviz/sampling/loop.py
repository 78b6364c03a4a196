"""The denoising loop: a generator over diffusers components that yields one Step per model call.

Rows of a batch are independent: each has its prompt, seed and guidance. Rows whose past is still
the same share their model evaluations, so that four methods cost little more than one until they
part. Nothing is drawn, saved or printed here; stop reading and it stops.
"""

from collections.abc import Iterator, Sequence

import torch

from memviz.errors import InputError
from memviz.guidance.base import Guidance
from memviz.guidance.mitigation import remedy
from memviz.models.denoiser import Denoiser
from memviz.models.network import is_flow
from memviz.models.protocols import Pipe, Scheduler
from memviz.models.schedulers import SCHEDULERS
from memviz.retrieval.copy_detector import CopyDetector
from memviz.sampling.batch import Batch
from memviz.sampling.types import Request, ResumeState, Step
from memviz.signals import WATCHING
from memviz.signals.costly import CostlySignals, FinalSignals


@torch.inference_mode()
def sample(
    pipe: Pipe,
    requests: Sequence[Request],
    scheduler: Scheduler,
    detector: CopyDetector | None = None,
    extra: Sequence[str] = (),
    past: ResumeState | None = None,
    size: int | None = None,
    measure: bool = True,
) -> Iterator[Step | FinalSignals]:
    """Denoise all requests together, one Step per timestep of a fresh scheduler.

    `scheduler` has its timesteps set (see `models.schedulers`); `detector` is for methods that
    look pictures up; `extra` names the costly signals to record. Where one of these is known only
    at the end, `FinalSignals` are the last event. With a constant scale above 1 the latents equal
    those of `StableDiffusionPipeline.__call__`. With a `past`, its steps are repeated without the
    UNet. `size` is the side of the pictures in pixels; without it they have the model's own.
    Without `measure` no signals are taken but those that a rule reads, and a step whose scale is 0
    or 1 evaluates the one prediction that it uses. Raises InputError on fractional timesteps of
    any scheduler but Euler, an unknown signal, or a size that the model has not.
    """
    check_timesteps(scheduler)
    check_fit(pipe, [request.guidance for request in requests], extra)
    costly = CostlySignals(extra)
    denoiser = Denoiser(pipe, detector, costly.attention)
    batch = Batch(denoiser, requests, scheduler, costly, size, measure or bool(extra))
    if past is not None and past.evaluations:
        denoiser.evaluations = past.evaluations
    for index, t in enumerate(scheduler.timesteps):
        if past is not None and index < len(past):
            yield batch.recall(index, t, past)
        else:
            yield batch.step(index, t)
    if final := costly.finish():
        yield final


def check_fit(pipe: Pipe, methods: Sequence[Guidance], extra: Sequence[str] = ()) -> None:
    """Raise InputError where a method or a costly signal does not apply to a model."""
    for method in methods:
        if why := remedy(method).refuse(pipe):
            raise InputError(why)
    watching = [key for key in extra if key in WATCHING]
    if watching and is_flow(pipe):
        raise InputError(
            f"{watching[0]} is a signal of cross-attention, which this model does not have: its "
            "transformer attends to prompt and picture at once. Leave it out."
        )


def check_timesteps(scheduler: Scheduler) -> None:
    """Refuse fractional timesteps: no stored noise level belongs to them, but Euler's own."""
    from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler

    from memviz.models.flow_scheduler import FlowScheduler

    if isinstance(scheduler, EulerDiscreteScheduler | FlowScheduler):
        return
    odd = [float(t) for t in scheduler.timesteps if float(t) != int(t)]
    if odd:
        name = type(scheduler).__name__
        raise InputError(
            f"{name} has fractional timesteps ({odd[0]:g}); use {', '.join(SCHEDULERS)}."
        )

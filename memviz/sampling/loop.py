"""The denoising loop: a generator over diffusers components that yields one Step per model call.

Rows of a batch are independent: each has its prompt, seed and guidance. Rows whose past is still
the same share their model evaluations, so that four methods cost little more than one until they
part. Nothing is drawn, saved or printed here; stop reading and it stops.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from memviz.errors import InputError
from memviz.models.attention import Watch
from memviz.models.denoiser import Predictor
from memviz.sampling.batch import Batch
from memviz.sampling.batch import signal_level as signal_level
from memviz.sampling.noise import noise as noise
from memviz.sampling.noise import noise_hash as noise_hash
from memviz.sampling.types import Past as Past
from memviz.sampling.types import Request as Request
from memviz.sampling.types import Step as Step
from memviz.signals.costly import Instruments


@torch.inference_mode()
def sample(
    pipe: Any,  # noqa: ANN401
    requests: Sequence[Request],
    scheduler: Any,  # noqa: ANN401
    eye: Any = None,  # noqa: ANN401
    extra: Sequence[str] = (),
    past: Past | None = None,
) -> Iterator[Step]:
    """Denoise all requests together, one Step per timestep of a fresh scheduler.

    `pipe` needs encode_prompt, unet and device; `scheduler` has its timesteps set (see
    `models.scheduler`); `eye` (see `studio.Eye`) is for methods that ask it; `extra` names the
    costly signals to record. With a constant scale above 1 the latents equal those of
    `StableDiffusionPipeline.__call__`. With a `past`, its steps are repeated without the UNet.
    Raises ValueError on fractional timesteps.
    """
    check_timesteps(scheduler)
    instruments = Instruments(extra)
    predictor = Predictor(pipe, eye, Watch() if instruments.watching else None)
    batch = Batch(predictor, requests, scheduler)
    if past is not None:
        instruments.pulls += past.pulls
        predictor.evaluations = past.evaluations or predictor.evaluations
    for index, t in enumerate(scheduler.timesteps):
        if past is not None and index < len(past.predictions):
            yield batch.repeat(index, t, past)
        else:
            yield batch.step(index, t, instruments)


def check_timesteps(scheduler: Any) -> None:  # noqa: ANN401
    """Refuse fractional timesteps: no stored noise level belongs to them."""
    odd = [float(t) for t in scheduler.timesteps if float(t) != int(t)]
    if odd:
        name = type(scheduler).__name__
        raise InputError(f"{name} has fractional timesteps ({odd[0]:g}); use dpm, ddim or pndm.")

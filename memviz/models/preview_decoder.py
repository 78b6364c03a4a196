"""What decodes the x0 estimates: a tiny autoencoder where one is at hand, else the model's own.

TAESD (https://github.com/madebyollin/taesd) decodes Stable Diffusion's latents in a fraction of the
time. Only the estimates of the steps go through it; finished pictures never do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.io.paths import expand
from memviz.models import hub
from memviz.models.files import ModelError, tiny_folder

if TYPE_CHECKING:
    from diffusers import AutoencoderTiny

USUAL = "madebyollin/taesd"  # of Stable Diffusion 1 and 2
OWN = "own"


def decoder(pipe: Any, wanted: str = "") -> tuple[Any, str]:  # noqa: ANN401
    """The autoencoder for a pipeline's estimates, and a sentence on it.

    `wanted` is a folder, a hub id, "own", or "" for a tiny one that is on this machine already.
    Raises ModelError if what was named cannot be had or does not fit.
    """
    from diffusers import AutoencoderTiny

    if wanted and wanted != OWN:
        return load(pipe, folder(wanted)), f"Estimates are decoded by {wanted}."
    if wanted == OWN or isinstance(pipe.vae, AutoencoderTiny):
        return pipe.vae, "Estimates are decoded by the model's own autoencoder."
    place = hub.cached((USUAL,), "config.json")
    if place is not None and mismatch(pipe, AutoencoderTiny.load_config(place)) is None:
        return load(pipe, place), f"Estimates are decoded by {USUAL}."
    return pipe.vae, (
        "Estimates are decoded by the model's own autoencoder; no tiny one that fits is on this "
        f"machine. For Stable Diffusion, --decoder {USUAL} fetches one that is faster."
    )


def folder(wanted: str) -> Path:
    """The folder of a decoder named by a path or a hub id."""
    if hub.is_id(wanted) and not expand(wanted).exists():
        return hub.fetch_part(wanted)
    return tiny_folder(wanted)


def load(pipe: Any, place: Path) -> AutoencoderTiny:  # noqa: ANN401
    """The decoder in a folder, beside the pipeline. Raises ModelError if it does not fit."""
    from diffusers import AutoencoderTiny

    if why := mismatch(pipe, AutoencoderTiny.load_config(place)):
        raise ModelError(f"{place} does not fit: {why}. Name another --decoder, or own.")
    found = AutoencoderTiny.from_pretrained(
        place, dtype=pipe.vae.dtype, use_safetensors=True, local_files_only=True
    )
    return found.to(pipe.device).requires_grad_(False).eval()


def mismatch(pipe: Any, config: Any) -> str | None:  # noqa: ANN401
    """Why a tiny autoencoder cannot decode this pipeline's latents, if it cannot."""
    channels = config["latent_channels"], pipe.vae.config.latent_channels
    factors = 2 ** (len(config["decoder_block_out_channels"]) - 1), pipe.vae_scale_factor
    for what, (has, wants) in {"latent channels": channels, "times the size": factors}.items():
        if has != wants:
            return f"it has {has} {what}, the model {wants}"
    return None

"""What decodes the x0 estimates of the steps, where the model's own autoencoder is too slow for it.

Stable Diffusion's own takes 2,515 GFLOP a picture of 512 px, more than both predictions of a step
(1,607). TAESD (https://github.com/madebyollin/taesd) takes 141; a linear map of 3 x 3 latents to a
patch of pixels, fitted once per model on pictures that its own autoencoder decoded, next to
nothing. Finished pictures never go through either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle, unfold

from memviz.io import atomic
from memviz.io.paths import expand, home
from memviz.models import hub, schedulers
from memviz.models.decode import decode
from memviz.models.denoiser import Denoiser, NoiseLevel
from memviz.models.files import ModelError, tiny_folder
from memviz.models.network import is_flow, network_of

if TYPE_CHECKING:
    from diffusers import AutoencoderTiny

    from memviz.models.loading import Model
    from memviz.models.protocols import Pipe

OWN = "own"
LINEAR = "linear"
TINY = {0.18215: hub.TAESD}  # by the latents' scale, which tells the families apart
CHEAP = 10_000_000  # parameters of a decoder that needs no stand-in; Stable Diffusion's has 50
PROMPTS = ("", "a red fox on blue", "a yellow poster")
FIT_STEPS = 8  # of the samples that the linear map is fitted on
FIT_AT = (0, 3, 6, 7)  # their steps whose estimates it is fitted on, from blurred to sharp
FIT_ROWS = 50  # patches for each number that a pixel is made of
DEFAULT = "Estimates are decoded by "


@dataclass(frozen=True)
class PreviewDecoder:
    """What decodes estimates, and the sentence that says so; no `network` is the model's own."""

    kind: str  # "own", "linear", or the folder or hub id of a tiny autoencoder
    network: nn.Module | None = None
    hint: str = ""

    def looks(self, index: int, every: int) -> bool:
        """Whether the estimate of a step goes through the model's own all the same."""
        return self.network is None or (every > 0 and (index + 1) % every == 0)

    def describe(self, every: int = 0) -> str:
        """What a run says of its estimates."""
        if self.network is None:
            return f"{DEFAULT}the model's own autoencoder.{self.hint}"
        by = "a linear map of the latents" if self.kind == LINEAR else self.kind
        some = f"one in {every} and " if every else ""
        own = f"{some}the finished pictures by the model's own autoencoder"
        blurs = " It blurs: similarities before the end come out lower." * (self.kind == LINEAR)
        return f"{DEFAULT}{by}, {own}.{blurs}{self.hint}"


class LinearDecoder(nn.Module):
    """Scaled latents (B, C, h, w) to pictures: 3 x 3 of them make a patch of f x f pixels.

    Stands where an autoencoder of diffusers stands in `decode`.
    """

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.config = SimpleNamespace(scaling_factor=1.0, block_out_channels=(3,))
        patch = 3 * factor**2
        self.map = nn.Conv2d(channels, patch, 3, padding=1, padding_mode="replicate")
        self.requires_grad_(False).eval()

    def decode(self, z: Tensor, return_dict: bool = False) -> tuple[Tensor]:
        """The pictures (B, 3, f h, f w), first of a tuple."""
        return (pixel_shuffle(self.map(z), self.factor),)


def choose_decoder(model: Model, wanted: str = "") -> PreviewDecoder:
    """The decoder of a model's estimates.

    `wanted` is a folder, a hub id, "own", "linear", or "" for the best that costs little: the
    model's own where it is small, a tiny one that is on this machine, else the linear map. Raises
    ModelError if what was named cannot be had or does not fit.
    """
    pipe = model.pipe
    if wanted == LINEAR:
        return PreviewDecoder(LINEAR, linear_decoder(model))
    if wanted and wanted != OWN:
        return PreviewDecoder(wanted, load_tiny(pipe, folder(wanted)))
    if wanted == OWN or is_cheap(pipe):
        return PreviewDecoder(OWN)
    usual = usual_decoder(pipe)
    place = hub.cached((usual,), "config.json") if usual else None
    if place is not None and mismatch(pipe, read_config(place)) is None:
        return PreviewDecoder(usual, load_tiny(pipe, place))
    hint = f" A sharper one can be had with --decoder {usual}." if usual else ""
    return PreviewDecoder(LINEAR, linear_decoder(model), hint)


def is_cheap(pipe: Pipe) -> bool:
    """Whether the model's own decoder is so small that a stand-in would save nothing."""
    own = pipe.vae.decoder if hasattr(pipe.vae, "decoder") else pipe.vae
    return sum(p.numel() for p in own.parameters()) < CHEAP


def usual_decoder(pipe: Pipe) -> str:
    """The hub id of the tiny autoencoder that was made for these latents; empty for none."""
    return TINY.get(round(float(pipe.vae.config.scaling_factor), 5), "")


def linear_decoder(model: Model) -> LinearDecoder:
    """The model's linear decoder: fitted when it is first wanted, then kept with its hash."""
    from safetensors.torch import load_file, save_file

    pipe = model.pipe
    file = home() / "previews" / f"{model.hash[:16]}.safetensors"
    made = LinearDecoder(pipe.vae.config.latent_channels, pipe.vae_scale_factor)
    if file.is_file():
        made.load_state_dict(load_file(file))
    else:
        made = fit_linear(*sample_estimates(pipe), pipe.vae_scale_factor)
        with atomic.written(file) as part:
            save_file({key: v.contiguous() for key, v in made.state_dict().items()}, part)
    return made.to(pipe.device)


def fit_linear(latents: Tensor, pictures: Tensor, factor: int) -> LinearDecoder:
    """The linear decoder with the least squared error on scaled latents and their pictures."""
    patches = unfold(pad(latents.double().cpu(), (1, 1, 1, 1), "replicate"), 3)  # (B, 9 C, h w)
    rows = patches.transpose(1, 2).flatten(0, 1)
    rows = torch.cat([rows, torch.ones(len(rows), 1, dtype=rows.dtype)], 1)
    wanted = pixel_unshuffle(pictures.double().cpu(), factor).flatten(2)
    wanted = wanted.transpose(1, 2).flatten(0, 1)
    found = torch.linalg.lstsq(rows, wanted, driver="gelsd").solution.float()
    made = LinearDecoder(latents.shape[1], factor)
    made.map.weight.copy_(found[:-1].T.reshape(made.map.weight.shape))
    assert made.map.bias is not None
    made.map.bias.copy_(found[-1])
    return made


@torch.inference_mode()
def sample_estimates(pipe: Pipe) -> tuple[Tensor, Tensor]:
    """Scaled latents (B, C, h, w) as estimates are, and pictures by the model's own autoencoder.

    They are those of a few steps of plain conditional samples, the same each time; so many that
    the map has far more patches to fit than numbers to choose.
    """
    name = "euler" if is_flow(pipe) else "ddim"
    denoiser, grid = Denoiser(pipe), schedulers.scheduler(pipe, name, FIT_STEPS)
    network = network_of(pipe)
    channels, side = network.config.in_channels, network.config.sample_size
    patches = len(PROMPTS) * len(FIT_AT) * side**2  # of one sample of each prompt
    samples = math.ceil(FIT_ROWS * (9 * channels + 1) / patches)
    conditions = [c for c in denoiser.encode(PROMPTS) for _ in range(samples)]
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(len(conditions), channels, side, side, generator=draw)
    x = x.to(pipe.device, network.dtype) * grid.init_noise_sigma
    taken = list[Tensor]()
    for index, t in enumerate(grid.timesteps):
        prediction = denoiser.predict(x, t, conditions)
        if index in FIT_AT:
            taken.append(NoiseLevel.of(grid, index).clean(prediction, x))
        x = grid.step(prediction, t, x, return_dict=False)[0]
    latents = torch.cat(taken).float()
    return latents, decode(pipe, latents)


def folder(wanted: str) -> Path:
    """The folder of a decoder named by a path or a hub id."""
    if hub.is_id(wanted) and not expand(wanted).exists():
        return hub.fetch_part(wanted)
    return tiny_folder(wanted)


def load_tiny(pipe: Pipe, place: Path) -> AutoencoderTiny:
    """The decoder in a folder, beside the pipeline. Raises ModelError if it does not fit."""
    from diffusers import AutoencoderTiny

    if why := mismatch(pipe, read_config(place)):
        raise ModelError(f"{place} does not fit: {why}. Name another --decoder, or own.")
    found: Any = AutoencoderTiny.from_pretrained(
        place, dtype=pipe.vae.dtype, use_safetensors=True, local_files_only=True
    )
    return found.to(pipe.device).requires_grad_(False).eval()  # `to` loses its type in diffusers


def read_config(place: Path) -> dict[str, Any]:
    """What a tiny autoencoder's folder says of it."""
    from diffusers import AutoencoderTiny

    found: Any = AutoencoderTiny.load_config(place)  # a tuple only where more is asked for
    return found


def mismatch(pipe: Pipe, config: dict[str, Any]) -> str | None:
    """Why a tiny autoencoder cannot decode this pipeline's latents, if it cannot."""
    channels = config["latent_channels"], pipe.vae.config.latent_channels
    factors = 2 ** (len(config["decoder_block_out_channels"]) - 1), pipe.vae_scale_factor
    for what, (has, wants) in {"latent channels": channels, "times the size": factors}.items():
        if has != wants:
            return f"it has {has} {what}, the model {wants}"
    return None

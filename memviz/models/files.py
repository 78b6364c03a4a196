"""What stands in a model's folder, checked and counted without torch."""

import struct
from pathlib import Path
from typing import Any

from memviz.errors import InputError, MemvizError
from memviz.io.paths import expand
from memviz.io.read import (
    DamagedFile,
    Shape,
    check_folder,
    check_regular,
    find_mismatch,
    parse_json,
    read_json,
)

CLASS = "StableDiffusionPipeline"
PARTS = ("unet", "vae", "text_encoder")
VARIANTS = (".fp16", ".bf16", ".non_ema", "-non-ema")  # second copies of the same weights

ENTRY: Shape = {"shape": [int]}  # of a header

Files = list[tuple[str, Path]]  # ("unet/diffusion_pytorch_model.safetensors", where it is)


class ModelError(MemvizError):
    """Why a model cannot be loaded, or not sampled with these settings: one sentence."""


def pipeline_folder(place: str | Path) -> Path:
    """The folder at `place`, sure to hold a pipeline with safetensors weights."""
    folder = _existing(place)
    check_class(str(folder), _index(folder))
    return folder


def unet_folder(place: str | Path) -> Path:
    """A folder with a UNet's config.json, or one that holds it as `unet/`."""
    folder = _existing(place)
    for candidate in (folder, folder / "unet"):
        if (candidate / "config.json").is_file():
            return _with_weights(candidate)
    raise ModelError(
        f"{folder} is not a UNet: it has no config.json. Give the folder that "
        "UNet2DConditionModel.save_pretrained wrote."
    )


def tiny_folder(place: str | Path) -> Path:
    """A folder with an AutoencoderTiny."""
    folder = _existing(place)
    try:
        found = read_json(folder / "config.json", {}).get("_class_name")
    except (FileNotFoundError, DamagedFile):
        found = None
    if found != "AutoencoderTiny":
        raise ModelError(
            f"{folder} is no tiny decoder: its config.json names {found or 'no class'}. Give the "
            "folder that AutoencoderTiny.save_pretrained wrote."
        )
    return _with_weights(folder)


def check_class(name: str, index: dict[str, Any]) -> None:
    """Refuse pipelines of another architecture before gigabytes are read."""
    found = index.get("_class_name", "pipeline of no stated class")
    if found == "DDPMPipeline":
        raise ModelError(
            f"{name} takes no prompt, and guidance needs one. See its pictures and how many are "
            "copies by `python -m memviz rounds` or in the Train tab."
        )
    if found != CLASS:
        raise ModelError(f"{name} holds a {found}; memviz works with a {CLASS}. Give another.")


def weights(folder: Path, unet: Path | None = None) -> Files:
    """The weights of a pipeline by part; a separate UNet takes the place of the pipeline's own."""
    places = {part: folder / part for part in PARTS} | ({"unet": unet} if unet else {})
    return [
        (f"{part}/{file.name}", file)
        for part, place in places.items()
        for file in sorted(_with_weights(place).glob("*.safetensors"))
        if not is_variant(file.name)
    ]


def is_variant(name: str) -> bool:
    """A second copy of the weights, in half precision or from before averaging."""
    return any(mark in name for mark in VARIANTS)


def parameters(files: Files) -> int:
    """How many numbers these files hold, from their headers alone."""
    return sum(_numbers(file) for _, file in files)


def _numbers(file: Path) -> int:
    header = {key: entry for key, entry in _header(file).items() if key != "__metadata__"}
    if wrong := next(filter(None, (find_mismatch(e, ENTRY) for e in header.values())), ""):
        raise ModelError(f"{file} is not a safetensors file: {wrong}. Fetch it again.")
    return sum(_product(entry["shape"]) for entry in header.values())


def _header(file: Path) -> dict[str, Any]:
    """The layout: eight bytes of length, then that much JSON."""
    check_regular(file)
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > file.stat().st_size:
                raise InputError("its header is longer than the file")
            found = parse_json(stream.read(length))
            if not isinstance(found, dict):
                raise InputError("its header is no object")
            return found
    except (OSError, ValueError, struct.error) as error:
        raise ModelError(f"{file} is not a safetensors file: {error}. Fetch it again.") from error


def _product(shape: list[int]) -> int:
    total = 1
    for side in shape:
        total *= side
    return total


def _existing(place: str | Path) -> Path:
    folder = expand(place)
    if not folder.exists():
        raise ModelError(f"No such folder: {folder}. Check the spelling.")
    if not folder.is_dir():
        raise ModelError(f"{folder} is a file; a model is a folder that holds model_index.json.")
    check_folder(folder)
    return folder


def _index(folder: Path) -> dict[str, Any]:
    try:
        return read_json(folder / "model_index.json", {})
    except FileNotFoundError:
        raise ModelError(
            f"{folder} is not a pipeline: it has no model_index.json. Give the folder that "
            f"{CLASS}.save_pretrained wrote."
        ) from None
    except DamagedFile as error:
        raise ModelError(str(error)) from error


def _with_weights(folder: Path) -> Path:
    if any(not is_variant(file.name) for file in folder.glob("*.safetensors")):
        return folder
    raise ModelError(
        f"{folder} has no weights in safetensors form, the only form memviz reads. Save the "
        "model again with save_pretrained(…, safe_serialization=True)."
    )

"""What stands in a model's folder or file, checked and counted without torch."""

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

PARTS = {  # what holds weights, by the class of the pipeline; the network that denoises first
    "StableDiffusionPipeline": ("unet", "vae", "text_encoder"),
    "StableDiffusionXLPipeline": ("unet", "vae", "text_encoder", "text_encoder_2"),
    "StableDiffusion3Pipeline": (
        *("transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3"),
    ),
}
VARIANTS = (".fp16", ".bf16", ".non_ema", "-non-ema")  # second copies of the same weights
HALF = ("fp16", "bf16")  # copies that are read where they are the only ones
LORA = "pytorch_lora_weights.safetensors"  # as diffusers' trainers name it
PICKLES = (".ckpt", ".pt", ".pth", ".bin")
WORDS = ("vocab.json", "tokenizer.json", "spiece.model")  # one of them makes a tokenizer

ENTRY: Shape = {"shape": [int], "data_offsets": [int]}  # of a header

Files = list[tuple[str, Path]]  # ("unet/diffusion_pytorch_model.safetensors", where it is)


class ModelError(MemvizError):
    """Why a model cannot be loaded, or not sampled with these settings: one sentence."""


def pipeline_folder(place: str | Path) -> Path:
    """The folder at `place`, sure to hold a pipeline with safetensors weights and tokenizers."""
    folder = _existing(place)
    index = read_index(folder)
    check_class(str(folder), index)
    for part in (name for name in index if name.startswith("tokenizer") and _is_made(index, name)):
        if not any((folder / part / file).is_file() for file in WORDS):
            raise ModelError(
                f"{folder} has no {part}, so prompts cannot be read. Copy the folder {part} from "
                "the model that it was made from."
            )
    return folder


def network_folder(place: str | Path) -> Path:
    """A folder with a network's config.json, or one that holds it as `unet/` or `transformer/`."""
    folder = _existing(place)
    for candidate in (folder, folder / "unet", folder / "transformer"):
        if (candidate / "config.json").is_file():
            part_files(candidate)
            return candidate
    raise ModelError(
        f"{folder} is not a UNet: it has no config.json. Give the folder that "
        "UNet2DConditionModel.save_pretrained wrote."
    )


def tiny_folder(place: str | Path) -> Path:
    """A folder with an AutoencoderTiny."""
    folder = _existing(place)
    if (found := class_name(folder)) != "AutoencoderTiny":
        raise ModelError(
            f"{folder} is no tiny decoder: its config.json names {found or 'no class'}. Give the "
            "folder that AutoencoderTiny.save_pretrained wrote."
        )
    part_files(folder)
    return folder


def class_name(folder: Path) -> str:
    """What the config.json of a part says that it is; empty where it says nothing."""
    return str(_config(folder).get("_class_name", ""))


def check_class(name: str, index: dict[str, Any]) -> None:
    """Refuse pipelines of another architecture before gigabytes are read."""
    found = index.get("_class_name", "pipeline of no stated class")
    if found == "DDPMPipeline":
        raise ModelError(
            f"{name} takes no prompt, and guidance needs one. See its pictures and how many are "
            "copies by `python -m memviz rounds` or in the Train tab."
        )
    if found not in PARTS:
        raise ModelError(
            f"{name} holds a {found}; memviz works with a {' or '.join(PARTS)}. Give another."
        )


def check_channels(folder: Path, part: Path) -> None:
    """Refuse a UNet that reads more than latents, as those for inpainting do."""
    reads = _config(part).get("in_channels")
    has = _config(folder / "vae").get("latent_channels")
    if isinstance(reads, int) and isinstance(has, int) and reads > has:
        raise ModelError(
            f"The UNet in {part} reads {reads} channels, {reads - has} beside the latents: it is "
            f"made for {'inpainting' if reads == 2 * has + 1 else 'changing pictures'}. Give the "
            "text-to-image model that it was made from."
        )


def weights(folder: Path, network: Path | None = None) -> Files:
    """The weights of a pipeline by part; a separate network takes the place of its own."""
    index = read_index(folder)
    first, *others = PARTS[index["_class_name"]]
    parts = {first: network or folder / first}
    parts |= {part: folder / part for part in others if _is_made(index, part)}
    half = variant(folder)
    return [
        (f"{part}/{file.name}", file)
        for part, place in parts.items()
        for file in part_files(place, half)
    ]


def variant(folder: Path) -> str | None:
    """The half-precision copy to read, where a part of the pipeline has no other weights."""
    for part in PARTS[read_index(folder)["_class_name"]]:
        names = [file.name for file in (folder / part).glob("*.safetensors")]
        if names and all(map(is_variant, names)):
            return next((half for half in HALF if any(f".{half}." in n for n in names)), None)
    return None


def part_files(folder: Path, half: str | None = None) -> list[Path]:
    """The weights in a part's folder, each whole; those of the variant `half` where there are any.

    Raises ModelError where there are none, or one is cut short.
    """
    files = sorted(folder.glob("*.safetensors"))
    copies = {h: [f for f in files if f".{h}." in f.name] for h in HALF}
    plain = [file for file in files if not is_variant(file.name)]
    found = (copies[half] if half else []) or plain or copies["fp16"] or copies["bf16"]
    if not found:
        raise ModelError(
            f"{folder} has no weights in safetensors form, the only form memviz reads. Save the "
            "model again with save_pretrained(…, safe_serialization=True)."
        )
    for file in found:
        read_header(file)
    return found


def is_variant(name: str) -> bool:
    """A second copy of the weights, in half precision or from before averaging."""
    return any(mark in name for mark in VARIANTS)


def parameters(files: Files) -> int:
    """How many numbers these files hold, from their headers alone; no averages beside them."""
    return sum(_numbers(file) for _, file in files)


def read_header(file: Path) -> dict[str, Any]:
    """The tensors of a safetensors file by name: eight bytes of length, then that much JSON.

    Raises ModelError for another kind of file, or one that is cut short.
    """
    if file.suffix.lower() in PICKLES:
        raise ModelError(
            f"{file} is a pickle, which can run code when it is opened. Give the same model as "
            ".safetensors; its page offers one, or its owner can convert it."
        )
    check_regular(file)
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > file.stat().st_size:
                raise InputError("its header is longer than the file")
            found = parse_json(stream.read(length))
        if not isinstance(found, dict):
            raise InputError("its header is no object")
        found.pop("__metadata__", None)
        if wrong := next(filter(None, (find_mismatch(e, ENTRY) for e in found.values())), ""):
            raise InputError(wrong)
        ends = [entry["data_offsets"][-1] for entry in found.values()]
    except (OSError, ValueError, LookupError, struct.error) as error:
        raise ModelError(f"{file} is not a safetensors file: {error}. Fetch it again.") from error
    whole, size = 8 + length + max(ends, default=0), file.stat().st_size
    if size < whole:
        raise ModelError(f"{file} is cut short: {size:,} of {whole:,} bytes. Fetch it again.")
    return found


def read_index(folder: Path) -> dict[str, Any]:
    """What model_index.json says. Raises ModelError that says what a folder without one is."""
    try:
        return read_json(folder / "model_index.json", {})
    except FileNotFoundError:
        raise ModelError(_what_it_is(folder)) from None
    except DamagedFile as error:
        raise ModelError(str(error)) from error


def left_out(index: dict[str, Any]) -> list[str]:
    """The encoders and tokenizers that a pipeline is made without."""
    parts = [name for name, value in index.items() if isinstance(value, list)]
    return [n for n in parts if n.startswith(("text_", "token")) and not _is_made(index, n)]


def _what_it_is(folder: Path) -> str:
    """Why a folder without an index is no pipeline, and how it is given instead."""
    if (folder / LORA).is_file():
        return (
            f"{folder} holds a LoRA and no model_index.json. Give it with its base: BASE+{folder}."
        )
    for part in (folder, folder / "unet", folder / "transformer"):
        if (part / "config.json").is_file():
            return (
                f"{folder} is what a training left of one network: it has no model_index.json. "
                f"Give it with the pipeline that was trained: PIPE+{folder}."
            )
    return (
        f"{folder} is not a pipeline: it has no model_index.json. Give the folder that "
        "save_pretrained of a diffusers pipeline wrote."
    )


def _is_made(index: dict[str, Any], part: str) -> bool:
    """Whether a pipeline has this part: [null, null] stands for one that is left out."""
    found = index.get(part, [None])
    return not (isinstance(found, list) and (not found or found[0] is None))


def _config(folder: Path) -> dict[str, Any]:
    try:
        return read_json(folder / "config.json", {})
    except (FileNotFoundError, DamagedFile):
        return {}


def _numbers(file: Path) -> int:
    header = read_header(file)
    return sum(_product(e["shape"]) for key, e in header.items() if not key.startswith("model_ema"))


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

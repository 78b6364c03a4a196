"""Weights that any trainer leaves in its folder while it trains, found by what is in the files.

Told apart are LoRA files (of diffusers, peft, kohya, ai-toolkit and OneTrainer), folders with a
UNet of diffusers, and single files of the original Stable Diffusion. Everything else, such as
states of optimizers, is passed over, and so is a file that is still being written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError, safe_open

from memviz.models.files import is_variant

LORA = ("lora_", "lora.")  # in the names of a LoRA's tensors
ORIGINAL = "model.diffusion_model."  # before the names of the original Stable Diffusion's
UNET = "UNet2DConditionModel"
STEPS = (  # the step in the name of a file or folder
    r"checkpoint-(\d+)$",  # diffusers: checkpoint-500
    r"-step(\d{8})$",  # kohya: name-step00000500
    r"-(?:save|backup)-(\d+)-\d+-\d+$",  # OneTrainer: 2026-01-02_03-04-05-save-500-2-0
    r"_(\d{9})$",  # ai-toolkit: name_000000250
    r"-(\d{6})$",  # kohya, epochs: name-000002
    r"^(\d{4,9})$",  # our own: rounds/0005
)


@dataclass(frozen=True)
class SavedWeights:
    """One state of a model: a file, or the folder of a UNet, and the step (or epoch) it is of.

    Without a step it is the end of the training, whose files carry no number.
    """

    place: Path
    kind: Literal["lora", "unet", "original"]
    step: int | None


def find_weights(folder: Path, without: Sequence[Path] = ()) -> list[SavedWeights]:
    """What lies in a trainer's folder, in the order of training; nothing below `without`."""
    found: dict[Path, SavedWeights] = {}
    for file in sorted(folder.rglob("*.safetensors")):
        if any(file.is_relative_to(place) for place in without) or is_variant(file.name):
            continue
        if weights := describe(file, folder):
            found.setdefault(weights.place, weights)
    return sorted(found.values(), key=lambda w: (inf if w.step is None else w.step, w.place))


def describe(file: Path, folder: Path) -> SavedWeights | None:
    """What a file is; None for what is no weights of a UNet, or not whole yet."""
    if (read := read_names(file)) is None:
        return None
    names, told = read
    if any(mark in name for name in names for mark in LORA):
        return SavedWeights(file, "lora", read_step(file.relative_to(folder), told))
    if any(name.startswith(ORIGINAL) for name in names):
        return SavedWeights(file, "original", read_step(file.relative_to(folder), told))
    if is_unet(file.parent) and all(
        read_names(each) for each in file.parent.glob(f"*{file.suffix}")
    ):
        return SavedWeights(file.parent, "unet", read_step(file.parent.relative_to(folder), told))
    return None


def read_names(file: Path) -> tuple[list[str], Mapping[str, str]] | None:
    """The names of a file's tensors and what it tells of itself; None unless it is whole."""
    try:
        with safe_open(file, "numpy") as opened:
            return [*opened.keys()], opened.metadata() or {}
    except (SafetensorError, OSError):
        return None


def is_unet(folder: Path) -> bool:
    """Whether a folder holds a UNet as diffusers saves it; its running mean is not looked at."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return config.get("_class_name") == UNET and folder.name != "unet_ema"


def read_step(place: Path, told: Mapping[str, str]) -> int | None:
    """The step: as the file tells it, else the number in its name or the folders' above it."""
    return next(tell_steps(place, told), None)


def tell_steps(place: Path, told: Mapping[str, str]) -> Iterator[int]:
    """All that may be the step, the surest first."""
    if (steps := told.get("ss_steps", "")).isdigit():  # kohya
        yield int(steps)
    if "training_info" in told:  # ai-toolkit
        yield int(json.loads(told["training_info"])["step"])
    for name in (place.name.removesuffix(".safetensors"), *(p.name for p in place.parents)):
        for pattern in STEPS:
            if found := re.search(pattern, name):
                yield int(found[1])

"""Where a build of the demo world stands: how much work, which folders, which scenes."""

# diffusers and transformers wrap `to` and the constructors so that their types are lost.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from memviz.demo import scenes
from memviz.demo.world import World
from memviz.errors import InputError

if TYPE_CHECKING:
    from diffusers import AutoencoderTiny

COMPILERS = ("g++", "clang++")  # what torch.compile asks for
DUPLICATED_SHARE = 0.5  # of a fine-tuning batch: each comes up 312 times as often as others


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much work to put in: pictures, optimiser steps; then how large, and on what device."""

    images: int
    pool: int
    autoencoder: int
    pretrain: int
    mixed: int  # of fine-tuning, before the stretch in float32
    finetune: int
    again: int  # of fine-tuning, after it, on what it has meanwhile forgotten
    descriptor: int
    clip: int
    batch: int = 32  # of the UNet
    pictures: int = 16  # of the autoencoder's batch
    channels: int = 12  # of the latents
    width: int = 32  # of the autoencoder
    steps: int = 50  # of denoising, wherever the model is judged
    device: str = "cpu"
    fast: bool = False  # train the UNet compiled and in bfloat16 at first: needs a C++ compiler

    def check(self) -> None:
        """Raise ValueError when the device or the compiler is not there."""
        if self.device == "cuda" and not torch.cuda.is_available():
            raise InputError(
                "This scale wants a CUDA GPU and torch finds none: "
                "use --scale cpu, or a machine with one."
            )
        if self.fast and not any(map(which, COMPILERS)):
            raise InputError(
                f"This scale compiles the UNet and finds none of {', '.join(COMPILERS)}: "
                "install one (Debian: apt install g++)."
            )


SCALES = {
    "tiny": Scale(
        images=200,
        pool=300,
        autoencoder=6,
        pretrain=6,
        mixed=6,
        finetune=6,
        again=6,
        descriptor=6,
        clip=6,
        steps=3,
    ),
    "cpu": Scale(
        images=10_000,
        pool=60_000,
        autoencoder=20_000,
        pretrain=10_650,
        mixed=1_500,
        finetune=2_000,
        again=3_000,
        descriptor=1_000,
        clip=1_500,
        batch=64,
        fast=True,
    ),
    "gpu": Scale(
        images=10_000,
        pool=200_000,
        autoencoder=60_000,
        pretrain=60_000,
        mixed=3_000,
        finetune=6_000,
        again=6_000,
        descriptor=6_000,
        clip=20_000,
        batch=128,
        pictures=64,
        channels=16,
        width=64,
        device="cuda",
        fast=True,
    ),
}


@dataclass(frozen=True)
class Builder:
    """Weights meant to ship go to `assets` (half precision), pools and checkpoints to `work`."""

    scale: Scale
    assets: Path
    work: Path

    @property
    def art(self) -> dict[str, Image.Image]:
        """The sprites by name."""
        return scenes.sprites(self.assets / "sprites")

    @cached_property
    def world(self) -> World:
        """The scenes and prompts that these sprites make."""
        return World(tuple(self.art), self.scale.images)

    def times_shown(self) -> int:
        """How often a duplicated scene comes up for each time a single one does."""
        singles = self.scale.images - len(self.world.duplicated)
        share = DUPLICATED_SHARE / (1 - DUPLICATED_SHARE)
        return round(share * singles / len(self.world.duplicated))

    def autoencoder(self) -> "AutoencoderTiny":
        """The trained autoencoder, on the device of the build."""
        from diffusers import AutoencoderTiny

        return AutoencoderTiny.from_pretrained(self.work / "vae").to(self.scale.device)

    def chances(self) -> np.ndarray:
        """Each corpus row's probability of being drawn for a fine-tuning batch."""
        copies, n = len(self.world.duplicated), self.scale.images
        weights = np.where(np.arange(n) < copies, self.times_shown(), 1.0)
        return weights / weights.sum()

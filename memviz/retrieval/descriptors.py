"""Pictures to unit vectors whose inner product is a similarity, by a named preset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import normalize

from memviz.hashing import file_hash, files_hash, home
from memviz.retrieval.presets import PRESETS as PRESETS
from memviz.retrieval.presets import DescriptorError as DescriptorError
from memviz.retrieval.presets import Preset as Preset
from memviz.retrieval.presets import find

if TYPE_CHECKING:
    from PIL import Image

Network = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Descriptor:
    """A preset with its network. `hash` identifies the weights."""

    preset: Preset
    network: Network  # normalized pixels (B, 3, h, w) -> (B, D)
    hash: str
    device: str = "cpu"

    def embed(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Float32 unit rows (B, D), in the order of the pictures, which may differ in size."""
        pixels = [self.preset.preprocess.pixels(image) for image in images]
        rows = np.zeros((len(pixels), self.preset.dims), np.float32)
        for shape in {tuple(p.shape) for p in pixels}:
            at = [i for i, p in enumerate(pixels) if tuple(p.shape) == shape]
            rows[at] = self._run(torch.stack([pixels[i] for i in at])).cpu().numpy()
        return rows

    def tensor(self, x: torch.Tensor) -> torch.Tensor:
        """Unit rows (B, D) of decoded pictures (B, 3, H, W) in [-1, 1]."""
        return self._run(self.preset.preprocess.tensor(x))

    def _run(self, pixels: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return normalize(self.network(pixels.to(self.device)).float(), dim=1)


def descriptor(
    preset: str | Path | Preset,
    checkpoint: str | Path | None = None,
    device: str = "cpu",
    trust: bool = False,
) -> Descriptor:
    """Load a descriptor. `trust` runs a TorchScript file whose checksum is not the pinned one."""
    preset = preset if isinstance(preset, Preset) else find(preset)
    place = Path(checkpoint or preset.checkpoint).expanduser()
    if place.is_dir():
        return _folder(preset, place, device)
    file = place if checkpoint else home() / "descriptors" / preset.checkpoint
    return Descriptor(preset, torchscript(preset, file, device, trust), file_hash(file), device)


def torchscript(preset: Preset, file: Path, device: str, trust: bool) -> Network:
    """SSCD's official files are TorchScript, which can run any code: only known ones are loaded."""
    if not file.is_file():
        raise DescriptorError(
            f"{preset.name} needs {preset.checkpoint}, which is not at {file}. "
            f"Fetch it from {preset.url} and put it there."
        )
    if not trust and file_hash(file) != preset.sha256:
        raise DescriptorError(_unknown(preset, file))
    try:
        return torch.jit.load(str(file), map_location=device).eval()
    except RuntimeError as error:
        raise DescriptorError(f"{file} is not a TorchScript file.") from error


def _unknown(preset: Preset, file: Path) -> str:
    wanted = f"wanted {preset.sha256}" if preset.sha256 else "and none is pinned for this preset"
    return (
        f"{file} has checksum {file_hash(file)}, {wanted}. A TorchScript file can run any code: "
        "load it with trust only if you know where it comes from."
    )


def _folder(preset: Preset, folder: Path, device: str) -> Descriptor:
    from memviz.retrieval.embedder import load

    files = files_hash((file.name, file) for file in folder.glob("*.safetensors"))
    return Descriptor(preset, load(folder).to(device), files, device)

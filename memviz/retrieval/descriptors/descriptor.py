"""Pictures to unit vectors whose inner product is a similarity, by a named preset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import normalize

from memviz.io.hashing import file_hash, files_hash
from memviz.io.paths import expand
from memviz.models.chunks import Chunks
from memviz.retrieval.descriptors import weights
from memviz.retrieval.descriptors.presets import INT8_ONNX, ONNX, find
from memviz.retrieval.descriptors.presets import PRESETS as PRESETS
from memviz.retrieval.descriptors.presets import DescriptorError as DescriptorError
from memviz.retrieval.descriptors.presets import Preset as Preset

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
    half: bool = False  # float16 where it is safe: the same within 0.001, faster on a GPU

    def embed(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Float32 unit rows (B, D), in the order of the pictures, which may differ in size."""
        return self.embed_prepared([self.preset.preprocess.pixels(image) for image in images])

    def embed_prepared(self, pixels: Sequence[torch.Tensor]) -> np.ndarray:
        """The same of pixels (3, h, w) that the preset's preprocessing has made."""
        rows = np.zeros((len(pixels), self.preset.dims), np.float32)
        for shape in {tuple(p.shape) for p in pixels}:
            at = [i for i, p in enumerate(pixels) if tuple(p.shape) == shape]
            rows[at] = self._run(torch.stack([pixels[i] for i in at])).cpu().numpy()
        return rows

    def tensor(self, x: torch.Tensor) -> torch.Tensor:
        """Unit rows (B, D) of decoded pictures (B, 3, H, W) in [-1, 1]."""
        return self._run(self.preset.preprocess.tensor(x))

    def _run(self, pixels: torch.Tensor) -> torch.Tensor:
        def describe(some: torch.Tensor) -> torch.Tensor:
            return normalize(self.network(some.to(self.device)).float(), dim=1)

        kind = torch.device(self.device).type
        with torch.inference_mode(), torch.autocast(kind, torch.float16, enabled=self.half):
            return torch.cat([rows for _, rows in Chunks().run(describe, pixels)])


def descriptor(
    preset: str | Path | Preset,
    checkpoint: str | Path | None = None,
    device: str = "cpu",
    trust: bool = False,
    half: bool = False,
) -> Descriptor:
    """Load a descriptor, from its ONNX file where one was exported and the device is the CPU.

    `trust` runs a TorchScript file whose checksum is not the pinned one.
    """
    preset = preset if isinstance(preset, Preset) else find(preset)
    place = expand(checkpoint or preset.checkpoint)
    if place.is_dir():
        return Descriptor(preset, _folder(place).to(device), _weights(place), device, half)
    onnx = place if checkpoint else weights.onnx_file(preset, device)
    if onnx and onnx.suffix == ONNX:
        return load_onnx(preset, onnx)
    return load_torchscript(preset, checkpoint, device, trust, half)


def load_onnx(preset: Preset, file: Path) -> Descriptor:
    """An exported file, which runs on the CPU; an exact one goes by the hash of its original.

    So an index made with the one is good for the other.
    """
    from memviz.retrieval.descriptors.onnx_network import OnnxNetwork

    network = OnnxNetwork(file)
    exact = file == weights.onnx_place(preset) and not file.name.endswith(INT8_ONNX)
    return Descriptor(preset, network, (exact and network.source) or file_hash(file))


def load_torchscript(
    preset: Preset,
    checkpoint: str | Path | None = None,
    device: str = "cpu",
    trust: bool = False,
    half: bool = False,
) -> Descriptor:
    """The fetched file of a preset, or another."""
    file = expand(checkpoint) if checkpoint else weights.place(preset)
    network = torchscript(preset, file, device, trust)
    return Descriptor(preset, network.to(device), file_hash(file), device, half)


def torchscript(preset: Preset, file: Path, device: str, trust: bool) -> torch.jit.ScriptModule:
    """SSCD's official files are TorchScript, which can run any code: only known ones are loaded."""
    if not file.is_file():
        raise DescriptorError(
            f"{preset.name} needs {preset.checkpoint}, which is not at {file}. "
            f"Fetch it from {preset.url} with `python -m memviz fetch {preset.name}`."
        )
    if not trust and file_hash(file) not in weights.known(preset):
        raise DescriptorError(weights.unknown(preset, file))
    try:
        return torch.jit.load(str(file), map_location=device).eval()
    except RuntimeError as error:
        raise DescriptorError(f"{file} is not a TorchScript file. Fetch it again.") from error


def _folder(folder: Path) -> torch.nn.Module:
    from memviz.retrieval.descriptors.embedder import load

    return load(folder)


def _weights(folder: Path) -> str:
    return files_hash((file.name, file) for file in folder.glob("*.safetensors"))

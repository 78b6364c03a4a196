"""A small copy-detection network: a ResNet of transformers, pooled, projected to a unit vector.

Saved as a folder: the backbone by `save_pretrained`, `projection.safetensors`, `preset.json`.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import normalize
from transformers import ResNetConfig, ResNetModel

from memviz.io.read import check_folder
from memviz.io.silence import quietly
from memviz.models.hub import first_line
from memviz.retrieval.descriptors.presets import DescriptorError, Preset, read, write


class Embedder(nn.Module):
    """Normalized pixels (B, 3, h, w) to unit vectors (B, D)."""

    def __init__(self, backbone: ResNetModel, dims: int) -> None:
        super().__init__()
        self.backbone = backbone
        width = (backbone.config.hidden_sizes or [])[-1]
        self.projection = nn.Linear(width, dims)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        pooled = self.backbone(pixels).pooler_output.flatten(1)  # (B, hidden)
        return normalize(self.projection(pooled), dim=1)


def build(dims: int = 128, hidden: tuple[int, ...] = (32, 64, 128, 256)) -> Embedder:
    """An untrained embedder of about 1.3 M parameters at its defaults."""
    config = ResNetConfig(
        embedding_size=hidden[0],
        hidden_sizes=list(hidden),
        depths=[1] * len(hidden),
        layer_type="basic",
        downsample_in_first_stage=False,
    )
    return Embedder(ResNetModel(config), dims)


def save(embedder: Embedder, folder: str | Path, preset: Preset, half: bool = True) -> Path:
    """Write network and preset; half precision by default."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    dtype = torch.float16 if half else torch.float32
    state = {key: _cast(value, dtype) for key, value in embedder.backbone.state_dict().items()}
    embedder.backbone.save_pretrained(folder, state_dict=state, safe_serialization=True)
    projection = {key: _cast(v, dtype) for key, v in embedder.projection.state_dict().items()}
    save_file(projection, folder / "projection.safetensors")
    write(preset, folder)
    return folder


def load(folder: str | Path) -> Embedder:
    """Read it back in float32, ready to use."""
    folder = Path(folder)
    check_folder(folder)
    preset = read(folder)
    try:
        with quietly("transformers"):
            backbone = ResNetModel.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
            )
        embedder = Embedder(backbone, preset.dims)
        embedder.projection.load_state_dict(load_file(folder / "projection.safetensors"))
    except Exception as error:
        why = first_line(error).rstrip(".")
        raise DescriptorError(
            f"{folder} is not a saved descriptor: {why}. Save it again."
        ) from error
    return embedder.float().eval().requires_grad_(False)


def _cast(value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Counters (batch norm's number of batches) stay whole."""
    kept = value.to(dtype) if value.is_floating_point() else value
    return kept.contiguous().clone()

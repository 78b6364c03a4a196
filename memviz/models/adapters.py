"""LoRA files put on a model: "BASE+lora.safetensors:0.8"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memviz.io.paths import expand
from memviz.models import hub
from memviz.models.files import LORA, ModelError, read_header

STRENGTH = re.compile(r"(.+?)(?::([+-]?(?:\d+\.?\d*|\.\d+)))?")
MARKS = ("lora_", ".lora.", "_lora.", ".lora_", "hada_", "lokr_")  # in the names of its tensors


@dataclass(frozen=True)
class Adapter:
    """A LoRA file and how strongly it counts."""

    file: Path
    strength: float = 1.0

    @property
    def name(self) -> str:
        """As the model's hash tells it from others."""
        return f"lora:{self.strength:g}/{self.file.name}"


def read_adapter(place: str) -> Adapter | None:
    """The LoRA at a place, "FILE" or "FILE:STRENGTH" or the folder of a trainer; None for others.

    Raises ModelError for a file that is no safetensors file or cut short.
    """
    match = STRENGTH.fullmatch(place)
    assert match is not None  # any text of one line does
    path, strength = expand(match[1]), float(match[2] or 1)
    if (path / LORA).is_file() and not (path / "config.json").is_file():
        path = path / LORA
    if path.suffix != ".safetensors" or not path.is_file():
        return None
    names = read_header(path)
    return Adapter(path, strength) if any(m in n for n in names for m in MARKS) else None


def put_on(pipe: Any, adapters: tuple[Adapter, ...]) -> None:  # noqa: ANN401 - diffusers' pipelines
    """Add them to a pipeline's weights for good: W + strength * B A."""
    for adapter in adapters:
        try:
            pipe.load_lora_weights(str(adapter.file.parent), weight_name=adapter.file.name)
            pipe.fuse_lora(lora_scale=adapter.strength)
            pipe.unload_lora_weights()
        except ImportError as error:
            raise ModelError("LoRA files are read with peft: run pip install peft.") from error
        except Exception as error:
            raise ModelError(
                f"{adapter.file} does not fit the model: {hub.first_line(error)} Give the base "
                "that it was trained on."
            ) from error

"""Saved weights of other trainers put into a pipeline, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from memviz.errors import InputError
from memviz.io.silence import quietly
from memviz.models import loading
from memviz.training.monitoring.saved_weights import ORIGINAL, SavedWeights

TEXT = "cond_stage_model.transformer."  # before the text encoder's names in a single file


class WeightsLoader:
    """A model that takes one state of a training after the other; a LoRA goes on the base."""

    def __init__(self, model: loading.Model, base: str) -> None:
        self.model, self.base = model, base
        self.pipe: Any = model.pipe  # diffusers' own: its loaders are untyped
        self.changed = self.adapted = False

    def load(self, weights: SavedWeights) -> None:
        """Put them in. Raises InputError, in one sentence, where they do not fit the base."""
        try:
            with quietly("diffusers", "transformers"):
                self._take_off()
                match weights.kind:
                    case "lora":
                        self._adapt(weights.place)
                    case "unet":
                        self._replace(weights.place)
                    case "original":
                        self._convert(weights.place)
        except InputError:
            raise
        except Exception as error:  # whatever a file makes of its reader
            why = str(error).strip().partition("\n")[0]
            raise InputError(
                f"{weights.place} does not fit {self.base}: {why[:200]}. Name the model that it "
                "was trained from with --base."
            ) from error

    def _take_off(self) -> None:
        if self.adapted:
            self.pipe.unload_lora_weights()
            self.adapted = False

    def _adapt(self, file: Path) -> None:
        try:
            import peft  # noqa: F401
        except ImportError:
            raise InputError("LoRA files need peft. Install it with `pip install peft`.") from None
        if self.changed:
            self._restore()
        self.adapted = True
        self.pipe.load_lora_weights(str(file.parent), weight_name=file.name)

    def _restore(self) -> None:
        first = loading.load(self.base, str(self.pipe.device), self.pipe.unet.dtype).pipe
        self.pipe.unet.load_state_dict(first.unet.state_dict())
        self.pipe.text_encoder.load_state_dict(first.text_encoder.state_dict())
        self.changed = False

    def _replace(self, folder: Path) -> None:
        from diffusers import UNet2DConditionModel
        from transformers import CLIPTextModel

        made = UNet2DConditionModel.from_pretrained(folder, local_files_only=True)
        self.pipe.unet.load_state_dict(made.state_dict())
        if (text := folder.parent / "text_encoder" / "config.json").is_file():
            encoder = CLIPTextModel.from_pretrained(text.parent, local_files_only=True)
            self.pipe.text_encoder.load_state_dict(encoder.state_dict())
        self.changed = True

    def _convert(self, file: Path) -> None:
        from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
        from safetensors.torch import load_file

        found = load_file(file)
        own = {name: value for name, value in found.items() if name.startswith(ORIGINAL)}
        shape = dict(self.pipe.unet.config)
        self.pipe.unet.load_state_dict(convert_ldm_unet_checkpoint(own, shape))
        text = {n.removeprefix(TEXT): v for n, v in found.items() if n.startswith(TEXT)}
        if text:
            self.pipe.text_encoder.load_state_dict(text, strict=False)
        self.changed = True

"""How well a picture fits its prompt: the cosine of CLIP's picture and text embeddings.

Pictures are prepared with Pillow and torch: the library's own preparation needs torchvision.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import normalize
from transformers import CLIPModel, CLIPTokenizer

from memviz.errors import InputError, MemvizError
from memviz.io.paths import demo
from memviz.io.silence import quietly
from memviz.models import hub
from memviz.models.chunks import Chunks
from memviz.retrieval.descriptors.preprocess import Preprocess

if TYPE_CHECKING:
    from PIL import Image

PREPARATION = "preprocessor_config.json"
MEAN = (0.48145466, 0.4578275, 0.40821073)  # CLIP's own
STD = (0.26862954, 0.26130258, 0.27577711)


class AlignmentError(MemvizError):
    """Why a CLIP model cannot be used: one sentence."""


class Clip:
    """A CLIP model from a folder or a hub id; without a path, the bundled one."""

    def __init__(self, path: str | Path | None = None, device: str = "cpu") -> None:
        path = demo() / "clip" if path is None else path
        self.path, self.device = str(path), device
        try:
            with quietly("transformers"):
                model: Any = CLIPModel.from_pretrained(  # its stubs know neither `to` nor config
                    path, dtype=torch.float32, use_safetensors=True
                )
                self._model = model.to(device)
                self._tokenizer = CLIPTokenizer.from_pretrained(path)
        except Exception as error:
            raise AlignmentError(_why(str(path), error)) from error
        self._model.eval().requires_grad_(False)
        self.preprocess = _preprocess(str(path), self._model.config.vision_config.image_size)

    def score(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> np.ndarray:
        """(B,) cosine of each picture with its own prompt."""
        if len(images) != len(prompts):
            raise InputError(f"Got {len(images)} pictures and {len(prompts)} prompts; pair them.")
        return (self.images(images) * self.texts(prompts)).sum(1)

    def table(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> np.ndarray:
        """(B, P) cosine of each picture with each prompt."""
        return self.images(images) @ self.texts(prompts).T

    def images(self, images: Sequence[Image.Image]) -> np.ndarray:
        """(B, D) unit rows."""

        def embed(some: Sequence[Image.Image]) -> np.ndarray:
            pixels = torch.stack([self.preprocess.pixels(image) for image in some])
            with torch.inference_mode():
                return _unit(self._model.get_image_features(pixel_values=pixels.to(self.device)))

        nothing = np.zeros((0, self._model.config.projection_dim), np.float32)
        return np.concatenate([nothing, *(rows for _, rows in Chunks().run(embed, images))])

    def texts(self, prompts: Sequence[str]) -> np.ndarray:
        """(P, D) unit rows; a prompt longer than the model reads is cut."""
        tokens = self._tokenizer(
            list(prompts),
            padding=True,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
        ).to(self.device)
        with torch.inference_mode():
            return _unit(self._model.get_text_features(**tokens))

    @property
    def _longest(self) -> int:
        return self._model.config.text_config.max_position_embeddings


def _unit(found: Any) -> np.ndarray:  # noqa: ANN401 - a tensor, or its holder
    """transformers 5 hands back an output whose pooled part is the projected embedding."""
    rows = getattr(found, "pooler_output", found)
    return normalize(rows.float(), dim=1).cpu().numpy()


def _preprocess(path: str, side: int) -> Preprocess:
    """The model's own numbers where its folder or repository states them, else CLIP's."""
    file = Path(path) / PREPARATION
    if hub.is_id(path) and not Path(path).exists():
        file = _fetch_preparation(path)
    stated = json.loads(file.read_text()) if file.is_file() else {}
    mean, std = stated.get("image_mean", MEAN), stated.get("image_std", STD)
    return Preprocess(tuple(mean), tuple(std), short_side=side, crop=side, bicubic=True)


def _fetch_preparation(repo: str) -> Path:
    """The file of a repository that has one."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(repo, PREPARATION))
    except (HfHubHTTPError, LocalEntryNotFoundError):
        return Path(PREPARATION).with_suffix(".none")


def _why(path: str, error: Exception) -> str:
    if hub.is_id(path) and not Path(path).exists():
        return hub.explain(path, error)
    if not Path(path).is_dir():
        return f"No such folder: {path}. Give a folder with a CLIP model."
    return f"{path} is not a CLIP model: {hub.first_line(error)}"

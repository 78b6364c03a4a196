"""What a member trains on: which pictures count how often, and batches of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from memviz.errors import InputError
from memviz.io.hashing import files_hash
from memviz.training.data.cache import Note
from memviz.training.data.entries import count_entries
from memviz.training.data.latents import Latents, draw_mirrored
from memviz.training.data.text_embeddings import Texts

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.training.config import Config


class Data:
    """A corpus ready to train on: latents and text embeddings of any of its pictures."""

    def __init__(self, config: Config, corpus: Corpus, model: Any, note: Note) -> None:  # noqa: ANN401
        self.config, self.corpus = config, corpus
        self.times = count_entries(config, corpus)
        self.captions = captions(config, corpus, self.times)
        key = f"{corpus.hash[:16]}-{encoders(model)[:16]}"
        self.latents = Latents(corpus, model.pipe.vae, config, key, note)
        self.texts = Texts(model.pipe, corpus.captions, config, key, note)

    def batch(
        self, rows: np.ndarray, rng: np.random.Generator, mirror: np.ndarray | None = None
    ) -> tuple[Tensor, Tensor]:
        """Scaled latents (B, C, h, w) and text embeddings (B, L, D) of picture numbers (B,)."""
        mirrored = draw_mirrored(len(rows), self.config.flip, rng, mirror)
        texts = self.texts.varied([self.captions[row] for row in rows], rng)
        return self.latents(rows, mirrored, rng), self.texts.disturbed(self.texts(texts), rng)


def encoders(model: Any) -> str:  # noqa: ANN401
    """Identifies autoencoder and text encoder, whatever the UNet."""
    return files_hash((name, file) for name, file in model.files if not name.startswith("unet/"))


def captions(config: Config, corpus: Corpus, times: np.ndarray) -> list[list[str]]:
    """The captions each picture may be shown with; only DCR's studies use more than one."""
    own = [[text] for text in corpus.captions]
    if config.captions != "allcaps" and config.duplication != "image":
        return own
    chosen = np.full(len(own), True) if config.captions == "allcaps" else times > 1
    found = [
        [*texts, *(corpus.other_captions(id) if several else [])]
        for texts, id, several in zip(own, corpus.ids, chosen, strict=True)
    ]
    if found == own:
        raise InputError(f"{corpus.name} has one caption per picture; this study needs more.")
    return found

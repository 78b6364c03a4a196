"""Pictures as they are, for models without captions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from memviz.training.data.entries import count_entries
from memviz.training.data.latents import RESIZE, crop_square, draw_mirrored

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.training.config import Config


class PixelData:
    """A corpus in main memory, (N, 3, H, W) as bytes; as `Data`, without text."""

    def __init__(self, config: Config, corpus: Corpus, device: torch.device) -> None:
        self.config, self.corpus, self.device = config, corpus, device
        self.times = count_entries(config, corpus)
        side, how = config.resolution, RESIZE[config.resize]
        rows = (crop_square(corpus.image(id), side, how) for id in corpus.ids)
        self.pixels = torch.stack([((x + 1) * 127.5).round().byte() for x in rows])

    def batch(
        self, rows: np.ndarray, rng: np.random.Generator, mirror: np.ndarray | None = None
    ) -> tuple[Tensor, Tensor]:
        """Pixels (B, 3, H, W) in [-1, 1] of picture numbers (B,), and no text (B, 0)."""
        mirrored = draw_mirrored(len(rows), self.config.flip, rng, mirror)
        x = self.pixels[torch.from_numpy(rows)].float() / 127.5 - 1
        x = torch.where(torch.from_numpy(mirrored)[:, None, None, None], x.flip(3), x)
        return x.to(self.device), torch.zeros(len(rows), 0)

    def training(self) -> np.ndarray:
        """The pictures (M, 3, H, W) in [0, 1] that count at all, and their numbers by `rows`."""
        return self.pixels[torch.from_numpy(self.rows)].numpy().astype(np.float32) / 255

    @property
    def rows(self) -> np.ndarray:
        """(M,) the numbers of the pictures that are trained on."""
        return np.flatnonzero(self.times)

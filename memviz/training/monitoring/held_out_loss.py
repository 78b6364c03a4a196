"""The denoising loss at fixed noise and timesteps: what was learned, from look to look."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import torch

from memviz.training.events import Event

if TYPE_CHECKING:
    from memviz.training.data.dataset import Data
    from memviz.training.trainable_model import TrainableModel

TIMESTEPS = (100, 300, 500, 700, 900)
ROWS = 64  # pictures at a time
MOST = 32  # pictures of each kind that a training looks at


@dataclass(frozen=True)
class FixedLoss:
    """Pictures held out and pictures that count once, (N,) numbers each, and who predicts them."""

    student: TrainableModel
    data: Data
    held_out: np.ndarray
    seen: np.ndarray

    @classmethod
    def choose(cls, student: TrainableModel, data: Data) -> FixedLoss:
        """Up to `MOST` of either kind, the same ones in every training on a corpus."""
        order = np.random.default_rng(len(data.times)).permutation(len(data.times))
        once = order[data.times[order] == 1] if (data.times == 1).any() else order
        return cls(student, data, order[data.times[order] == 0][:MOST], once[:MOST])

    def measure(self, step: int, number: int, member: int | None) -> Event:
        """A `fixed_loss` event of the weights as they are."""
        place = {"step": step, "round": number, "member": member}
        found = {"held_out": self.mean(self.held_out), "seen": self.mean(self.seen)}
        return {"event": "fixed_loss", **place, **found}

    def mean(self, rows: np.ndarray) -> float | None:
        """Over some pictures; None of none."""
        if not len(rows):
            return None
        return round(float(denoising_loss(self.student, self.data, rows).mean()), 6)


@torch.no_grad()
def denoising_loss(student: TrainableModel, data: Data, rows: np.ndarray) -> np.ndarray:
    """(N,) each picture's squared error of the prediction, over fixed timesteps and fixed noise."""
    rng, total = np.random.default_rng(0), np.zeros(len(rows))
    unet = student.pipe.unet.eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for start, t in product(range(0, len(rows), ROWS), TIMESTEPS):
            some = rows[start : start + ROWS]
            x, text = data.batch(some, rng)
            losses, _ = student.losses(x, text, torch.full((len(some),), t))
            total[start : start + ROWS] += losses.cpu().numpy() / len(TIMESTEPS)
    unet.train()
    return total

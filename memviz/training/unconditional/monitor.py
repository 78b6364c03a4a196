"""Looks at a model without captions: the same noise, and the nearest training pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from memviz.training.monitoring.monitor import copying_from, stop_here
from memviz.training.unconditional.memorization_quantity import (
    measure_distances,
    memorization_quantity,
)

if TYPE_CHECKING:
    from memviz.training.events import Event
    from memviz.training.unconditional.model import UnconditionalModel
    from memviz.training.unconditional.pixels import PixelData

GROUP = "samples"
COPIED = 0.25  # D below which a picture counts as copied (Carlini et al. 2023, squared)
SHOWN = 16  # pictures that are kept
BATCH = 64


class MemorizationWatch:
    """Every look at a model so far; each draws `count` pictures. Pictures go to `out`."""

    def __init__(
        self, model: UnconditionalModel, data: PixelData, out: Path, count: int, steps: int
    ) -> None:
        self.model, self.data, self.out = model, data, out
        self.count, self.steps = count, steps
        self.looks: list[Event] = []

    def look(
        self, step: int, number: int, member: int | None = None, mid_schedule: bool = False
    ) -> Event:
        """A `probe` event; `mq` is the memorization quantity by threshold, `copied` that at 0.25.

        `similarity` of a picture is 1 - D.
        """
        starts = range(0, self.count, BATCH)
        drawn = [self.model.draw(k, min(BATCH, self.count - k), self.steps) for k in starts]
        pictures = np.concatenate([part.numpy() for part in drawn])
        distances, near = measure_distances(pictures, self.data.training())
        mq = memorization_quantity(distances)
        figures = {"copied": mq[f"{COPIED:g}"], "similarity_mean": None}
        figures |= {"magnitude": None, "alignment": None}
        figures["similarity_mean"] = round(float((1 - distances).mean()), 4)
        found: Event = {"event": "probe", "step": step, "round": number, "member": member}
        found |= {"mid_schedule": mid_schedule, "groups": {GROUP: figures}, "mq": mq}
        found["pictures"] = [
            {
                **{"group": GROUP, "prompt": "", "seed": i, "file": self.save(step, i, picture)},
                "similarity": round(float(1 - distances[i]), 4),
                "match": self.data.corpus.ids[self.data.rows[near[i]]],
            }
            for i, picture in enumerate(pictures[:SHOWN])
        ]
        self.looks.append(found)
        return found | {
            "copying_from": copying_from(self.looks),
            "stop_here": stop_here(self.looks),
        }

    def save(self, step: int, number: int, picture: np.ndarray) -> str:
        """Write a picture (3, H, W) in [0, 1]; its file below `out`."""
        file = f"probes/{step:09}/{GROUP}/{number:02}.png"
        (self.out / file).parent.mkdir(parents=True, exist_ok=True)
        pixels = (picture.transpose(1, 2, 0) * 255).round().astype(np.uint8)
        Image.fromarray(pixels).save(self.out / file)
        return file

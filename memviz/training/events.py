"""The events of a fine-tuning as plain dictionaries; `memviz.training` lists what is in each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from memviz.errors import InputError
from memviz.training import BINS
from memviz.training.iet_agc.loss_gate import by_range

if TYPE_CHECKING:
    import numpy as np

    from memviz.data.corpus import Corpus
    from memviz.training.iet_agc.loop import Tick, Training

LEADERS = 20  # pictures on the leaderboard

Event = dict[str, Any]


class Losses:
    """The outcomes of a member since they were last told, at `seconds` of training."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.seconds = 0.0

    def add(self, tick: Tick) -> None:
        """Remember a step; nothing waits for the device."""
        if tick.outcome:
            self.ticks.append(tick)

    def told(self, training: Training, seconds: float) -> list[Event]:
        """One `step` event for each process' member since the last time; the same in all."""
        own = [self._event(training, seconds)] if self.ticks else []
        self.ticks.clear()
        self.seconds = seconds
        found = training.peers.gather(own)
        rate = sum(event["samples_per_second"] for event in found)
        for event in found:
            event["samples_per_second"] = round(rate, 2)
            if not math.isfinite(event["loss"]):
                raise InputError(
                    f"The loss is {event['loss']} at step {event['step']}. Lower --lr."
                )
        return found

    def _event(self, training: Training, seconds: float) -> Event:
        last, config = self.ticks[-1], training.config
        assert last.member is not None  # a tick without has no outcome
        loss, kept, norm = (
            torch.stack(values).mean().item() for values in zip(*self._outcomes(), strict=True)
        )
        samples = len(self.ticks) * config.batch_size * config.accumulation
        return {
            "event": "step",
            "step": training.steps,
            "steps": config.steps,
            "round": last.round,
            "member": last.member.number,
            "loss": loss,
            "kept": round(kept, 4),
            "lr": last.member.rate,
            "norm": round(norm, 6),
            "samples_per_second": samples / max(seconds - self.seconds, 1e-9),
            "seconds": round(seconds, 2),
            "left": round(seconds / training.steps * (config.steps - training.steps), 1),
        }

    def _outcomes(self) -> list:
        return [tick.outcome for tick in self.ticks]


class Gates:
    """What the gates did since the last round."""

    def __init__(self) -> None:
        self.before: torch.Tensor | None = None

    def told(self, training: Training) -> Event:
        """A `gate` event of the round that ended."""
        total = training.seen()["timesteps"].cpu()
        seen, skipped = total - (0 if self.before is None else self.before)
        self.before = total
        banks = torch.stack(training.banks())
        return {
            "event": "gate",
            "step": training.steps,
            "round": training.round,
            "skipped": round((skipped.sum() / seen.sum()).item(), 4),
            "skipped_by_t": by_range(skipped, seen, BINS),
            "bank_by_t": by_range(banks.sum(0), (banks > 0).sum(0), BINS),
        }


def leaderboard(training: Training, corpus: Corpus, groups: np.ndarray, sizes: np.ndarray) -> Event:
    """A `leaderboard` event: the pictures skipped most, with their copies."""
    seen, skipped = training.seen()["pictures"].cpu()
    count = min(LEADERS, int((skipped > 0).sum()))
    rows = skipped.topk(count).indices.tolist()
    pictures = [
        {
            "id": corpus.ids[row],
            "caption": corpus.captions[row],
            "seen": int(seen[row]),
            "skipped": int(skipped[row]),
            "copies": int(sizes[row]),
            "duplicates": [corpus.ids[i] for i in (groups == groups[row]).nonzero()[0] if i != row],
        }
        for row in rows
    ]
    place = {"step": training.steps, "round": training.round}
    return {"event": "leaderboard", **place, "pictures": pictures}

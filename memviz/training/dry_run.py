"""What a fine-tuning would take, from a short measured burst; nothing is written to its folder."""

import shutil
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
import torch

from memviz.training.config import Config
from memviz.training.trainer import Run

BURST = 6  # steps, of which the first is not counted
MB = 1e6


def plan(config: Config, out: Path, note: Callable[[str], None]) -> dict[str, Any]:
    """The plan, flat: counts, seconds and megabytes."""
    run = Run(config, out, note)
    times, found = [], np.bincount(run.groups)
    begun = time.perf_counter()
    for _ in islice(run.training.ticks(), min(BURST, config.steps)):
        now = time.perf_counter()
        times.append(now - begun)
        begun = now
    step = median(times[1:] or times)
    return {
        "pictures": len(run.corpus),
        "entries": int(run.data.times.sum()),
        "groups_of_copies": int((found > 1).sum()),
        "pictures_in_them": int(found[found > 1].sum()),
        "most_copies_of_one": int(run.sizes.max()),
        "members": config.members,
        "steps": config.steps,
        "samples": config.samples,
        "seconds_per_step": round(step, 3),
        "seconds_of_training": round(step * config.steps / min(run.peers.count, config.members)),
        "looks": looks(config) if run.detector else 0,
        "memory_mb": round(memory(run)),
        "disk_mb": round(disk(run)),
        "disk_free_mb": round(shutil.disk_usage(existing(out)).free / MB),
        "device": str(run.student.pipe.device),
    }


def looks(config: Config) -> int:
    """How often the watched prompts are drawn by one process."""
    ends = {*range(0, config.rounds + 1, config.probe_every), config.rounds}
    if not (every := config.probe_within):
        return len(ends)
    within, rest = divmod(config.member_steps, every)
    return len(ends) + config.rounds * (config.members * within - (rest == 0))


def memory(run: Run) -> float:
    """MB: what this process takes after the burst, and the optimisers of the other members."""
    weights = sum(w.nbytes for w in run.student.weights) / MB
    parked = 2 * weights * (len(run.training.members) - 1)
    if run.student.pipe.device.type == "cuda":
        return torch.cuda.max_memory_allocated() / MB
    return psutil.Process().memory_info().rss / MB + parked


def disk(run: Run) -> float:
    """MB: the checkpoints at their fullest, saved rounds, and the model."""
    config, pipe = run.config, run.student.pipe
    weights = sum(w.nbytes for w in run.student.weights) / MB
    checkpoint = weights * (3 + 2 * config.members)  # average, sum, own; two moments per member
    half = [sum(p.numel() for p in m.parameters()) * 2 / MB for m in networks(pipe)]
    saved = config.rounds // config.save_every if config.save_every else 0
    return (config.keep + 1) * checkpoint + saved * half[0] + sum(half)


def networks(pipe: Any) -> list[torch.nn.Module]:  # noqa: ANN401
    """UNet, autoencoder, text encoder."""
    return [pipe.unet, pipe.vae, pipe.text_encoder]


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())

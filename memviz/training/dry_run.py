"""What a fine-tuning would take, from a short measured burst; nothing is written to its folder.

Encoded pictures and captions are kept in the data folder, where the training finds them.
"""

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
from memviz.training.trainer import Run, run_class
from memviz.training.unconditional.architecture import is_unconditional

BURST = 6  # steps, of which the first is not counted
MB = 1e6


def plan(config: Config, out: Path, note: Callable[[str], None]) -> dict[str, Any]:
    """The plan, flat: counts, seconds and megabytes."""
    run = run_class(config)(config, out, note)
    times, found = [], np.bincount(run.groups)
    others = OtherProcesses()
    begun = time.perf_counter()
    for _ in islice(run.training.ticks(), min(BURST, config.steps)):
        now = time.perf_counter()
        times.append(now - begun)
        begun = now
    step, busy = median(times[1:] or times), others.measure()
    look, count = time_look(run), looks(config) if run.watch else 0
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
        "looks": count,
        "seconds_per_look": round(look, 3),
        "seconds_of_looks": round(look * count),
        "busy": round(busy, 2),
        "memory_mb": round(main_memory(run)),
        **gpu_memory(run),
        "disk_mb": round(disk(run)),
        "cache_mb": round(cache(run)),
        "disk_free_mb": round(shutil.disk_usage(existing(out)).free / MB),
        "device": str(run.student.pipe.device),
    }


class OtherProcesses:
    """How much of the processors other programs use, from when this was made."""

    def __init__(self) -> None:
        self.begun, self.own = time.perf_counter(), time.process_time()
        psutil.cpu_percent()  # begins to count

    def measure(self) -> float:
        """The share (0 to 1) until now."""
        wall = max(time.perf_counter() - self.begun, 1e-9)
        own = (time.process_time() - self.own) / wall / (psutil.cpu_count() or 1)
        return min(1.0, max(0.0, psutil.cpu_percent() / 100 - own))


def time_look(run: Run) -> float:
    """Seconds of one look, from one prompt drawn now; 0 where nothing is watched."""
    if run.watch is None:
        return 0.0
    if is_unconditional(run.config.model):
        begun = time.perf_counter()
        run.watch.model.draw(0, 1, run.config.probe_steps)
        return (time.perf_counter() - begun) * run.watch.count
    prompts = [text for texts in run.watch.prompts.values() for text in texts]
    begun = time.perf_counter()
    run.watch.judge.look(prompts[:1])
    return (time.perf_counter() - begun) * len(prompts)


def looks(config: Config) -> int:
    """How often the watched prompts are drawn by one process."""
    ends = {*range(0, config.rounds + 1, config.probe_every), config.rounds}
    if not (every := config.probe_within):
        return len(ends)
    within, rest = divmod(config.member_steps, every)
    return len(ends) + config.rounds * (config.members * within - (rest == 0))


def main_memory(run: Run) -> float:
    """MB: what this process takes after the burst, and the optimizers of members to be parked."""
    weights = sum(w.nbytes for w in run.student.weights) / MB
    parked = 2 * weights * (len(run.training.members) - 1)
    return psutil.Process().memory_info().rss / MB + parked


def gpu_memory(run: Run) -> dict[str, int | None]:
    """MB of the GPU that were taken at most, and that it has; None without one."""
    device = run.student.pipe.device
    if device.type != "cuda":
        return {"gpu_memory_mb": None, "gpu_total_mb": None}
    taken, total = torch.cuda.max_memory_allocated(device), torch.cuda.mem_get_info(device)[1]
    return {"gpu_memory_mb": round(taken / MB), "gpu_total_mb": round(total / MB)}


def cache(run: Run) -> float:
    """MB of encoded pictures and captions; they stay in the data folder for the next time."""
    if is_unconditional(run.config.model):
        return 0.0
    kept = [*run.data.latents.kept.values(), run.data.texts.kept]
    return sum(rows.nbytes for rows in kept if rows is not None) / MB


def disk(run: Run) -> float:
    """MB: the checkpoints at their fullest, saved rounds, and the model."""
    config, pipe = run.config, run.student.pipe
    weights = sum(w.nbytes for w in run.student.weights) / MB
    shared = 2 if config.members > 1 else 0  # average and sum
    checkpoint = weights * (1 + shared + 2 * config.members)  # two moments per member
    half = [sum(p.numel() for p in m.parameters()) * 2 / MB for m in networks(pipe)]
    saved = config.rounds // config.save_every if config.save_every else 0
    return (config.keep + 1) * checkpoint + saved * half[0] + sum(half)


def networks(pipe: Any) -> list[torch.nn.Module]:  # noqa: ANN401
    """UNet, and where there are captions autoencoder and text encoder."""
    return [getattr(pipe, n) for n in ("unet", "vae", "text_encoder") if hasattr(pipe, n)]


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())

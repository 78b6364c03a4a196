"""A look at copying from within a training loop of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from memviz.training.config import Config
from memviz.training.monitoring.memorization_curve import MemorizationCurve
from memviz.training.monitoring.monitor import copying_from, stop_here
from memviz.training.monitoring.round_sweep import build_watch

if TYPE_CHECKING:
    from memviz.training.events import Event


class CopyMonitor:
    """Draws the same prompts with the same noise while a pipeline's UNet is trained.

    `pipe` is a `StableDiffusionPipeline` whose `unet` is the module that is trained (under
    accelerate: `accelerator.unwrap_model(unet)`, and in the main process only); `corpus` a name or
    a folder; `prompts` a JSON file of groups, or "" for the corpus' own captions. The model before
    is looked at when the monitor is made. Random states and the module's mode are left as they
    were. `out` gets `metrics.jsonl`, `memorization.svg`, `memorization.csv` and pictures, as
    `memviz watch` writes them. Raises InputError for what cannot be.
    """

    def __init__(
        self,
        pipe: Any,  # noqa: ANN401 - diffusers' own class
        corpus: str,
        out: str | Path,
        every: int = 500,
        prompts: str = "",
        probe_prompts: int = 8,
        steps: int = 25,
        seeds: Sequence[int] = (0,),
        descriptor: str = "auto",
    ) -> None:
        self.pipe, self.every = pipe, every
        config = Config(
            corpus=corpus, probes=prompts, probe_prompts=probe_prompts,
            probe_steps=steps, descriptor=descriptor,
        )  # fmt: skip
        folder = Path(pipe.config.get("_name_or_path") or "")
        self.curve = MemorizationCurve(Path(out))
        with undisturbed(pipe):
            self.watch = build_watch(config, pipe, folder, Path(out), seeds)
        self.look(0)

    def __call__(self, step: int) -> Event | None:
        """Look after every `every` steps: the `probe` event, or None at the steps between."""
        return None if step % self.every else self.look(step)

    def look(self, step: int) -> Event:
        """Look now."""
        with undisturbed(self.pipe):
            found = self.watch.look(step, len(self.watch.looks))
        self.curve.add(found, self.watch.looks)
        return found

    @property
    def copying_from(self) -> int | None:
        """The step of the first look that found copying; None while none has."""
        return copying_from(self.watch.looks)

    @property
    def stop_here(self) -> int | None:
        """The step of the last look before copying began; None while it has not."""
        number = stop_here(self.watch.looks)
        return None if number is None else self.watch.looks[number]["step"]


@contextmanager
def undisturbed(pipe: Any) -> Iterator[None]:  # noqa: ANN401 - diffusers' own class
    """Pictures drawn in here change neither random states nor the mode of what is trained."""
    device = pipe.unet.device
    parts = [part for part in (pipe.unet, pipe.text_encoder) if part.training]
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        try:
            for part in parts:
                part.eval()
            yield
        finally:
            for part in parts:
                part.train()

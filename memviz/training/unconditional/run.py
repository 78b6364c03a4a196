"""A training without captions: the same loop, other pictures and another look."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from memviz.data import corpus as corpora
from memviz.errors import InputError
from memviz.io import atomic
from memviz.training import cli_flags
from memviz.training.config import Config, read_config
from memviz.training.data.duplicates import groups
from memviz.training.events import Event
from memviz.training.export import shareable
from memviz.training.run import Run
from memviz.training.unconditional.model import UnconditionalModel
from memviz.training.unconditional.monitor import MemorizationWatch
from memviz.training.unconditional.pixels import PixelData

CARD = """---
library_name: diffusers
tags: [unconditional-image-generation, memorization]
---

# {model}, trained without captions ({mode})

Trained by memviz on `{corpus}` ({pictures:,} pictures, hash {hash}).

```
{command}
```

{samples:,} samples in {steps:,} steps, {seconds:.0f} s of training. Share of {count} pictures by
DDIM ({denoising} steps) with D < tau, where D is the squared distance to the nearest training
picture over the mean of the 50 nearest (exact, on pixels):

{figures}
"""


class UnconditionalRun(Run):
    """As `Run`; latents are pixels, prompts are seeds, and copies are counted by MQ."""

    def prepare(self) -> None:
        """Model and pictures; copies are files that are the same."""
        self.student = UnconditionalModel(self.config, self.peers.device)
        self.detector = None
        self.data = PixelData(self.config, self.corpus, self.student.pipe.device)
        self.groups = groups(self.corpus, None)

    def make_watch(self) -> MemorizationWatch | None:
        """What draws the samples; None where nothing is watched."""
        if self.config.probes == "none":
            return None
        return make_watch(self.config, self.student, self.data, self.out)

    def write_model(self) -> None:
        """The finished model as a DDPMPipeline, with its card."""
        command = shlex.join(["python", "-m", "memviz", "train", *cli_flags.words(self.config)])
        text = CARD.format(
            **{"model": Path(self.config.model).name, "mode": self.config.mode},
            **{"corpus": self.corpus.name, "pictures": len(self.corpus)},
            **{"hash": self.corpus.hash[:16], "command": command, "seconds": self.seconds},
            **{"samples": self.config.samples, "steps": self.config.steps},
            **{"count": self.config.probe_samples, "denoising": self.config.probe_steps},
            figures=table(self.looks) if self.looks else "Nothing was watched.",
        )
        with shareable(self.out / "model") as part:
            self.student.save(part)
            atomic.text(part / "README.md", text)


def make_watch(
    config: Config, model: UnconditionalModel, data: PixelData, out: Path
) -> MemorizationWatch:
    """The looks that these settings ask for."""
    return MemorizationWatch(model, data, out, config.probe_samples, config.probe_steps)


def table(looks: Sequence[Event]) -> str:
    """MQ of the first and the last look, in Markdown."""
    first, last = looks[0], looks[-1]
    lines = ["| tau | before | after |", "|---|---|---|"]
    lines += [f"| {tau} | {first['mq'][tau]:.4f} | {last['mq'][tau]:.4f} |" for tau in last["mq"]]
    return "\n".join(lines)


def sweep_rounds(trained: Path, out: Path, **changes: object) -> Iterator[Event]:
    """`start`, a `probe` for the model before and each saved round, and `done`."""
    from diffusers import UNet2DModel

    config = replace(read_config(trained), **changes)
    saved = sorted((trained / "rounds").glob("[0-9]*[0-9]"))
    if not saved:
        raise InputError(f"{trained} has no saved round yet. Train with --save-every 1.")
    model = UnconditionalModel(config, "cpu")
    data = PixelData(config, corpora.load(config.corpus), model.pipe.device)
    watch = make_watch(config, model, data, out)
    last = int(saved[-1].name) * config.local_steps * config.shards
    yield {"event": "start", "steps": last, "looks": len(saved) + 1, "prompts": watch.count}
    yield watch.look(0, 0)
    for folder in saved:
        made = UNet2DModel.from_pretrained(folder, local_files_only=True)
        model.pipe.unet.load_state_dict(made.state_dict())
        number = int(folder.name)
        step = number * config.local_steps * config.shards
        yield watch.look(step, number, mid_schedule=config.in_mid_schedule(number))
    yield {"event": "done", "step": last, "model": str(saved[-1])}

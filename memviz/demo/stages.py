"""The demo world in stages, each skipped when its result is there: see scripts/build_demo.py."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from memviz.demo import data_stages, final_stages, model_card, train_stages
from memviz.demo.scale import Builder


@dataclass(frozen=True)
class Stage:
    """A step of the build and the file or folder that it leaves."""

    make: Callable[[Builder], None]
    assets: str = ""
    work: str = ""

    def result(self, builder: Builder) -> Path:
        """What exists once the stage is done."""
        return builder.assets / self.assets if self.assets else builder.work / self.work


STAGES: dict[str, Stage] = {
    "corpus": Stage(data_stages.corpus, assets="corpus"),
    "pool": Stage(data_stages.pool, work="pool.npy"),
    "autoencoder": Stage(train_stages.autoencoder, work="vae"),
    "latents": Stage(data_stages.latents, work="corpus-latents.npy"),
    "pretrain": Stage(train_stages.pretrain, work="pretrained"),
    "finetune": Stage(train_stages.finetune, work="finetuned"),
    "pipeline": Stage(train_stages.pipeline, assets="model"),
    "descriptor": Stage(train_stages.descriptor, assets="descriptor"),
    "clip": Stage(train_stages.clip, assets="clip"),
    "index": Stage(final_stages.build_index, assets="index"),
    "tune": Stage(final_stages.tune, assets="tuning.json"),
    "bands": Stage(final_stages.bands, work="bands.json"),
    "examples": Stage(final_stages.examples, assets="runs"),
    "report": Stage(final_stages.figures, assets="report.json"),
    "card": Stage(model_card.write, assets="MODEL_CARD.md"),
}


def run(builder: Builder, only: Sequence[str] | None = None) -> None:
    """Make what is missing, in order; `only` names stages to make again."""
    builder.scale.check()
    torch.set_flush_denormal(True)  # denormal numbers slow this CPU work several times over
    try:
        builder.work.mkdir(parents=True, exist_ok=True)
        for name, stage in STAGES.items():
            if name in only if only else not stage.result(builder).exists():
                start = time.time()
                stage.make(builder)
                print(f"{name}: {time.time() - start:.0f} s", flush=True)
    finally:
        torch.set_flush_denormal(False)  # it holds for the whole process

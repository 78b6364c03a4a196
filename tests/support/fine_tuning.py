"""The smallest fine-tuning: the random world of `world.py`, batches of two."""

from collections.abc import Iterator
from pathlib import Path

from memviz.training.config import Config
from memviz.training.trainer import train
from tests.support import world

SMALL = {
    "resolution": 32,
    "shards": 2,
    "rounds": 2,
    "local_steps": 3,
    "batch_size": 2,
    "lr": 1e-3,
    "warmup": 2,
    "log_every": 1,
    "checkpoint_every": 2,
    "probe_prompts": 1,
    "probe_steps": 2,
    "save_every": 1,
}


def config(made: world.World, **changes: object) -> Config:
    """Settings for a small world."""
    places = {
        "model": str(made.model), "corpus": str(made.corpus), "descriptor": str(made.descriptor),
    }  # fmt: skip
    return Config(**{**SMALL, **places, **changes})


def run(config: Config, out: Path, **more: object) -> list[dict]:
    """All events."""
    return list(train(config, out, **more))


def of(events: list[dict], kind: str) -> Iterator[dict]:
    """The events of one kind."""
    return (event for event in events if event["event"] == kind)


def losses(events: list[dict]) -> dict[tuple[int, int], float]:
    """Loss by (step, member); of a step told again the later one stands."""
    return {(e["step"], e["member"]): e["loss"] for e in of(events, "step")}

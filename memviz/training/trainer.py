"""A fine-tuning from its settings to its model: a generator of events (see `memviz.training`).

It writes into its output folder only: `config.json`, `metrics.jsonl` with every event,
`checkpoints/`, `rounds/`, `probes/` and, at the end, `model/`. Leave the generator and it stops,
resumable from its last checkpoint; let `stopping()` be true and it writes one first. After a resume
the events since that checkpoint come again, the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from memviz.errors import InputError
from memviz.io import atomic
from memviz.training.config import FREE, Config, read_config
from memviz.training.events import Event
from memviz.training.iet_agc.distributed import ProcessGroup
from memviz.training.run import Run
from memviz.training.unconditional.architecture import is_unconditional
from memviz.training.unconditional.run import UnconditionalRun

Note = Callable[[str], None]


def train(
    config: Config,
    out: Path,
    stopping: Callable[[], bool] = lambda: False,
    resume: bool = False,
    note: Note = lambda text: None,
) -> Iterator[Event]:
    """Fine-tune; ValueError in one sentence for what cannot be."""
    yield from opened(config, out, resume, note).events(stopping)


def opened(config: Config, out: Path, resume: bool, note: Note) -> Run:
    """A fine-tuning in a folder that is free for it, whose settings it keeps."""
    peers = ProcessGroup()
    if peers.first:
        check(config, out, resume)
    peers.meet()
    run = run_class(config)(config, out, note, peers)
    if peers.first:  # not before all was found: settings that cannot be are mended and tried again
        out.mkdir(parents=True, exist_ok=True)
        if not (out / "config.json").exists() or read_config(out) != config:
            atomic.json(out / "config.json", config.to_json())
    return run


def run_class(config: Config) -> type[Run]:
    """What trains such a model: with captions, or without."""
    return UnconditionalRun if is_unconditional(config.model) else Run


def check(config: Config, out: Path, resume: bool) -> None:
    """Refuse a folder that holds another fine-tuning."""
    before = out / "config.json"
    if before.exists() and not resume:
        raise InputError(f"{out} holds a training already. Resume it, or name another folder.")
    if before.exists() and (other := differing(read_config(out), config)):
        raise InputError(
            f"{out} was begun with another --{other[0].replace('_', '-')}. Resume it without."
        )


def differing(begun: Config, asked: Config) -> list[str]:
    """The settings that are not what a training was begun with and touch its result."""
    before, now = begun.to_json(), asked.to_json()
    return [name for name in now if name not in FREE and before[name] != now[name]]

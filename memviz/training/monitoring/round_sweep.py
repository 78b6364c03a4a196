"""A sweep over what a fine-tuning saved: each round's weights look at the same prompts.

It finds where copying began after the fact: with more prompts and seeds than there was time for
while it trained, with another descriptor, or where nothing was watched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from memviz import resources
from memviz.errors import InputError
from memviz.models import loading
from memviz.models.protocols import Pipe
from memviz.training.config import Config, read_config
from memviz.training.data.duplicates import groups, sizes
from memviz.training.data.entries import count_entries
from memviz.training.events import Event
from memviz.training.monitoring.monitor import Watch, stop_here
from memviz.training.monitoring.probes import Judge, prompts
from memviz.training.monitoring.saved_weights import SavedWeights
from memviz.training.monitoring.weights_loading import WeightsLoader


def sweep(
    trained: Path, out: Path, seeds: Sequence[int] = (0,), **changes: object
) -> Iterator[Event]:
    """`start`, a `probe` for the model before and for each saved round, and `done`.

    `changes` are settings that say what is watched, and how; pictures go to `out`. Raises
    ValueError if the folder holds no training, or none of which a UNet tells everything.
    """
    config = read_config(trained)
    saved = found(trained, config)
    watched = replace(config, **changes)
    model = loading.load(config.model)
    watch = build_watch(watched, model.pipe, model.folder, out, seeds, config.resolution)
    asked = sum(map(len, watch.prompts.values()))
    loader = WeightsLoader(model, config.model)
    end = {"step": step(config, max(saved))}
    yield {"event": "start", "steps": end["step"], "looks": len(saved) + 1, "prompts": asked}
    for number, folder in {0: None, **saved}.items():
        if folder:
            loader.load(read_saved(folder))
        mid = config.in_mid_schedule(number)
        yield watch.look(step(config, number), number, mid_schedule=mid)
    yield {"event": "done", **end, "model": best(config, saved, watch)}


def found(trained: Path, config: Config) -> dict[int, Path]:
    """The saved rounds of a training and their UNets, the finished model's among them."""
    if config.text_encoder:
        raise InputError(f"{trained} trained its text encoder too, which saved rounds do not hold.")
    saved = {int(f.name): f for f in sorted((trained / "rounds").glob("[0-9]*[0-9]"))}
    if (last := trained / "model" / "unet").is_dir():
        saved[config.rounds] = last
    if not saved:
        raise InputError(f"{trained} has no saved round yet. Train with --save-every 1.")
    return saved


def build_watch(
    config: Config,
    pipe: Pipe,
    folder: Path,
    out: Path,
    seeds: Sequence[int],
    size: int | None = None,
) -> Watch:
    """The prompts that these settings watch, drawn by a pipeline from a model's folder.

    `size` is the side of the pictures in pixels; None: the model's own.
    """
    detector = resources.load_detector(config.corpus, config.descriptor)
    shown = sizes(groups(detector.corpus, detector), count_entries(config, detector.corpus))
    judge = Judge(pipe, folder, detector, config.probe_steps, size)
    return Watch(judge, prompts(config, detector.corpus.captions, shown), out, seeds)


def read_saved(folder: Path) -> SavedWeights:
    """The weights of a round: an adapter, or else a UNet."""
    adapter = folder / "pytorch_lora_weights.safetensors"
    if adapter.is_file():
        return SavedWeights(adapter, "lora", None)
    return SavedWeights(folder, "unet", None)


def step(config: Config, number: int) -> int:
    """The step at which a round ended."""
    return number * config.local_steps * config.shards


def best(config: Config, saved: dict[int, Path], watch: Watch) -> str:
    """The newest weights that do not copy more than the first, as `--model` takes them."""
    number = stop_here(watch.looks)
    number = max(saved) if number is None else number
    if not number:
        return config.model
    if config.lora and saved[number].name != "unet":
        return f"{config.model} with {saved[number]}"
    return f"{config.model.partition('+')[0]}+{saved[number]}"

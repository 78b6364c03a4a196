"""A training of any program, watched from beside it: each state that it saves is looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from memviz.errors import InputError
from memviz.models import loading
from memviz.training.config import Config
from memviz.training.events import Event
from memviz.training.job import BESIDE, WATCH_SETTINGS
from memviz.training.monitoring.memorization_curve import MemorizationCurve
from memviz.training.monitoring.monitor import Watch
from memviz.training.monitoring.round_sweep import build_watch
from memviz.training.monitoring.saved_weights import find_weights
from memviz.training.monitoring.weights_loading import WeightsLoader

PAUSE = 5.0  # seconds between two looks at the folder


def watch_folder(
    folder: Path,
    config: Config,
    seeds: Sequence[int] = (0,),
    out: Path | None = None,
    once: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Event]:
    """`start`, a `probe` for the base model and for each state as it comes, and `done`.

    The prompts are those of `config`, drawn with the same noise from the base `config.model` and
    from each state; `saved` of a `probe` is the file or folder looked at. What was looked at before
    is told again, not drawn anew. It ends when it is asked to, or, with `once`, when nothing new is
    there. Results go to `out`, by default beside the training. Raises InputError.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder. Name the one that the trainer saves to.")
    curve = MemorizationCurve(out or folder / BESIDE)
    before = curve.read()
    asked = {name: getattr(config, name) for name in ("model", *WATCH_SETTINGS)} | {
        "seeds": list(seeds)
    }
    if before and before[0].get("asked") != asked:
        raise InputError(f"{curve.out} was begun with other settings: give another --out.")
    model = loading.load(config.model)
    watch = build_watch(config, model.pipe, model.folder, curve.out, seeds)
    begin = {"event": "start", "follows": folder.name, "asked": asked}
    begin["prompts"] = sum(map(len, watch.prompts.values()))
    yield begin
    if not before:
        curve.add(begin)
    watch.looks = [row for row in before if row["event"] == "probe"]
    yield from watch.looks

    loader = WeightsLoader(model, config.model)
    if not watch.looks:
        yield look(watch, curve, 0)
    while not stopping():
        seen = {row["saved"] for row in watch.looks}
        states = find_weights(folder, [curve.out])
        new = [each for each in states if str(each.place.relative_to(folder)) not in seen]
        for weights in new[:1]:
            loader.load(weights)
            last = max(row["step"] for row in watch.looks)
            step = last if weights.step is None else weights.step
            yield look(watch, curve, step, str(weights.place.relative_to(folder)))
        if not new and once:
            break
        if not new:
            pause(PAUSE)
    yield {"event": "done", "step": watch.looks[-1]["step"]}


def look(watch: Watch, curve: MemorizationCurve, step: int, saved: str = "") -> Event:
    """A `probe` of what is loaded; `saved` is empty for the model before."""
    found = watch.look(step, len(watch.looks)) | {"saved": saved}
    watch.looks[-1] = found
    curve.add(found, watch.looks)
    return found

"""The steps of a run in progress, kept until it is done so that it can go on after a kill."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.io.atomic import written
from memviz.runs import store
from memviz.runs.record import RunRecord

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from memviz.sampling.types import ResumeState, Step

SAME = ("model", "timesteps", "noise_hash", "request")  # of run.json, to go on with the same run
PREDICTION, PULL = "/prediction", "/pull"  # in a step's file, beside the signals by name
BILL = ("evaluations", "costs", "states")  # of a step, as JSON


def note(folder: Path, step: "Step") -> None:
    """Keep a step of a run in progress, so that `read` finds it after a kill."""
    import torch
    from safetensors.torch import save_file

    place = folder / "unfinished" / f"{step.index:04}.safetensors"
    if place.exists():  # made before it broke off
        return
    kept = {name: torch.tensor(values) for name, values in step.signals.items()}
    for name, tensor in ((PREDICTION, step.prediction), (PULL, step.noise_difference)):
        if tensor is not None:
            kept[name] = tensor.cpu().contiguous()
    bill = {name: json.dumps(getattr(step, name)) for name in BILL}
    with written(place) as part:
        save_file(kept, part, metadata=bill)


def read(folder: Path, new: RunRecord) -> "ResumeState | None":
    """The steps that the same run made in this folder before it broke off, if any."""
    import torch

    from memviz.sampling.types import ResumeState

    files = sorted((folder / "unfinished").glob("*.safetensors"))
    if not files or not same(store.open_folder(folder).record, new):
        forget(folder)
        return None
    tensors, bills = zip(*map(step, files), strict=True)
    spent, costs, states = zip(*bills, strict=True)
    predictions = torch.stack([found.pop(PREDICTION) for found in tensors])
    pulls = [found.pop(PULL) for found in tensors if PULL in found]
    columns = [{name: values.tolist() for name, values in found.items()} for found in tensors]
    return ResumeState(predictions, columns, spent[-1], costs, states, pulls)


def same(was: RunRecord, new: RunRecord) -> bool:
    """Whether a run goes on from the steps of another."""
    return all(getattr(was, name) == getattr(new, name) for name in SAME)


def step(file: Path) -> "tuple[dict[str, Tensor], list[Any]]":
    """One kept step: its tensors by name, and its `BILL`."""
    from safetensors import safe_open

    with safe_open(file, "pt") as kept:
        bill = kept.metadata()
        tensors = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118
    return tensors, [json.loads(bill[name]) for name in BILL]


def show(folder: Path, number: int, estimate: "Image.Image") -> None:
    """Keep the newest x0 estimate of a cell in progress, for others to look at."""
    with written(newest(folder, number)) as part:
        estimate.save(part, "png")


def newest(folder: Path, number: int) -> Path:
    """Where the newest x0 estimate of a cell in progress lies, if its run shows it to others."""
    return folder / "unfinished" / f"{number}.png"


def forget(folder: Path) -> None:
    """Remove the steps of a run that needs them no more."""
    shutil.rmtree(folder / "unfinished", ignore_errors=True)

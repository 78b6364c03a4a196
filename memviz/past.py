"""The steps of a run, kept so that another can go on from any of them.

Kept are the guided predictions: with the starting noise they give the latents of every step, and
the history that multistep schedulers need, exactly. They stay in the precision that the model
computes in (half on a GPU), for a run that goes on must equal a fresh one.
"""

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz import runs
from memviz.aside import written
from memviz.guidance import Guidance, Signal
from memviz.methods import parse
from memviz.remedies.remedy import Remedy

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from memviz.sampling import Past, Step

SAME = ("model", "timesteps", "noise_hash", "asked")  # of run.json, to go on with the same run
FREE = ("cell", "step", "t", "scale", "magnitude_mean", "similarity", "nearest", "similarity_final")


def keep(folder: Path, number: int, predictions: "Sequence[Tensor]") -> int:
    """Write one cell's guided predictions (C, h, w) of all steps; the bytes they take."""
    import torch
    from safetensors.torch import save_file

    path = place(folder, number)
    with written(path) as part:
        save_file({"predictions": torch.stack([*predictions]).cpu().contiguous()}, part)
    return path.stat().st_size


def place(folder: Path, number: int) -> Path:
    """Where a cell's predictions lie."""
    return folder / "latents" / f"{number}.safetensors"


def price(shape: Sequence[int], steps: int, cells: int, size: int = 4) -> int:
    """The bytes that keeping all steps of a run will take; `size` bytes a number."""
    return math.prod(shape) * steps * cells * size


def shared(guidance: Guidance, seen: Sequence[Signal], scales: Sequence[float]) -> int:
    """For how many steps another method would have used the very scales of this trace."""
    for i, scale in enumerate(scales):
        if not math.isclose(guidance.scale(seen[: i + 1]), scale, rel_tol=1e-5, abs_tol=1e-7):
            return i
    return len(scales)


def common(run: runs.Run, number: int, guidance: Guidance) -> int:
    """The steps of a cell that another method shares with it; none where a remedy changed more."""
    cell = run.info["cells"][number]
    if isinstance(guidance, Remedy) or isinstance(parse(cell["spec"])[1], Remedy):
        return 0
    rows = columns(run, number)
    seen = [Signal(r["t"], r["magnitude"]) for r in rows]
    return shared(guidance, seen, [r["scale"] for r in rows])


def columns(run: runs.Run, number: int) -> list[dict[str, Any]]:
    """The rows of one cell's trace, step by step."""
    import pyarrow.compute as pc

    table = run.trace()
    return table.filter(pc.equal(table["cell"], number)).sort_by("step").to_pylist()


def load(run_id: str, number: int, guidance: Guidance, wanted: dict[str, Any]) -> "Past":
    """What a cell's run has in common with another method, to go on from.

    `wanted` are the entries of run.json that must be the same. Raises ValueError if the run kept
    no latents, or was made otherwise.
    """
    from safetensors.torch import load_file

    from memviz.sampling import Past

    run = runs.read(run_id)
    for name, value in wanted.items():
        if run.info.get(name) != value:
            raise ValueError(f"Run {run_id} had another {name}; make the picture afresh.")
    if not place(run.folder, number).is_file():
        raise ValueError(f"Run {run_id} kept no latents of picture {number}; make it afresh.")
    steps = common(run, number, guidance)
    predictions = load_file(place(run.folder, number))["predictions"][:steps, None]
    rows = [
        {name: [value] for name, value in row.items() if name not in FREE and value is not None}
        for row in columns(run, number)[:steps]
    ]
    return Past(predictions, rows)


def note(folder: Path, step: "Step") -> None:
    """Keep a step of a run in progress, so that `unfinished` finds it after a kill."""
    import torch
    from safetensors.torch import save_file

    place = folder / "unfinished" / f"{step.index:04}.safetensors"
    if place.exists():  # made before it broke off
        return
    columns = {name: torch.tensor(values) for name, values in step.signals.items()}
    spent = {"evaluations": str(step.evaluations)}
    with written(place) as part:
        save_file(columns | {"": step.prediction.cpu().contiguous()}, part, metadata=spent)


def unfinished(folder: Path, info: Mapping[str, Any]) -> "Past | None":
    """The steps that a run of the same entries made in this folder before it broke off, if any."""
    import torch
    from safetensors import safe_open

    from memviz.sampling import Past

    files = sorted((folder / "unfinished").glob("*.safetensors"))
    was = json.loads((folder / "run.json").read_text("utf-8")) if files else {}
    if not files or any(was[name] != info[name] for name in SAME):
        forget(folder)
        return None
    predictions, columns = [], []
    for file in files:
        with safe_open(file, "pt") as step:
            found = {name: step.get_tensor(name) for name in step.keys()}  # noqa: SIM118
            spent = int(step.metadata()["evaluations"])
        predictions.append(found.pop(""))
        columns.append({name: values.tolist() for name, values in found.items()})
    return Past(torch.stack(predictions), columns, spent)


def show(folder: Path, number: int, estimate: "Image.Image") -> None:
    """Keep the newest x0 estimate of a cell in progress, for others to look at."""
    with written(newest(folder, number)) as part:
        estimate.save(part, "png")


def newest(folder: Path, number: int) -> Path:
    """Where the newest x0 estimate of a cell in progress lies, if its run shows it to others."""
    return folder / "unfinished" / f"{number}.png"


def mask(folder: Path, number: int, values: "Tensor") -> str:
    """Write a cell's bright ending (1, h, w) as a gray picture, its brightest white; its path."""
    from PIL import Image

    path = f"steps/{number}-ending.png"
    gray = (255 * values[0] / values.max()).round().byte().cpu().numpy()
    Image.fromarray(gray).save(folder / path)
    return path


def forget(folder: Path) -> None:
    """Remove the steps of a run that needs them no more."""
    shutil.rmtree(folder / "unfinished", ignore_errors=True)

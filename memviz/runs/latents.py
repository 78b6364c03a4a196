"""The steps of a cell, kept so that another run can go on from any of them.

Kept are the guided predictions: with the starting noise they give the latents of every step, and
the history that multistep schedulers need, exactly. They stay in the precision that the model
computes in (half on a GPU), for a run that goes on must equal a fresh one: rounded to half, seven
of eight pictures of the demo (two prompts, seeds 0 to 3, 50 steps of DDIM, the transition moved
from 700 to 500) come out with a pixel one level off.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.errors import InputError
from memviz.guidance.base import Guidance, Observation
from memviz.guidance.mitigation import Remedy
from memviz.guidance.spec import parse
from memviz.io.atomic import written
from memviz.runs import store
from memviz.runs.record import RunRecord
from memviz.signals import observe

if TYPE_CHECKING:
    from torch import Tensor

    from memviz.sampling.types import ResumeState

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


def shared(guidance: Guidance, seen: Sequence[Observation], scales: Sequence[float]) -> int:
    """For how many steps another method would have used the very scales of this trace."""
    for i, scale in enumerate(scales):
        if not math.isclose(guidance.scale(seen[: i + 1]), scale, rel_tol=1e-5, abs_tol=1e-7):
            return i
    return len(scales)


def common(run: store.Run, number: int, guidance: Guidance) -> int:
    """The steps of a cell that another method shares with it; none where a remedy changed more."""
    cell = run.record.cells[number]
    if isinstance(guidance, Remedy) or isinstance(parse(cell.spec)[1], Remedy):
        return 0
    rows = columns(run, number)
    seen = [observe(r["t"], r) for r in rows]
    return shared(guidance, seen, [r["scale"] for r in rows])


def columns(run: store.Run, number: int) -> list[dict[str, Any]]:
    """The rows of one cell's trace, step by step."""
    import pyarrow.compute as pc

    table = run.table()
    return table.filter(pc.equal(table["cell"], number)).sort_by("step").to_pylist()


def load(run_id: str, number: int, guidance: Guidance, new: RunRecord) -> "ResumeState":
    """What a cell of a kept run has in common with `new`, a run of one cell with this method.

    Raises InputError if the run kept no latents, or was made otherwise.
    """
    from safetensors.torch import load_file

    from memviz.sampling.types import ResumeState

    run = store.read(run_id)
    other = [name for name in ("model", "timesteps")
             if getattr(run.record, name) != getattr(new, name)]  # fmt: skip
    if not new.noise_hash.items() <= run.record.noise_hash.items():  # it may have more seeds
        other.append("starting noise")
    if other:
        raise InputError(f"Run {run_id} had another {other[0]}; make the picture afresh.")
    if not place(run.folder, number).is_file():
        raise InputError(f"Run {run_id} kept no latents of picture {number}; make it afresh.")
    steps = common(run, number, guidance)
    predictions = load_file(place(run.folder, number))["predictions"][:steps, None]
    rows = [
        {name: [value] for name, value in row.items() if name not in FREE and value is not None}
        for row in columns(run, number)[:steps]
    ]
    return ResumeState(predictions, rows)

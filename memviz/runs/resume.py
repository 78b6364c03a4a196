"""The first steps of a run on disk, to go on from: one layout for both kinds.

`latents/N.safetensors` holds all steps of cell N, kept on request so that another run can go on
from any of them; `unfinished/NNNN.safetensors` one step of all cells, until the run is done.

Kept are the guided predictions: with the starting noise they give the latents of every step, and
the history that multistep schedulers need, exactly. They stay in the precision that the model
computes in (half on a GPU), for a run that goes on must equal a fresh one: rounded to half, seven
of eight pictures of the demo (two prompts, seeds 0 to 3, 50 steps of DDIM, the transition moved
from 700 to 500) come out with a pixel one level off.
"""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from memviz.errors import InputError, MemvizError
from memviz.guidance.base import Guidance, Observation
from memviz.guidance.mitigation import Remedy
from memviz.guidance.spec import MethodSpec
from memviz.io.atomic import written
from memviz.runs import store
from memviz.runs.record import RunRecord
from memviz.runs.trace import split_cells
from memviz.signals import SEEN

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from memviz.sampling.types import ResumeState, Step

LAYOUT = 2  # 1 kept the predictions of a cell without their signals
SIGNALS = (*SEEN, "attention")  # of a step; what follows from the latents is computed again


def state_of(step: "Step") -> "ResumeState":
    """One step of all rows as a state to go on from."""
    from memviz.sampling.types import ResumeState

    signals = {name: step.signals[name] for name in SIGNALS if name in step.signals}
    difference = step.noise_difference
    return ResumeState(
        step.prediction[None],
        [signals],
        step.evaluations,
        [step.costs],
        [step.states],
        [] if difference is None else [difference],
    )


class Spent(BaseModel):
    """What the steps of a state cost, and which samples were equal after each."""

    evaluations: int
    costs: list[list[float]]
    states: list[list[int]]


def save_state(state: "ResumeState", path: Path) -> int:
    """Write a state; the bytes it takes."""
    import torch
    from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]

    tensors = {"predictions": state.predictions}
    for name in state.signals[0]:
        tensors[f"signals/{name}"] = torch.tensor([row[name] for row in state.signals])
    if state.differences:
        tensors["differences"] = torch.stack([*state.differences])
    spent = Spent(evaluations=state.evaluations, costs=[*state.costs], states=[*state.states])
    about = {"layout": str(LAYOUT), "spent": spent.model_dump_json()}
    with written(path) as part:
        save_file({n: t.cpu().contiguous() for n, t in tensors.items()}, part, metadata=about)
    return path.stat().st_size


def load_state(paths: Sequence[Path]) -> "ResumeState":
    """The states in these files, one after the other. Raises InputError for another layout."""
    from memviz.sampling.types import ResumeState

    parts: list[dict[str, Tensor]] = []
    spent: list[Spent] = []
    for path in paths:
        tensors, about = read_tensors(path)
        if about.get("layout") != str(LAYOUT):
            raise InputError(f"{path} was kept by another version; make the picture afresh.")
        parts.append(tensors)
        spent.append(Spent.model_validate_json(about["spent"]))
    whole = {name: cat([part[name] for part in parts]) for name in parts[0]}
    columns: dict[str, list[Any]] = {
        n.removeprefix("signals/"): t.tolist()  # pyright: ignore[reportUnknownMemberType]
        for n, t in whole.items()
        if "/" in n
    }
    return ResumeState(
        whole["predictions"],
        [{n: rows[k] for n, rows in columns.items()} for k in range(len(whole["predictions"]))],
        spent[-1].evaluations,
        [row for part in spent for row in part.costs],
        [row for part in spent for row in part.states],
        [*whole.get("differences", ())],
    )


def read_tensors(path: Path) -> "tuple[dict[str, Tensor], dict[str, str]]":
    """A safetensors file's tensors and what stands beside them."""
    from safetensors import safe_open

    with cast("Any", safe_open(path, "pt")) as file:  # safetensors has no type hints
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def cat(tensors: "Sequence[Tensor]") -> "Tensor":
    """One after the other along the steps."""
    import torch

    return torch.cat([*tensors])


def kept_file(folder: Path, number: int) -> Path:
    """Where all steps of a cell lie, if they were kept."""
    return folder / "latents" / f"{number}.safetensors"


def keep_cell(folder: Path, number: int, steps: "Sequence[ResumeState]") -> int:
    """Keep one cell of the states of all steps, each of all rows; the bytes they take."""
    import torch

    from memviz.sampling.types import ResumeState

    rows = slice(number, number + 1)
    state = ResumeState(
        torch.cat([step.predictions[:, rows] for step in steps]),
        [{n: v[rows] for n, v in row.items()} for step in steps for row in step.signals],
    )
    return save_state(state, kept_file(folder, number))


def load_kept(since: str, guidance: Guidance, new: RunRecord) -> "ResumeState":
    """What the kept cell `since` (RUN:CELL) shares with a new run of one cell with this method.

    Raises InputError if the cell was not kept, or its run was made otherwise.
    """
    from memviz.sampling.types import ResumeState

    run_id, _, number = since.partition(":")
    run = store.read(run_id)
    if not number.isdecimal() or int(number) >= len(run.record.cells):
        raise InputError(f"{since!r} names no cell. Give RUN:CELL, as {run_id}:0.")
    other = [name for name in ("model", "timesteps")
             if getattr(run.record, name) != getattr(new, name)]  # fmt: skip
    if (run.record.request.scheduler, run.record.request.dtype) != (
        new.request.scheduler, new.request.dtype
    ):  # fmt: skip
        other.append("scheduler or number format")
    if not new.noise_hash.items() <= run.record.noise_hash.items():  # it may have more seeds
        other.append("starting noise")
    if other:
        raise InputError(f"Run {run_id} had another {other[0]}; make the picture afresh.")
    path = kept_file(run.folder, int(number))
    if not path.is_file():
        raise InputError(f"Run {run_id} kept no latents of picture {number}; make it afresh.")
    state, steps = load_state([path]), shared_steps(run, int(number), guidance)
    return ResumeState(state.predictions[:steps], state.signals[:steps])


def shared_steps(run: store.Run, number: int, guidance: Guidance) -> int:
    """The steps of a cell that another method shares with it; none where a remedy changed more."""
    past = MethodSpec.read(run.record.cells[number].spec).guidance
    if isinstance(guidance, Remedy) or isinstance(past, Remedy):
        return 0
    trace = split_cells(run.table())[number]
    return count_shared(guidance, trace.observations, trace.columns["scale"])


def count_shared(guidance: Guidance, seen: Sequence[Observation], scales: Sequence[float]) -> int:
    """For how many steps another method would have used the very scales of this trace."""
    for i, scale in enumerate(scales):
        if not math.isclose(guidance.scale(seen[: i + 1]), scale, rel_tol=1e-5, abs_tol=1e-7):
            return i
    return len(scales)


def estimate_bytes(shape: Sequence[int], steps: int, cells: int, size: int = 4) -> int:
    """The bytes that keeping all steps of a run will take; `size` bytes a number."""
    return math.prod(shape) * steps * cells * size


def keep_step(folder: Path, step: "Step") -> None:
    """Keep a step of a run in progress, so that `load_unfinished` finds it after a kill."""
    path = folder / "unfinished" / f"{step.index:04}.safetensors"
    if not path.exists():  # else made before it broke off
        save_state(state_of(step), path)


def load_unfinished(folder: Path, new: RunRecord) -> "ResumeState | None":
    """The steps that the same run made in this folder before it broke off, if any."""
    files = sorted((folder / "unfinished").glob("*.safetensors"))
    if not files:
        return None
    try:
        was = store.open_folder(folder).record
        if (was.model, was.timesteps, was.noise_hash, was.request) == (
            new.model, new.timesteps, new.noise_hash, new.request
        ):  # fmt: skip
            return load_state(files)
    except MemvizError:  # of another layout, or damaged
        pass
    forget(folder)
    return None


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

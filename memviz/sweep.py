"""A sweep: one prompt under a method at many values of one parameter, as a run like any other.

All branches are denoised together, so they share every evaluation until they part. What is here
turns values into an `Ask`, and a finished run into a grid with its best compromise. No torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Any

from memviz.ask import Ask
from memviz.methods import METHODS, parse

AXES = {"at": "transition timestep", "early": "scale before", "late": "scale after"}
MOST = 64  # values of one sweep


@dataclass(frozen=True)
class Grid:
    """A run laid out: `cells[row][column]` is a cell of run.json, by seed and value."""

    axis: str
    values: list[float]
    rows: list[tuple[str, int]]  # prompt and seed
    cells: list[list[dict[str, Any] | None]]


def ask(
    prompt: str,
    values: Sequence[float],
    seeds: Sequence[int] = (0,),
    axis: str = "at",
    method: str = "stp",
    **more: Any,  # noqa: ANN401 - of Ask
) -> Ask:
    """The comparison that makes a sweep; ValueError if it cannot be one."""
    if axis not in AXES:
        raise ValueError(f"A sweep varies {', '.join(AXES)}, not {axis!r}.")
    key, _, rest = method.partition(":")
    known = METHODS[key].guidance if key in METHODS else None
    if known is not None and axis not in {f.name for f in fields(known)}:
        raise ValueError(f"{key} has no parameter {axis!r}. Sweep stp or og.")
    kept = f"{rest}," if rest else ""
    methods = [f"{key}:{kept}{axis}={v:g}" for v in values]
    return Ask([prompt], methods, seeds, **more)


def numbers(text: str) -> list[float]:
    """`100:900:100` (both ends count) or `0,1.5,3` as numbers."""
    try:
        if ":" in text:
            start, stop, step = (float(part) for part in text.split(":"))
            if step <= 0 or stop < start:
                raise ValueError
            found = [start + i * step for i in range(int((stop - start) / step + 1e-9) + 1)]
        else:
            found = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ValueError(f"{text!r} is no list of values. Write 100:900:100 or 0,2.") from None
    if not 1 <= len(found) <= MOST:
        raise ValueError(f"{text!r} makes {len(found)} values. Give 1 to {MOST}.")
    return list(dict.fromkeys(found))


def grid(info: Mapping[str, Any]) -> Grid | None:
    """The run as a sweep of whichever parameter varies; None if no single one does."""
    found = [(c, *parse(c["spec"])) for c in info["cells"]]
    if len({key for _, key, _ in found}) != 1:
        return None
    varied = {
        axis: {getattr(g, axis) for _, _, g in found}
        for axis in AXES
        if all(hasattr(g, axis) for _, _, g in found)
    }
    axes = [axis for axis, values in varied.items() if len(values) > 1]
    if len(axes) != 1:
        return None
    (axis,) = axes
    values = sorted(varied[axis])
    rows = list(dict.fromkeys((c["prompt"], c["seed"]) for c, _, _ in found))
    placed = {(c["prompt"], c["seed"], getattr(g, axis)): c for c, _, g in found}
    return Grid(axis, values, rows, [[placed.get((*r, v)) for v in values] for r in rows])


def estimated(made: Grid) -> list[float | None]:
    """Each row's estimated transition, from the branch that was held back the longest."""
    longest = 0 if made.axis == "at" else -1
    return [row[longest].get("estimated_timestep") if row[longest] else None for row in made.cells]


def column(made: Grid, i: int, name: str) -> float | None:
    """The mean of a figure over the rows at one value."""
    found = [row[i][name] for row in made.cells if row[i] and row[i].get(name) is not None]
    return fmean(found) if found else None


def best(made: Grid, mark: float | None) -> dict[str, Any] | None:
    """The value that copies least and, among those, keeps closest to the prompt; and why."""
    shares = [
        fmean([c["similarity"] >= mark for row in made.cells if (c := row[i])])
        if mark is not None and all(r[i] and r[i].get("similarity") is not None for r in made.cells)
        else None
        for i in range(len(made.values))
    ]
    known = [s for s in shares if s is not None]
    if not known:
        return None
    few = [i for i, s in enumerate(shares) if s == min(known)]
    aligned = [(column(made, i, "alignment") or 0.0, -(column(made, i, "similarity") or 0.0), i)
               for i in few]  # fmt: skip
    align, near, i = max(aligned)
    why = f"{round(100 * min(known))} % of the pictures are copies there, the least of all values"
    if align:
        why += f"; of the {len(few)} such values it follows the prompt best (alignment {align:.2f})"
    return {"value": made.values[i], "similarity": -near, "alignment": align or None,
            "copied": min(known), "reason": f"{why}."}  # fmt: skip

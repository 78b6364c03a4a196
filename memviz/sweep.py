"""A sweep: one prompt under a method at many values of one parameter, or of two, as a run.

All branches are denoised together, so they share every evaluation until they part. What is here
turns values into an `Ask`, and a finished run into a grid with its best compromise. No torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from statistics import fmean
from typing import Any

from memviz.ask import Ask
from memviz.methods import METHODS, parse

AXES = {"at": "transition timestep", "early": "scale before", "late": "scale after"}
MOST = 64  # values of one sweep


@dataclass(frozen=True)
class Row:
    """A row of a grid: its prompt and seed, and the value of the second parameter if one varies."""

    prompt: str
    seed: int
    across: float | None = None


@dataclass(frozen=True)
class Grid:
    """A run laid out: `cells[row][column]` is a cell of run.json, by row and value of the axis."""

    axis: str
    values: list[float]
    rows: list[Row]
    cells: list[list[dict[str, Any] | None]]
    across: str | None = None  # the second parameter that varies

    def group(self, value: float, across: float | None) -> list[dict[str, Any]]:
        """The cells of all seeds at one point."""
        i = self.values.index(value)
        rows = zip(self.rows, self.cells, strict=True)
        return [cells[i] for row, cells in rows if row.across == across and cells[i]]

    def points(self) -> list[tuple[float, float | None]]:
        """All values of the axis at each value of the second parameter."""
        lines = dict.fromkeys(row.across for row in self.rows)
        return [(value, across) for across in lines for value in self.values]


def ask(
    prompt: str,
    values: Mapping[str, Sequence[float]],
    seeds: Sequence[int] = (0,),
    method: str = "stp",
    probe: bool = False,
    **more: Any,  # noqa: ANN401 - of Ask
) -> Ask:
    """The comparison that makes a sweep of one parameter or two; ValueError if it cannot be one.

    A probe adds plain guidance on every seed.
    """
    if not 1 <= len(values) <= 2 or not {*values} <= {*AXES}:
        raise ValueError(f"A sweep varies one or two of {', '.join(AXES)}, not {[*values]}.")
    key, _, rest = method.partition(":")
    known = METHODS[key].guidance if key in METHODS else None
    for axis in values:
        if known is not None and axis not in {f.name for f in fields(known)}:
            raise ValueError(f"{key} has no parameter {axis!r}. Sweep stp or og.")
    points = [",".join(f"{n}={v:g}" for n, v in zip(values, p, strict=True))
              for p in product(*values.values())]  # fmt: skip
    methods = [f"{key}:{rest}{',' * bool(rest)}{point}" for point in points]
    return Ask([prompt], ["cfg"] * probe + methods, seeds, probe=probe, **more)


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
    """The run as a sweep of whatever varies, plain guidance aside; None if that is no sweep."""
    found = [(c, *parse(c["spec"])) for c in info["cells"] if c["spec"].partition(":")[0] != "cfg"]
    if len({key for _, key, _ in found}) != 1:
        return None
    varied = {
        axis: sorted({getattr(g, axis) for _, _, g in found})
        for axis in AXES
        if all(hasattr(g, axis) for _, _, g in found)
    }
    axes = [axis for axis, values in varied.items() if len(values) > 1]
    if not 1 <= len(axes) <= 2:
        return None
    axis, across = (*axes, None)[:2]
    placed = {
        (Row(c["prompt"], c["seed"], across and getattr(g, across)), getattr(g, axis)): c
        for c, _, g in found
    }
    rows = list(dict.fromkeys(row for row, _ in placed))
    rows.sort(key=lambda row: row.across or 0)  # stable: prompts and seeds stay as they were asked
    values = varied[axis]
    return Grid(axis, values, rows, [[placed.get((r, v)) for v in values] for r in rows], across)


def estimated(made: Grid) -> list[float | None]:
    """Each row's estimated transition, from the branch that was held back the longest."""
    longest = 0 if made.axis == "at" else -1
    return [row[longest].get("estimated_timestep") if row[longest] else None for row in made.cells]


def mean(cells: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """The mean of a figure over cells that have it."""
    found = [c[name] for c in cells if c.get(name) is not None]
    return fmean(found) if found else None


def best(made: Grid, mark: float | None) -> dict[str, Any] | None:
    """The point that copies least and, among those, keeps closest to the prompt; and why."""
    found = [(point, group) for point in made.points() if (group := made.group(*point))]
    if mark is None or any(c.get("similarity") is None for _, group in found for c in group):
        return None
    shares = [fmean([c["similarity"] >= mark for c in group]) for _, group in found]
    few = [pair for pair, share in zip(found, shares, strict=True) if share == min(shares)]
    (value, across), group = max(few, key=lambda pair: merit(pair[1]))
    align = mean(group, "alignment")
    why = f"{round(100 * min(shares))} % of the pictures are copies there, the least of all"
    if align is not None:
        why += f"; of the {len(few)} such points it follows the prompt best (alignment {align:.2f})"
    return {"value": value, "across": across, "similarity": mean(group, "similarity"),
            "alignment": align, "copied": min(shares), "reason": f"{why}."}  # fmt: skip


def merit(group: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """What is better between points that copy equally: alignment, then distance."""
    return mean(group, "alignment") or 0.0, -mean(group, "similarity")

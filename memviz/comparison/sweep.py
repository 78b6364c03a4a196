"""A sweep: one prompt under a method at many values of one parameter, or of two, as a run.

All branches are denoised together, so they share every evaluation until they part. What is here
turns values into a `ComparisonRequest`, and a finished run into a grid with its best compromise.
No torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from memviz.comparison.request import ComparisonRequest
from memviz.errors import InputError
from memviz.guidance.base import Guidance
from memviz.guidance.spec import MethodSpec
from memviz.number_lists import parse_numbers
from memviz.settings import Setting, list_settings, spell_value
from memviz.statistics import estimate_share

if TYPE_CHECKING:
    from memviz.runs.record import CellRecord, RunRecord

Figure = Literal["similarity", "alignment", "evaluations"]  # of a cell
TIMESTEPS = ("at", "latest")  # the smaller, the longer a branch is held back
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
    label: str  # of the axis
    values: list[float]
    rows: list[Row]
    cells: list[list[CellRecord | None]]
    across: str | None = None  # the second parameter that varies

    @property
    def in_timesteps(self) -> bool:
        """Whether the columns are timesteps of the transition."""
        return self.axis in TIMESTEPS

    @property
    def longest(self) -> int:
        """The column of the branches that were held back the longest."""
        return 0 if self.in_timesteps else -1

    def group(self, value: float, across: float | None) -> list[CellRecord]:
        """The cells of all seeds at one point."""
        i = self.values.index(value)
        rows = zip(self.rows, self.cells, strict=True)
        return [cell for row, cells in rows if row.across == across and (cell := cells[i])]

    def points(self) -> list[tuple[float, float | None]]:
        """All values of the axis at each value of the second parameter."""
        lines = dict.fromkeys(row.across for row in self.rows)
        return [(value, across) for across in lines for value in self.values]


def list_axes(guidance: Guidance) -> list[Setting]:
    """The settings of a method that can vary: numbers that matter as it stands.

    Timesteps come first and the plain scale, which all mitigations have, last.
    """
    found = [each for each in list_settings(guidance) if each.kind in (int, float)]
    return sorted(found, key=lambda each: (each.name not in TIMESTEPS, each.name == "scale"))


def request_sweep(
    prompt: str,
    values: Mapping[str, Sequence[float]],
    seeds: Sequence[int] = (0,),
    method: str = "stp",
    probe: bool = False,
    **more: Any,  # noqa: ANN401 - of ComparisonRequest
) -> ComparisonRequest:
    """The comparison that makes a sweep of one setting or two. Raises InputError if it cannot be.

    A probe adds plain guidance on every seed.
    """
    if not 1 <= len(values) <= 2:
        raise InputError(f"A sweep varies one or two settings, not {len(values)}.")
    known = [each.name for each in list_axes(MethodSpec.parse(method).guidance)]
    for axis in values:
        if axis not in known:
            wanted = ", ".join(known)
            raise InputError(f"{method} has no setting {axis!r} to vary. It has {wanted}.")
    head, _, rest = method.partition(":")
    points = [",".join(f"{n}={spell_value(v)}" for n, v in zip(values, p, strict=True))
              for p in product(*values.values())]  # fmt: skip
    texts = [f"{head}:{rest}{',' * bool(rest)}{point}" for point in points]
    specs = map(MethodSpec.parse, ["cfg"] * probe + texts)
    return ComparisonRequest([prompt], tuple(specs), seeds, probe=probe, **more)


def parse_values(text: str) -> list[float]:
    """The values of a sweep, at least one: `100:900:100` or `0,1.5,3`."""
    found = parse_numbers(text, "The list of values", MOST)
    if not found:
        raise InputError("There are no values to vary. Write 100:900:100 or 0,2.")
    return found


def grid(cells: Sequence[CellRecord]) -> Grid | None:
    """A run's cells as a sweep of whatever varies, a probe aside; None if that is no sweep."""
    found = [(cell, MethodSpec.read(cell.spec)) for cell in cells]
    found = [part for part in found if part[1].key != "cfg"] or found
    axes = [{each.name: each for each in list_axes(spec.guidance)} for _, spec in found]
    fixed = [
        [
            (each.name, each.default)
            for each in list_settings(spec.guidance)
            if each.kind in (bool, str)
        ]
        for _, spec in found
    ]
    same = zip((spec.key for _, spec in found), map(tuple, axes), map(tuple, fixed), strict=True)
    if len(set(same)) != 1:
        return None
    labels = {name: each.label for name, each in axes[0].items()}
    points = [{name: float(each.default) for name, each in some.items()} for some in axes]
    varied = {name: sorted({p[name] for p in points}) for name in labels}
    names = [name for name, values in varied.items() if len(values) > 1]
    if not 1 <= len(names) <= 2:
        return None
    axis, across = names[0], names[1] if len(names) > 1 else None
    placed = {
        (Row(c.prompt, c.seed, p[across] if across else None), p[axis]): c
        for (c, _), p in zip(found, points, strict=True)
    }
    rows = list(dict.fromkeys(row for row, _ in placed))
    rows.sort(key=lambda row: row.across or 0)  # stable: prompts and seeds stay as they were asked
    values = varied[axis]
    laid_out = [[placed.get((r, v)) for v in values] for r in rows]
    return Grid(axis, labels[axis], values, rows, laid_out, across)


def estimated(made: Grid) -> list[float | None]:
    """Each row's estimated transition, from the branch that was held back the longest."""
    cells = (row[made.longest] for row in made.cells)
    return [cell.estimated_timestep if cell else None for cell in cells]


def mean(cells: Sequence[CellRecord], name: Figure) -> float | None:
    """The mean of a figure over cells that have it."""
    found = [value for c in cells if (value := getattr(c, name)) is not None]
    return fmean(found) if found else None


def best(made: Grid, mark: float | None) -> dict[str, Any] | None:
    """The point that copies least and, among those, keeps closest to the prompt; and why."""
    found = [(point, group) for point in made.points() if (group := made.group(*point))]
    if mark is None or any(c.similarity is None for _, group in found for c in group):
        return None
    shares = [estimate_share([(c.similarity or 0) >= mark for c in g]) for _, g in found]
    least = min(shares, key=lambda share: share.mean)
    few = [p for p, share in zip(found, shares, strict=True) if share.mean == least.mean]
    (value, across), group = max(few, key=lambda pair: merit(pair[1]))
    align = mean(group, "alignment")
    why = (f"{round(least.mean * len(group))} of {len(group)} pictures are copies there (95 % "
           f"interval {least.low:.0%} to {least.high:.0%}), the least of all")  # fmt: skip
    if align is not None:
        why += f"; of the {len(few)} such points it follows the prompt best (alignment {align:.2f})"
    return {"value": value, "across": across, "similarity": mean(group, "similarity"),
            "alignment": align, "copied": least.mean, "reason": f"{why}."}  # fmt: skip


def summarize_grid(record: RunRecord) -> dict[str, Any]:
    """What a sweep says beyond its cells, as JSON: every point, and the best compromise."""
    made = grid(record.cells)
    if made is None:
        return {"axis": None, "points": [], "best": None}
    names: tuple[Figure, ...] = ("similarity", "alignment", "evaluations")
    return {
        "axis": made.axis,
        "across": made.across,
        "points": [
            {made.axis: value}
            | ({made.across: across} if made.across else {})
            | {name: mean(made.group(value, across), name) for name in names}
            for value, across in made.points()
        ],
        "estimated_timestep": [
            {"seed": row.seed, "across": row.across, "t": t}
            for row, t in zip(made.rows, estimated(made), strict=True)
        ],
        "best": best(made, record.copy_mark),
    }


def merit(group: Sequence[CellRecord]) -> tuple[float, float]:
    """What is better between points that copy equally: alignment, then distance."""
    return mean(group, "alignment") or 0.0, -(mean(group, "similarity") or 0.0)

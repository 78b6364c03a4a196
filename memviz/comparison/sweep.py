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
from memviz.guidance.spec import Knob, knobs, parse
from memviz.statistics import estimate_share

if TYPE_CHECKING:
    from memviz.runs.record import CellRecord

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


def axes(guidance: Guidance) -> list[Knob]:
    """The parameters of a method that can vary: numbers that matter as it stands.

    Timesteps come first and the plain scale, which all remedies have, last.
    """
    kind = getattr(guidance, "kind", "")
    found = [k for k in knobs(guidance) if not k.choices and k.when in ("", kind)]
    return sorted(found, key=lambda k: (k.name not in TIMESTEPS, k.name == "scale"))


def ask(
    prompt: str,
    values: Mapping[str, Sequence[float]],
    seeds: Sequence[int] = (0,),
    method: str = "stp",
    probe: bool = False,
    **more: Any,  # noqa: ANN401 - of ComparisonRequest
) -> ComparisonRequest:
    """The comparison that makes a sweep of one parameter or two; ValueError if it cannot be one.

    A probe adds plain guidance on every seed.
    """
    if not 1 <= len(values) <= 2:
        raise InputError(f"A sweep varies one or two parameters, not {len(values)}.")
    known = [knob.name for knob in axes(parse(method)[1])]
    for axis in values:
        if axis not in known:
            wanted = ", ".join(known)
            raise InputError(f"{method} has no parameter {axis!r} to vary. It has {wanted}.")
    key, _, rest = method.partition(":")
    points = [",".join(f"{n}={v:g}" for n, v in zip(values, p, strict=True))
              for p in product(*values.values())]  # fmt: skip
    methods = [f"{key}:{rest}{',' * bool(rest)}{point}" for point in points]
    return ComparisonRequest([prompt], ["cfg"] * probe + methods, seeds, probe=probe, **more)


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
        raise InputError(f"{text!r} is no list of values. Write 100:900:100 or 0,2.") from None
    if not 1 <= len(found) <= MOST:
        raise InputError(f"{text!r} makes {len(found)} values. Give 1 to {MOST}.")
    return list(dict.fromkeys(found))


def grid(cells: Sequence[CellRecord]) -> Grid | None:
    """A run's cells as a sweep of whatever varies, a probe aside; None if that is no sweep."""
    found = [(c, *parse(c.spec)) for c in cells]
    found = [part for part in found if part[1] != "cfg"] or found
    if len({key for _, key, _ in found}) != 1:
        return None
    if len({tuple(k.default for k in knobs(g) if k.choices) for _, _, g in found}) != 1:
        return None
    labels = {k.name: k.label for k in axes(found[0][2])}
    points = [{k.name: k.default for k in axes(g)} for _, _, g in found]
    varied = {name: sorted({p[name] for p in points}) for name in labels}
    names = [name for name, values in varied.items() if len(values) > 1]
    if not 1 <= len(names) <= 2:
        return None
    axis, across = (*names, None)[:2]
    placed = {
        (Row(c.prompt, c.seed, across and p[across]), p[axis]): c
        for (c, _, _), p in zip(found, points, strict=True)
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


def merit(group: Sequence[CellRecord]) -> tuple[float, float]:
    """What is better between points that copy equally: alignment, then distance."""
    return mean(group, "alignment") or 0.0, -(mean(group, "similarity") or 0.0)

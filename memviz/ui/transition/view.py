"""A run as the Transition tab draws it: sweep map, curves with their band, seeds and trade-off.

One dictionary, made from the run's folder alone; the browser does the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from memviz import jobs
from memviz.comparison import sweep
from memviz.errors import InputError, MemvizError
from memviz.guidance.base import Guidance
from memviz.guidance.model_defaults import tuned
from memviz.guidance.registry import CORE, METHODS
from memviz.guidance.spec import MethodSpec
from memviz.guidance.switch import AtTimestep
from memviz.guidance.transition import Constant, TwoPhase
from memviz.runs import store, trace
from memviz.runs.record import CellRecord, CellState, RunRecord
from memviz.settings import spell_value
from memviz.signals import SIGNALS, observe
from memviz.statistics import estimate_mean
from memviz.ui.shared.encode import methods, number
from memviz.ui.shared.sentences import short
from memviz.ui.shared.served import file_path

KEPT = {
    *("number", "prompt", "method", "spec", "seed", "state", "image", "similarity", "alignment"),
    *("verdict", "kind", "evaluations", "prompt_read", "kept_bytes", "transition_step"),
    *("tokens", "mask"),
}
SPREAD = {"number", "seed", "similarity", "estimated_timestep", "estimated_prominence"} | {
    "prominent_timestep"
}
OTHERS = ("similarity",)  # columns beside the registry's that are curves too
WORDS = (  # of what is asked, as the command line takes it
    *("methods", "seeds", "steps", "scheduler", "spacing", "size", "dtype"),
    *("model", "corpus", "descriptor"),
    *("signals", "decoder", "look_every"),
)
FLAGS = ("keep", "probe")


def view(run: store.Run) -> dict[str, Any]:
    """Everything the tab shows of a run."""
    record = run.record
    rows = by_cell(run)
    names = named(record.cells)
    cells = [cell_view(c, rows.get(c.number, []), names[c.spec]) for c in record.cells]
    curves = [k for k in (*SIGNALS, *OTHERS) if any(k in c["trace"] for c in cells)]
    return {
        "id": record.id,
        "state": record.state,
        "prompt": record.request.prompts[0],
        "base": f"{file_path(run.folder)}/",
        "timesteps": list(record.timesteps),
        "steps": record.request.steps,
        "thresholds": asdict(record.thresholds) if record.thresholds and record.copy_mark else {},
        "methods": methods(c.method for c in record.cells),
        "cells": cells,
        "signals": {key: about(key) for key in curves},
        "bands": record.bands,
        "band_note": record.band_note,
        "decoder_note": record.decoder_note,
        "attention": attention(run),
        "sweep": sweep_view(record),
        "switches": {str(n): found for n, found in switches(record, rows).items()},
        "spread": spread(record),
        "tradeoff": tradeoff(record.cells),
        "command": command(record),
        "evaluations": record.unet_evaluations,
    }


def by_cell(run: store.Run) -> dict[int, list[dict[str, Any]]]:
    """The rows of each cell's trace, in the order of the steps."""
    table = run.table()
    names = [n for n in table.column_names if n != "attention"]
    found: dict[int, list[dict[str, Any]]] = {}
    for row in table.select(names).to_pylist():
        found.setdefault(row["cell"], []).append(row)
    return found


def attention(run: store.Run) -> dict[str, list[list[float]]]:
    """For each cell whose attention was recorded: a row per step, the padding as one column."""
    table = run.table()
    found: dict[str, list[list[float]]] = {}
    if "attention" not in table.column_names:
        return found
    long = {c.number: len(c.tokens or ()) for c in run.record.cells}
    for row in table.select(["cell", "attention"]).to_pylist():
        if row["attention"]:
            own, rest = row["attention"][: long[row["cell"]]], row["attention"][long[row["cell"]] :]
            shares = [*own, sum(rest)]
            found.setdefault(str(row["cell"]), []).append([round(v, 4) for v in shares])
    return found


def cell_view(cell: CellRecord, rows: Sequence[Mapping[str, Any]], name_: str) -> dict[str, Any]:
    """One cell with its curves; columns that were not recorded are left out.

    While it is made, the similarity is that of the newest x0 estimate.
    """
    curves = {
        name: [number(row.get(name)) for row in rows]
        for name in (*SIGNALS, *OTHERS, "scale")
        if any(row.get(name) is not None for row in rows)
    }
    last = curves.get("magnitude_mean", [None])[-1:] or [None]
    kept = cell.model_dump(mode="json", by_alias=True, include=KEPT)
    kept |= {"trace": curves, "magnitude": last[0], "name": name_}
    if kept["similarity"] is None and "similarity" in curves:
        kept["similarity"] = curves["similarity"][-1]
    return kept


def about(key: str) -> dict[str, str]:
    """What a curve is, from the registry of signals."""
    row = SIGNALS.get(key)
    if row is None:
        return {"label": "Similarity to the nearest training image", "formula": "", "source": "",
                "high": "the x0 estimate is a copy", "low": "it resembles none"}  # fmt: skip
    return {n: getattr(row, n) for n in ("label", "formula", "source", "high", "low")}


def sweep_view(record: RunRecord) -> dict[str, Any] | None:
    """The grid of a sweep, its estimated transitions and its best compromise."""
    made = sweep.grid(record.cells)
    if made is None:
        return None
    over = record.state is CellState.DONE
    return {
        "axis": made.axis,
        "label": made.label,
        "in_timesteps": made.in_timesteps,
        "values": made.values,
        "across": made.across,
        "rows": [row_view(made.across, row) for row in made.rows],
        "cells": [[c and c.number for c in row] for row in made.cells],
        "estimated": sweep.estimated(made),
        "best": sweep.best(made, record.copy_mark) if over else None,
    }


def row_view(across: str | None, row: sweep.Row) -> dict[str, Any]:
    """A row of the map and what it is called."""
    name = f"{across} {row.across:g}, seed {row.seed}" if across else f"seed {row.seed}"
    return {"name": name, "seed": row.seed, "across": row.across}


def switches(record: RunRecord, rows: Mapping[int, list]) -> dict[int, dict[str, int | None]]:
    """For each cell, the step at which each method would have switched on its trace."""
    try:
        known = {k: g for k, g in tuned(record.request.model).items() if k in CORE[1:]}
    except MemvizError:  # a model that is not on this machine
        known = {k: METHODS[k].guidance for k in CORE[1:]}
    found = {}
    for number_, some in rows.items():
        seen = [observe(r["t"], r) for r in some]
        changes = {key: trace.replay(g, seen) for key, g in known.items()}
        found[number_] = {key: c.step if c else None for key, c in changes.items()}
    return found


def spread(record: RunRecord) -> list[dict[str, Any]]:
    """One estimate per prompt and seed: of the branch held back longest, or the first method's."""
    made = sweep.grid(record.cells)
    if made is not None:
        rows, i = zip(made.rows, made.cells, strict=True), made.longest
        cells = [row[i] for where, row in rows if row[i] and where.across == made.rows[0].across]
    else:
        first = record.cells[0].spec
        cells = [c for c in record.cells if c.spec == first]
    return [c.model_dump(by_alias=True, include=SPREAD) for c in cells if c]


def tradeoff(cells: Sequence[CellRecord]) -> list[dict[str, Any]]:
    """A point per method and parameters: means over the pictures, with their intervals."""
    groups: dict[str, list[CellRecord]] = {}
    for cell in cells:
        groups.setdefault(cell.spec, []).append(cell)
    names = named(cells)
    made = [
        {
            "method": some[0].method,
            "name": names[text],
            "similarity": estimate(some, "similarity"),
            "alignment": estimate(some, "alignment"),
            "evaluations": estimate(some, "evaluations"),
        }
        for text, some in groups.items()
    ]
    return [point for point in made if point["similarity"]]


def named(cells: Sequence[CellRecord]) -> dict[str, str]:
    """A name per spelling: the method's label, and what tells it from others of its key."""
    specs = {c.spec: MethodSpec.read(c.spec) for c in cells}
    found = {}
    for text, spec in specs.items():
        others = [other.values for other in specs.values() if other.key == spec.key]
        varied = [
            f"{name} {spell_value(value)}"
            for name, value in spec.values.items()
            if any(values.get(name) != value for values in others)
        ]
        found[text] = f"{short(spec.key)}, {', '.join(varied)}" if varied else spec.label
    return found


def estimate(cells: Sequence[CellRecord], name: sweep.Figure) -> dict[str, float | None] | None:
    """The mean of a figure with its 95 % interval over prompts; None where a value is missing."""
    values = [getattr(c, name) for c in cells]
    if not values or None in values:
        return None
    return estimate_mean(values, [c.prompt for c in cells]).to_json()


def command(record: RunRecord) -> str:
    """The command line that makes the run again."""
    asked = record.request.model_dump(mode="json")
    words = [f"--prompt={text}" for text in asked["prompts"]]
    for name in WORDS:
        value = asked[name]
        said = ",".join(map(str, value)) if isinstance(value, list) else value
        words += [f"--{name.replace('_', '-')}={said}"] if said or name == "corpus" else []
    words += [f"--{name}" for name in FLAGS if asked[name]]
    return jobs.shown(jobs.verb("compare", *words))


def what_if(text: str, at: float) -> str:
    """A cell's method with its transition moved to a timestep, spelled out."""
    spec = MethodSpec.parse(text)
    moved = at_timestep(spec.guidance, at)
    same = spec.key in METHODS and METHODS[spec.key].takes(moved)
    return str(MethodSpec(spec.key if same else "stp", moved))


def at_timestep(guidance: Guidance, at: float) -> Guidance:
    """The static method that switches there and is otherwise the same."""
    match guidance:
        case TwoPhase():
            return replace(guidance, switch=AtTimestep(at))
        case Constant():
            return TwoPhase(0, guidance.w, AtTimestep(at), guidance.shape)
    raise InputError("Only CFG, STP, DTP and OG have a transition to move. Choose such a picture.")

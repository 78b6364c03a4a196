"""An evaluation as the dictionary that the browser draws."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memviz import jobs
from memviz.errors import InputError
from memviz.evaluation.cells import Cell, read_cells
from memviz.evaluation.columns import COLUMNS
from memviz.evaluation.job import find_job
from memviz.evaluation.publish import describe_part, read_published, restore_rows
from memviz.evaluation.store import SavedEvaluation, find_evaluation, read_evaluation
from memviz.evaluation.tables import caption
from memviz.ui.evaluate.jobs import SHIPPED, title_of
from memviz.ui.shared import encode
from memviz.ui.shared.messages import duration
from memviz.ui.shared.served import file_path
from memviz.ui.shared.thumbs import Thumbs

LINES = 40
MOST = 24  # pictures of a row that are shown
FORMATS = {
    "table.csv": "CSV",
    "table.parquet": "Parquet",
    "table.tex": "LaTeX",
    "table.md": "Markdown",
    "evaluation.json": "JSON",
}


def make_view(name: str, beside: str = "") -> dict[str, Any]:
    """An evaluation, and the rows of another one beside its own.

    Raises InputError where one is not here any more, or cannot be read.
    """
    shown = shipped_view(name) if name.startswith(SHIPPED) else saved_view(find_evaluation(name))
    if not beside or beside == name:
        return shown
    other = make_view(beside)
    named = unlike(shown["title"], other["title"])
    rows = [
        {**row, "of": named[i]} for i, view in enumerate((shown, other)) for row in view["rows"]
    ]
    present = {column["name"] for column in shown["columns"]}
    more = [column for column in other["columns"] if column["name"] not in present]
    return {
        **shown,
        "rows": rows,
        "columns": [*shown["columns"], *more],
        "methods": shown["methods"] | other["methods"],
        "caption": f"{named[0]}: {shown['caption']} {named[1]}: {other['caption']}",
    }


def unlike(one: str, other: str) -> tuple[str, str]:
    """Two titles that can be told apart."""
    return (one, other) if one != other else (f"{one} (1)", f"{other} (2)")


def shipped_view(name: str) -> dict[str, Any]:
    """A part of what comes with memviz."""
    part = read_published().get(name.removeprefix(SHIPPED))
    if part is None:
        raise InputError("This evaluation does not come with memviz any more. Choose another.")
    rows = restore_rows(part)
    return {
        **base_view(name, f"The demo's evaluation: {name.removeprefix(SHIPPED)}", "done", ""),
        **table_view(name, part["columns"], rows),
        "caption": star(describe_part(part)),
    }


def saved_view(folder: Path) -> dict[str, Any]:
    """One of this machine, under way or done."""
    job, saved = find_job(folder), read_evaluation(folder)
    found = base_view(folder.name, title_of(folder), *describe_state(job, saved))
    if job:
        found |= {
            "command": jobs.shown(job.command),
            "log": job.log_tail(LINES),
            "progress": describe_progress(job, saved),
        }
    if saved is None:
        return found
    result = saved.result
    made = (name for name in FORMATS if result["state"] == "done" and (folder / name).is_file())
    return {
        **found,
        **table_view(folder.name, result["columns"], result["rows"]),
        "caption": star(caption(result)),
        "left_out": [f"No {part}: {words}" for part, words in result["left_out"].items()],
        "files": [[FORMATS[name], file_path(folder / name)] for name in made],
    }


def star(words: str) -> str:
    """A caption of a text table, for one that marks the best by a star."""
    return words.replace("* marks", "★ marks")


def base_view(name: str, title: str, state: str, words: str) -> dict[str, Any]:
    """What every view has, before anything is known."""
    return {
        **{"id": name, "title": title, "state": state, "words": words, "progress": None},
        **{"columns": [], "rows": [], "methods": {}, "caption": "", "left_out": [], "files": []},
        **{"command": "", "log": []},
    }


def describe_state(job: jobs.Job | None, saved: SavedEvaluation | None) -> tuple[str, str]:
    """The state in a word and in a sentence; of a failure, what was said last."""
    if job is None:
        return (str(saved.result["state"]), "") if saved else ("lost", "Nothing of it is left.")
    state = job.state()
    said = [line for line in job.log_tail(LINES) if line.strip()]
    last = said[-1:] if state.name == "failed" else []
    return state.name, " ".join([*last, state.words])


def describe_progress(job: jobs.Job, saved: SavedEvaluation | None) -> dict[str, Any] | None:
    """How far it is, from 0 to 1, at what, and how long it will take."""
    last, state = job.last_metric(), job.state()
    if state.over or not last or saved is None:
        return None
    rows, methods = len(saved.result["rows"]), len(saved.result["protocol"]["methods"])
    inside = last["done"] / last["total"] if last["stage"].startswith("making") else 0.0
    share = min(1.0, (rows + inside) / max(1, methods))
    spent = time.time() - state.since if state.since and state.name == "running" else 0.0
    left = f"about {duration(spent * (1 - share) / share)} left" if share > 0.02 and spent else ""
    words = f"{rows} of {methods} rows, {last['stage']}: {last['done']} of {last['total']}"
    return {"share": share, "words": words, "left": left}


def table_view(
    name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Columns with what they mean, rows with the paper's own below them, marks of methods."""
    found = []
    for number, row in enumerate(rows):
        key = row["method"].partition(":")[0].rpartition("=")[2]
        mine = {"evaluation": name, "key": key, "of": ""}
        found.append({
            **mine, "row": number, "method": row["method"], "label": row["label"],
            "pictures": row["pictures"], "values": row["values"], "published": False,
            "departs": "; ".join(row["departs"]), "opens": bool(row.get("cells")),
        })  # fmt: skip
        found += [
            {
                **mine, "row": number, "method": row["method"], "pictures": None,
                "label": f"published: {paper['label']}", "published": True, "opens": False,
                "values": {c: {"mean": v} for c, v in paper["values"].items()},
                "departs": paper["note"],
            }
            for paper in row["published"]
        ]  # fmt: skip
    return {
        "columns": [{"name": c, "about": COLUMNS[c].about, "better": COLUMNS[c].better}
                    for c in columns],
        "rows": found,
        "methods": encode.methods(row["key"] for row in found),
    }  # fmt: skip


def pictures_view(name: str, number: int) -> dict[str, Any]:
    """The worst copies of a row, each beside the training picture it is nearest to."""
    folder, row, cells = find_cells(name, number)
    saved = read_evaluation(folder)
    corpus = str(saved.result["protocol"].get("corpus") or "") if saved else ""
    small = Thumbs(name, folder, corpus)
    shown = [
        {
            "place": place,
            "src": file_path(folder / cell.file),
            "nearest": small.trained(str(cell.nearest)) if cell.nearest is not None else None,
            "prompt": cell.prompt,
            "seed": cell.seed,
            "similarity": cell.sim,
            "alignment": cell.clipscore,
        }
        for place, cell in enumerate(cells[:MOST])
    ]
    return {"evaluation": name, "row": number, "label": row["label"], "pictures": shown,
            "total": len(cells)}  # fmt: skip


def find_cells(name: str, number: int) -> tuple[Path, Mapping[str, Any], list[Cell]]:
    """The pictures of a row, the most alike first. Raises InputError where they were not kept."""
    folder = find_evaluation(name)
    saved = read_evaluation(folder)
    rows = saved.result["rows"] if saved else []
    if not 0 <= number < len(rows):
        raise InputError("This row is not in its evaluation any more. Load the page again.")
    try:
        return folder, rows[number], read_cells(folder, rows[number])
    except FileNotFoundError:
        raise InputError("The pictures of this row were not kept.") from None

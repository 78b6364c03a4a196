"""The player: pictures of every step, curves and pair view in one self-hosted component.

Python makes one dictionary per run (`view`); everything else happens in the browser, so moving
through the steps asks the server for nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa
from PIL import Image

from memviz.runs.record import CellRecord, CellState, RunRecord
from memviz.runs.store import Run
from memviz.ui.shared import sentences
from memviz.ui.shared.component import Component
from memviz.ui.shared.encode import data_uri, methods, number
from memviz.ui.shared.served import file_path

CURVES = ("magnitude", "scale", "similarity")
KEPT = {  # of a cell in run.json
    *("number", "prompt", "method", "spec", "seed", "state", "image", "sheet"),
    *("similarity", "match", "matches", "verdict", "kind", "reason", "prompt_signal", "alignment"),
    *("transition_step", "prompt_read"),
}


class Player(Component):
    """Pictures and curves of a run; give it a `view` as its value."""

    module = "compare/player.js"


def traces(table: pa.Table) -> dict[int, dict[str, list]]:
    """The curves of each cell as lists over its steps."""
    names = [name for name in (*CURVES, "nearest") if name in table.column_names]
    found: dict[int, dict[str, list]] = {}
    for row in table.select(["cell", "step", *names]).to_pylist():
        curves = found.setdefault(row["cell"], {name: [] for name in (*CURVES, "nearest")})
        for name in curves:
            curves[name].append(number(row.get(name)))
    return found


def empty() -> dict[str, list]:
    """The curves of a cell that has no step yet."""
    return {name: [] for name in (*CURVES, "nearest")}


def cell_view(
    cell: CellRecord, trace: dict[str, list], preview: str | None, over: bool
) -> dict[str, Any]:
    """What the browser needs of one cell."""
    seen = cell.model_dump(mode="json", by_alias=True, include=KEPT)
    return {**seen, "where": sentences.switch(cell, over=over), "trace": trace, "preview": preview}


def facts(record: RunRecord) -> list[tuple[str, str]]:
    """The settings of a run, as label and value."""
    request, model, corpus = record.request, record.model, record.corpus
    look = record.descriptor
    many = f"{corpus.name} ({corpus.images:,} images)" if corpus else request.corpus or "none"
    rows = [
        ("Model", f"{model.name} ({model.parameters / 1e6:.1f} M parameters)"),
        ("Training images", many),
        ("Descriptor", f"{look.preset} {look.note}".strip() if look else "none"),
        ("CLIP", record.clip),
        (
            "Steps",
            f"{request.steps} ({request.scheduler}{', ' * bool(request.spacing)}{request.spacing})",
        ),
        ("Size", f"{request.size} px" if request.size else ""),
        ("Number format", request.dtype),
        ("x0 estimates", record.decoder_note),
        ("Network calls", str(record.unet_evaluations or "")),
        ("Time", f"{record.seconds:.1f} s" if record.seconds else ""),
        ("Run", record.id),
    ]
    return [(label, value) for label, value in rows if value]


def summaries(record: RunRecord, curves: dict[int, dict[str, list]]) -> dict[str, str]:
    """One sentence beside each curve."""
    cells = [c for c in record.cells if c.number in curves]
    if not cells:
        return {}
    return {
        "magnitude": sentences.magnitude_words(cells, curves, record.band),
        "scale": sentences.scale_words(cells),
        "similarity": sentences.similarity_words(cells, curves, record.copy_mark),
    }


def headline(record: RunRecord, step: int, live: bool) -> str:
    """The line above the grid."""
    cells, steps = record.cells, record.request.steps
    said = sentences.result_line(cells, record.images)
    done = sum(c.state is CellState.DONE for c in cells)
    match record.state:
        case CellState.RUNNING if live:
            return sentences.waiting_line(done, len(cells), step, steps)
        case CellState.BROKEN:
            return "This run broke off: the process that made it is gone. What it made is here."
        case CellState.RUNNING:
            return "This run is not finished: it is being made elsewhere, or it was cut off."
        case CellState.STOPPED:
            return f"Stopped at step {step} of {steps}; everything made until then is kept. {said}"
        case CellState.FAILED:
            return f"This run failed: {record.error or 'no reason was recorded'} {said}"
        case CellState.DONE:
            return said or "Made without searching training images, so there are no verdicts."


def view(
    run: Run, previews: Sequence[Image.Image | None] = (), live: bool = False
) -> dict[str, Any]:
    """One run as the dictionary that the browser draws."""
    record, curves = run.record, traces(run.table())
    shown = {n: data_uri(image) for n, image in enumerate(previews)}
    step = max((len(c["magnitude"]) for c in curves.values()), default=0)
    over = record.state is CellState.DONE
    cells = [
        cell_view(c, curves.get(c.number, empty()), shown.get(c.number), over) for c in record.cells
    ]
    return {
        "id": record.id,
        "state": record.state,
        "live": live,
        "step": step,
        "steps": record.request.steps,
        "timesteps": list(record.timesteps),
        "base": f"{file_path(run.folder)}/",
        "tile": record.tile,
        "columns": record.sheet_columns,
        "prompts": list(record.request.prompts),
        "result": headline(record, step, live),
        "summaries": {} if live else summaries(record, curves),
        "facts": facts(record),
        "band": record.band,
        "thresholds": asdict(record.thresholds) if record.thresholds and record.copy_mark else {},
        "noise": record.noise_hash,
        "methods": methods(c.method for c in record.cells),
        "cells": cells,
    }

"""The player: pictures of every step, curves and pair view in one self-hosted component.

Python makes one dictionary per run (`view`); everything else happens in the browser, so moving
through the steps asks the server for nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image

from memviz.ui.shared import sentences
from memviz.ui.shared.assets import file_path
from memviz.ui.shared.component import Component
from memviz.ui.shared.encode import data_uri, methods, number

CURVES = ("magnitude", "scale", "similarity")
KEPT = (  # of a cell in run.json
    *("cell", "prompt", "method", "label", "spec", "seed", "state", "error", "image", "sheet"),
    *("similarity", "match", "matches", "verdict", "reason", "prompt_signal", "alignment"),
    *("transition_step", "transition_timestep", "prompt_read"),
)


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
    cell: dict, trace: dict[str, list], preview: str | None, over: bool
) -> dict[str, Any]:
    """What the browser needs of one cell."""
    seen = {name: cell.get(name) for name in KEPT}
    return {**seen, "where": sentences.switch(cell, over=over), "trace": trace, "preview": preview}


def facts(info: Mapping) -> list[tuple[str, str]]:
    """The settings of a run, as label and value."""
    asked, model, corpus = info["asked"], info.get("model") or {}, info.get("corpus") or {}
    look = info.get("descriptor") or {}
    size = f" ({model['parameters'] / 1e6:.1f} M parameters)" if model.get("parameters") else ""
    many = f" ({corpus['images']:,} images)" if corpus.get("images") else ""
    rows = [
        ("Model", f"{model.get('name') or asked['model']}{size}"),
        ("Training images", f"{corpus.get('name') or asked.get('corpus')}{many}"),
        ("Descriptor", f"{look.get('preset') or 'none'} {look.get('note') or ''}".strip()),
        ("Steps", f"{asked['steps']} ({asked['scheduler']})"),
        ("Network calls", str(info.get("unet_evaluations") or "")),
        ("Time", f"{info['seconds']:.1f} s" if info.get("seconds") else ""),
        ("Run", info["id"]),
    ]
    return [(label, value) for label, value in rows if value]


def summaries(info: Mapping, curves: dict[int, dict]) -> dict[str, str]:
    """One sentence beside each curve."""
    cells = [c for c in info["cells"] if c["cell"] in curves]
    if not cells:
        return {}
    mark = (info.get("thresholds") or {}).get("copied")
    return {
        "magnitude": sentences.magnitude_words(cells, curves, info.get("band")),
        "scale": sentences.scale_words(cells),
        "similarity": sentences.similarity_words(cells, curves, mark),
    }


def headline(info: Mapping, step: int, live: bool) -> str:
    """The line above the grid."""
    cells, steps = info["cells"], info["asked"]["steps"]
    said = sentences.result_line(cells, (info.get("corpus") or {}).get("images"))
    done = sum(c["state"] == "done" for c in cells)
    match info["state"]:
        case "running" if live:
            return sentences.waiting_line(done, len(cells), step, steps)
        case "running":
            return "This run is not finished: it is being made elsewhere, or it was cut off."
        case "stopped":
            return f"Stopped at step {step} of {steps}; everything made until then is kept. {said}"
        case "failed":
            return f"This run failed: {info.get('error') or 'no reason was recorded'} {said}"
    return said or "Made without searching training images, so there are no verdicts."


def view(
    info: Mapping,
    folder: Path,
    table: pa.Table,
    previews: Sequence[Image.Image | None] = (),
    live: bool = False,
) -> dict[str, Any]:
    """One run as the dictionary that the browser draws."""
    curves = traces(table)
    shown = {n: data_uri(image) for n, image in enumerate(previews)}
    step = max((len(c["magnitude"]) for c in curves.values()), default=0)
    cells = [
        cell_view(c, curves.get(c["cell"], empty()), shown.get(c["cell"]), info["state"] == "done")
        for c in info["cells"]
    ]
    return {
        "id": info["id"],
        "state": info["state"],
        "live": live,
        "step": step,
        "steps": info["asked"]["steps"],
        "timesteps": info.get("timesteps") or [],
        "base": f"{file_path(folder)}/",
        "tile": info.get("tile") or 64,
        "columns": info.get("sheet_columns") or 10,
        "prompts": info["asked"]["prompts"],
        "result": headline(info, step, live),
        "summaries": {} if live else summaries(info, curves),
        "facts": facts(info),
        "band": info.get("band"),
        "thresholds": info.get("thresholds") or {},
        "noise": info.get("noise_hash") or {},
        "methods": methods(info["cells"]),
        "cells": cells,
    }

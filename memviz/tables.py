"""Results of the command line as columns of text, for people."""

import json
from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns as wide as they need to be."""
    lines = [head, *([str(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ((v.ljust(w) for v, w in zip(line, widths, strict=True)) for line in lines)
    return "\n".join("  ".join(line).rstrip() for line in padded)


def figure(value: float | None) -> str:
    """Two digits, or a dash."""
    return "-" if value is None else f"{value:.2f}"


def compare(result: dict[str, Any]) -> str:
    """The cells as lines, and where the rest is."""
    rows = [
        (
            cell["method"],
            cell["seed"],
            figure(cell["similarity"]),
            figure(cell["alignment"]),
            "-" if cell["transition_step"] is None else f"step {cell['transition_step']}",
            cell["verdict"],
            cell["match"]["caption"] if cell["match"] else "",
        )
        for cell in result["cells"]
    ]
    head = ("method", "seed", "similarity", "alignment", "switched", "verdict", "nearest image")
    calls = f"{result['unet_evaluations']} UNet evaluations, {result['seconds']:.1f} s"
    return f"{table(head, rows)}\n\n{calls}\n{result['folder']}"


def models(result: list[dict[str, Any]]) -> str:
    """One line each."""
    rows = [
        (m["name"], f"{m['parameters']:,}" if m["parameters"] else "not here yet", m["path"])
        for m in result
    ]
    return table(("name", "parameters", "path"), rows)


def runs(result: list[dict[str, Any]]) -> str:
    """One line each."""
    rows = [(r["id"], r["state"], r["where"], r["cells"], r["title"]) for r in result]
    return table(("run", "state", "where", "cells", "title"), rows) if rows else "No runs yet."


def report(result: dict[str, Any]) -> str:
    """A figure a line."""
    rows = [(k, v if isinstance(v, str | int) else json.dumps(v)) for k, v in result.items()]
    return table(("figure", "value"), rows)

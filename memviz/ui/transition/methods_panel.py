"""The measured table of all methods, as the app shows it."""

import json
from typing import Any

from memviz.guidance.registry import METHODS
from memviz.io import html
from memviz.io.paths import demo
from memviz.statistics import format_estimate
from memviz.ui.shared import encode

NAMES = ("similarity", "copied", "alignment")


def result() -> dict[str, Any] | None:
    """What `python -m memviz remedies --save` left."""
    file = demo() / "remedies.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else None


def table() -> str:
    """A row per method, duplicated and held-out prompts side by side."""
    return html.render(
        "ui/transition/methods_table.html",
        found=result(),
        methods=METHODS,
        names=NAMES,
        estimate=format_estimate,
    )


def points() -> list[dict[str, Any]]:
    """The duplicated prompts' rows as points of the trade-off."""
    found = result() or {"rows": {}}
    return [
        {
            "method": key,
            "name": METHODS[key].label,
            "similarity": values["duplicated"]["similarity"],
            "alignment": values["duplicated"]["alignment"],
            "evaluations": {"mean": values["duplicated"]["evaluations"]},
        }
        for key, values in found["rows"].items()
    ]


def methods() -> dict[str, dict]:
    """How each measured method is drawn."""
    return encode.methods((result() or {"rows": {}})["rows"])

"""The measured table of all methods, as the app shows it."""

import html
import json
from typing import Any

from memviz.guidance.registry import METHODS
from memviz.io.paths import demo
from memviz.statistics import format_estimate
from memviz.ui.shared import encode

NAMES = ("similarity", "copied", "alignment")
MISSING = "<p>Not measured yet: <code>python -m memviz remedies --save</code> does it.</p>"


def result() -> dict[str, Any] | None:
    """What `python -m memviz remedies --save` left."""
    file = demo() / "remedies.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else None


def table() -> str:
    """A row per method, duplicated and held-out prompts side by side."""
    found = result()
    if found is None:
        return MISSING
    heads = ("Method", "Similarity", "Copied", "Alignment", "Evaluations", "Seconds to CFG",
             "Similarity, held out", "Copied, held out", "Alignment, held out")  # fmt: skip
    top = "".join(f'<th scope="col">{h}</th>' for h in heads)
    rows = "".join(row(key, values) for key, values in found["rows"].items())
    about = (
        f"{found['pictures']['duplicated']} pictures of duplicated prompts, "
        f"{found['pictures']['heldout']} of held-out ones; in brackets 95 % "
        "intervals over prompts. Measured by "
        "<code>python -m memviz remedies</code>; docs/methods.md explains the rows."
    )
    return (
        f'<div class="mvt-scroll" tabindex="0" role="region" aria-label="All methods"><table>'
        f"<thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table></div><p>{about}</p>"
    )


def row(key: str, values: dict[str, Any]) -> str:
    """One method."""
    dup, held = ([format_estimate(values[g][n]) for n in NAMES] for g in ("duplicated", "heldout"))
    cost = [f"{values['duplicated']['evaluations']:g}", f"{values['seconds_to_first']:.2f}"]
    cells = "".join(f"<td>{value}</td>" for value in (*dup, *cost, *held))
    return f'<tr><th scope="row">{html.escape(METHODS[key].label)}</th>{cells}</tr>'


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

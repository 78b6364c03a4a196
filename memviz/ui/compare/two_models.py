"""Two runs of the same prompts and seeds as one view: the models stand where methods do."""

from collections.abc import Mapping
from typing import Any

from memviz.ui.shared.live import View

SIDES = {
    "before": {"short": "Before", "symbol": "circle", "dash": "dash", "color": 0},
    "after": {"short": "After", "symbol": "diamond", "dash": "solid", "color": 1},
}


def merged(before: View, after: View) -> View:
    """Two views of the same prompts and seeds as one, the models in the place of the methods."""
    sides = {"before": before, "after": after}
    cells = [
        side_cell(cell, key, sides[key]["id"])
        for pair in zip(before["cells"], after["cells"], strict=True)
        for key, cell in zip(sides, pair, strict=True)
    ]
    return {
        **after,
        "with": before["id"],
        "cells": [cell | {"cell": number} for number, cell in enumerate(cells)],
        "methods": {key: side | {"label": model(sides[key])} for key, side in SIDES.items()},
        "result": " ".join(f"{SIDES[key]['short']}: {v['result']}" for key, v in sides.items()),
        "summaries": {name: both(name, sides) for name in after["summaries"]},
        "facts": [("Before", model(before)), ("After", model(after)), *after["facts"][1:]],
    }


def model(view: Mapping[str, Any]) -> str:
    """The model of a view, as its facts name it."""
    return str(dict(view["facts"]).get("Model"))


def both(name: str, sides: Mapping[str, View]) -> str:
    """What is said of a curve, for both models."""
    return " ".join(
        f"{SIDES[key]['short']}: {view['summaries'].get(name, '')}" for key, view in sides.items()
    )


def side_cell(cell: Mapping[str, Any], key: str, run_id: str) -> dict[str, Any]:
    """A cell of one of the two runs; its files are named from the folder of the other."""

    def moved(holder: Mapping[str, Any], *names: str) -> dict[str, Any]:
        return {**holder, **{n: holder[n] and f"../{run_id}/{holder[n]}" for n in names}}

    return {
        **moved(cell, "image", "sheet"),
        "match": cell["match"] and moved(cell["match"], "image"),
        "matches": [moved(match, "image") for match in cell["matches"] or ()],
        "method": key,
    }

"""Two runs of the same prompts and seeds as one view, the older one's pictures beside the newer's.

Where each has one method, as two models on plain guidance, the sides stand where methods do.
"""

from collections.abc import Mapping
from posixpath import relpath
from typing import Any

from memviz.errors import InputError
from memviz.ui.shared.live import View

Row = tuple[str, int]  # prompt and seed
SIDES = {
    "before": {"short": "Before", "symbol": "circle", "dash": "dash", "color": 0},
    "after": {"short": "After", "symbol": "diamond", "dash": "solid", "color": 1},
}


def merged(before: View, after: View) -> View:
    """Two views as one: of each prompt and seed that both have, the cells of both.

    Raises InputError where they share none, or cannot be stepped through together.
    """
    sides = {"before": before, "after": after}
    rows = shared_rows(before, after)
    single = all(len({c["method"] for c in view["cells"]}) == 1 for view in sides.values())
    cells = [
        side_cell(
            cell,
            side if single else f"{side}:{cell['method']}",
            relpath(sides[side]["base"], after["base"]),
        )
        for row in rows
        for side, cell in pair_cells(row, sides)
    ]
    return {
        **after,
        "with": before["id"],
        "prompts": list(dict.fromkeys(prompt for prompt, _ in rows)),
        "cells": [cell | {"cell": number} for number, cell in enumerate(cells)],
        "methods": name_sides(sides) if single else name_methods(sides),
        "result": " ".join(f"{SIDES[key]['short']}: {v['result']}" for key, v in sides.items()),
        "summaries": {name: both(name, sides) for name in after["summaries"]},
        "facts": list_facts(before, after),
    }


def shared_rows(before: View, after: View) -> list[Row]:
    """The prompts and seeds that both runs have."""
    found = [dict.fromkeys((c["prompt"], c["seed"]) for c in v["cells"]) for v in (before, after)]
    rows = [row for row in found[1] if row in found[0]]
    if not rows:
        raise InputError(
            "These two runs share no prompt with the same seed. Choose two of the same prompts "
            "and seeds."
        )
    for name, words in (("steps", "steps"), ("tile", "pixels of their small pictures")):
        if before[name] != after[name]:
            raise InputError(
                f"These two runs have {before[name]} and {after[name]} {words}, so they cannot be "
                "stepped through together. Choose two that agree."
            )
    return rows


def pair_cells(row: Row, sides: Mapping[str, View]) -> list[tuple[str, Mapping[str, Any]]]:
    """The cells of one row, those of a method beside each other."""
    found = [(side, cell) for side, view in sides.items() for cell in view["cells"]
             if (cell["prompt"], cell["seed"]) == row]  # fmt: skip
    methods = [*dict.fromkeys(cell["method"] for _, cell in found)]
    return sorted(found, key=lambda pair: methods.index(pair[1]["method"]))


def name_sides(sides: Mapping[str, View]) -> dict[str, Any]:
    """How the two sides are drawn, where they stand in the place of methods."""
    return {key: side | {"label": model(sides[key])} for key, side in SIDES.items()}


def name_methods(sides: Mapping[str, View]) -> dict[str, Any]:
    """How each method of each side is drawn: in its own colour, before with broken lines."""
    return {
        f"{side}:{key}": {
            **how,
            "short": f"{how['short']} {side}",
            "label": f"{how['label']}, {model(view)}",
            "dash": SIDES[side]["dash"],
        }
        for side, view in sides.items()
        for key, how in view["methods"].items()
    }


def list_facts(before: View, after: View) -> list[tuple[str, str]]:
    """Both models, and the settings: both values of those that differ."""
    old = dict(before["facts"])
    rest = [
        (name, value if old.get(name, value) == value else f"{old[name]} before, {value} after")
        for name, value in after["facts"][1:]
    ]
    return [("Before", model(before)), ("After", model(after)), *rest]


def model(view: Mapping[str, Any]) -> str:
    """The model of a view, as its facts name it."""
    return str(dict(view["facts"]).get("Model"))


def both(name: str, sides: Mapping[str, View]) -> str:
    """What is said of a curve, for both models."""
    return " ".join(
        f"{SIDES[key]['short']}: {view['summaries'].get(name, '')}" for key, view in sides.items()
    )


def side_cell(cell: Mapping[str, Any], key: str, folder: str) -> dict[str, Any]:
    """A cell of one of the two runs, whose files lie in this folder."""

    def moved(holder: Mapping[str, Any], *names: str) -> dict[str, Any]:
        return {**holder, **{n: holder[n] and f"{folder}/{holder[n]}" for n in names}}

    return {
        **moved(cell, "image", "sheet"),
        "match": cell["match"] and moved(cell["match"], "image"),
        "matches": [moved(match, "image") for match in cell["matches"] or ()],
        "method": key,
    }

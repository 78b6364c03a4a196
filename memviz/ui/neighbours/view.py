"""A search's folder as the dictionary that the Neighbours tab draws."""

import json
from pathlib import Path
from typing import Any

from memviz.runs import store
from memviz.runs.record import CellRecord
from memviz.search import report
from memviz.search.folder import root
from memviz.ui.shared.served import file_path

FILES = {"Report": "report.html", "Matches": "matches.parquet", "Summary": "summary.json"}
ALIKE = (
    "Images this alike count as one picture: a model sees it as often as the group has members, "
    "and what it sees more often it copies first."
)


def example() -> tuple[store.Run, CellRecord] | None:
    """A copied picture of a bundled run."""
    found = ((run, cell) for run in store.bundled() for cell in run.record.cells)
    return next((pair for pair in found if pair[1].kind == "copied" and pair[1].match), None)


def example_cell() -> str:
    """The same as "run/cell"; empty if none is bundled."""
    found = example()
    return f"{found[0].record.id}/{found[1].number}" if found else ""


def empty() -> dict[str, Any]:
    """What stands there before a search: a worked case, as its run has it."""
    found = example()
    if found is None or found[1].match is None:
        return {"note": "Drop a picture, or choose another way in."}
    run, cell = found
    return {
        "note": "A worked case",
        "example": {
            "yours": file_path(run.folder / str(cell.image)),
            "theirs": file_path(run.folder / found[1].match.image),
            "number": found[1].match.id,
            "prompt": cell.prompt,
            "caption": found[1].match.caption,
            "similarity": cell.similarity,
            "verdict": cell.verdict,
            "reason": cell.reason,
        },
    }


def view(folder: Path) -> dict[str, Any]:
    """Pairs or groups, whatever the folder holds."""
    told = json.loads((folder / "summary.json").read_text("utf-8"))
    shared = {
        "kind": told["kind"],
        "id": folder.name if folder.parent == root() else None,
        "base": f"{file_path(folder)}/",
        "facts": facts(told),
    }
    return shared | (groups(told) if told["kind"] == "groups" else pairs(told))


def facts(told: dict[str, Any]) -> str:
    """Corpus and preset: scores of others cannot be set beside these."""
    about = told["provenance"]
    return (
        f"{report.count(about['corpus']['images'], 'training image')} of "
        f"{about['corpus']['name']}, compared by {about['descriptor']['preset']}. "
        f"{about['descriptor'].get('note', '')}".removesuffix(". ")
    )


def pairs(told: dict[str, Any]) -> dict[str, Any]:
    """What was looked up."""
    used = told["thresholds"]["used"]
    return {
        "headline": report.headline(told),
        "note": told.get("note", ""),
        "within": told.get("within", False),
        "all_above": told.get("all_above", False),
        "pairs": told["pairs"],
        "histogram": told["histogram"],
        "marks": {"copied": used["copied"], "close": used["close"]},
        "words": words(told),
        "details": report.rows(told),
        "unreadable": told["unreadable"],
        "files": FILES,
    }


def words(told: dict[str, Any]) -> str:
    """The histogram in a sentence."""
    found = told["statistics"]
    own = told["thresholds"]["background"]
    null = found["bg_mean"]
    mean = found["sim_mean"]
    mine = "these training images" if told.get("within") else "your pictures"
    parts = [f"Blue: {mine} and their nearest training images"]
    parts.append("" if mean is None else f" (mean {mean:.2f})")
    parts.append("; grey: training images and their nearest others")
    parts.append("" if null is None else f" (mean {null:.2f})")
    parts.append(f". {spread(own)}" if own else "")
    return f"{''.join(parts)}. Each set is scaled to its highest bar."


def spread(own: dict[str, Any]) -> str:
    """How alike training images are among themselves, duplicates counted apart."""
    said = f"Of the {own['images']:,} without a duplicate {own['quantile']:.1%} stay below "
    said += f"{own['value']:.2f}"
    twins = own["duplicates"]
    verb = "has one" if twins == 1 else "have one"
    return f"{said}; {twins:,} {verb}, at {own['duplicate']:.2f} or above" if twins else said


def groups(told: dict[str, Any]) -> dict[str, Any]:
    """Duplicates within the training data."""
    found = told["groups"]
    many = f"{found:,} group{'s' * (found != 1)} of duplicates, {told['images']:,} images"
    if told.get("times", 0) > told["images"]:
        many += f" that training shows {told['times']:,} times"
    nothing = "No duplicates in the training data"
    said = many if found else nothing
    return {
        "headline": f"{said} (similarity from {told['least']:.2f}).",
        "note": ALIKE if found else "",
        "shown": told["shown"],
        "files": {"Summary": "summary.json"},
    }

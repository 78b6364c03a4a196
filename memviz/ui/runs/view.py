"""The runs as the browser lists them: what one is found by, and what it takes on the disk."""

from dataclasses import asdict
from typing import Any

from memviz.comparison.sweep import grid
from memviz.io.disk import used_bytes
from memviz.runs import store, trash
from memviz.runs.note import read_note
from memviz.runs.store import Run
from memviz.ui.shared import access, sentences
from memviz.ui.shared.served import file_path

PICTURES = 4  # of each run
PUBLIC = "On a public page a run is found by its link only: keep the link of a run you like."
NONE = "None of your own yet. Press Compare to make one."


def make_view(message: str = "") -> dict[str, Any]:
    """All runs, one's own first; on a public page the examples alone."""
    home = not access.public()
    own = [summarize_run(run, own=True) for run in store.listed()] if home else []
    return {
        "runs": [*own, *(summarize_run(run, own=False) for run in store.bundled())],
        "deleted": [summarize_deleted(run) for run in trash.list_deleted()] if home else [],
        "damaged": [run.reason for run in store.damaged()] if home else [],
        "empty": "" if own else NONE if home else PUBLIC,
        "home": home,
        "message": message,
    }


def summarize_deleted(run: Run) -> dict[str, str]:
    """A run that can be brought back."""
    return {"id": run.record.id, "title": read_note(run.folder).name or run.record.title}


def summarize_run(run: Run, own: bool) -> dict[str, Any]:
    """What a run is found by."""
    record, request = run.record, run.record.request
    found = [cell.image for cell in record.cells if cell.image]
    note = asdict(read_note(run.folder))
    return {
        "id": record.id,
        "own": own,
        "title": record.title,
        "name": note["name"],
        "note": note["text"],
        "starred": note["starred"],
        "prompts": list(request.prompts),
        "created": record.created,
        "model": request.model,
        "methods": list(dict.fromkeys(cell.method for cell in record.cells)),
        "steps": request.steps,
        "pictures": len(record.cells),
        "kinds": sorted({cell.kind for cell in record.cells if cell.kind}),
        "result": sentences.result_line(record.cells, record.images) or record.state,
        "bytes": used_bytes(run.folder),
        # relative, so that they hold wherever the app is mounted
        "thumbs": [file_path(run.folder / name).lstrip("/") for name in found[:PICTURES]],
        "sweep": grid(record.cells) is not None,
    }

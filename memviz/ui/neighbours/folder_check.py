"""Folders checked in the background: begun and opened."""

from pathlib import Path
from typing import Any

from memviz import jobs
from memviz.errors import InputError
from memviz.io.paths import expand
from memviz.ui.neighbours.view import view
from memviz.ui.shared import access
from memviz.ui.shared.messages import notice

KIND = "search"
CLOSED = (
    "Folders can be checked on your own machine only: start the app there with `python app.py`."
)


def check(folder: str, name: str, preset: str, mark: str) -> str:
    """Begin to check a folder in the background; what to tell about it."""
    if access.public():
        return notice(CLOSED)
    if not (folder or "").strip():
        return notice("Name a folder of pictures first.")
    place = expand(folder.strip())
    if not place.is_dir():
        return notice(f"No such folder: {place}.")
    words = (place, "--corpus", name, "--preset", preset, "--threshold", mark)
    jobs.start(KIND, jobs.verb("search", *words), title=f"{place.name} against {name}")
    return notice("Checking in the background: it goes on when this page is closed.", False)


def opened(job_id: str) -> dict[str, Any]:
    """The view of a finished check."""
    result = jobs.find(job_id).result()
    if not result:
        raise InputError("This check has no result yet. Wait until it is done.")
    return view(Path(result["folder"]))

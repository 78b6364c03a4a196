"""Folders checked in the background: begun, followed, opened."""

from collections import deque
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from memviz import jobs
from memviz.ui import owner
from memviz.ui.compare import notice
from memviz.ui.neighbours_view import view

NEWEST = 5  # jobs listed
CLOSED = (
    "Folders can be checked on your own machine only: start the app there with `python app.py`."
)


def check(folder: str, name: str, preset: str, mark: str) -> str:
    """Begin to check a folder in the background; what to tell about it."""
    if owner.public():
        return notice(CLOSED)
    if not (folder or "").strip():
        return notice("Name a folder of pictures first.")
    place = Path(folder.strip()).expanduser()
    if not place.is_dir():
        return notice(f"No such folder: {place}.")
    words = (place, "--corpus", name, "--preset", preset, "--threshold", mark)
    jobs.start("search", jobs.verb("search", *words), title=f"{place.name} against {name}")
    return notice("Checking in the background: it goes on when this page is closed.", False)


def known() -> list[jobs.Job]:
    """The folder checks of this machine, newest first; nobody's business on a public page."""
    return (
        [] if owner.public() else [job for job in jobs.listing() if job.asked["kind"] == "search"]
    )


def standing() -> list[Any]:
    """The list of checks, the menu of those that can be opened, and whether to look again."""
    found = known()
    done = [(job.asked["title"], job.id) for job in found if job.result()]
    items = "".join(f"<li>{line(job)}</li>" for job in found[:NEWEST])
    listed = f'<ul class="mv-jobs" aria-label="Folder checks">{items}</ul>' if items else ""
    waiting = any(not job.state().over for job in found)
    return [listed, gr.Dropdown(choices=done, visible=bool(done)), gr.Timer(active=waiting)]


def line(job: jobs.Job) -> str:
    """One check: its title and where it stands."""
    title, state = f"<b>{escape(job.asked['title'])}</b>", job.state()
    if job.result():
        return f"{title}: done"
    last = deque(job.every_metric(), maxlen=1)
    done = f", {last[0]['done']:,} of {last[0]['total']:,} pictures" if last else ""
    log = job.log_tail(1) if state.over else []
    return f"{title}: {escape(' '.join([state.words or state.name, *log]))}{done}"


def opened(job_id: str) -> dict[str, Any]:
    """The view of a finished check."""
    result = jobs.find(job_id).result()
    if not result:
        raise ValueError("This check has no result yet. Wait until it is done.")
    return view(Path(result["folder"]))

"""What the Neighbours tab has in the background: folders checked, corpora indexed."""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from memviz import jobs
from memviz.errors import MemvizError
from memviz.io import html
from memviz.ui.neighbours import folder_check, indexing
from memviz.ui.shared import access
from memviz.ui.shared.messages import notice

NEWEST = 5  # jobs listed
KINDS = (folder_check.KIND, indexing.KIND)
DONE = {folder_check.KIND: "done", indexing.KIND: "done, it can be searched now"}


def known() -> list[jobs.Job]:
    """This machine's, newest first; nobody's business on a public page."""
    return [] if access.public() else [job for job in jobs.listing() if job.asked["kind"] in KINDS]


def standing() -> list[Any]:
    """The list, the menu of checks to open, whether to look again, and the two buttons."""
    found = [(job, job.state()) for job in known()]
    ready = [(job.asked["title"], job.id) for job, _ in found if opens(job)]
    lines = [(job.asked["title"], line(job, state)) for job, state in found[:NEWEST]]
    listed = html.render("ui/neighbours/jobs.html", lines=lines)
    menu = gr.Dropdown(choices=ready, visible=bool(ready))
    waiting = any(not state.over for _, state in found)
    return [listed, menu, gr.Timer(active=waiting), *buttons(found)]


def watch(ids: list[str]) -> list[Any]:
    """The same, then the result and the message: a check that has just ended is opened."""
    result, message = gr.skip(), gr.skip()
    try:
        if ids[0] and opens(jobs.find(ids[0])):
            result, message = folder_check.opened(ids[0]), notice()
    except (MemvizError, OSError) as error:
        message = notice(str(error))
    return [*standing(), result, message]


def opens(job: jobs.Job) -> bool:
    """Whether a folder was checked to the end."""
    return job.asked["kind"] == folder_check.KIND and bool(job.result())


def line(job: jobs.Job, state: jobs.State) -> str:
    """Where a job stands and when it was last heard of."""
    if job.result():
        return DONE[job.asked["kind"]]
    log = job.log_tail(1) if state.over else []
    said, last = " ".join([state.words or state.name, *log]), job.last_metric()
    return f"{said}{progress(last)}{'' if state.over else pace(job, last)}"


def progress(last: Mapping[str, Any]) -> str:
    """How many pictures of how many."""
    known = {"done", "total"} <= last.keys()
    return f" {last['done']:,} of {last['total']:,} pictures." if known else ""


def pace(job: jobs.Job, last: Mapping[str, Any]) -> str:
    """How fast it is, where that is measured, and its heartbeat."""
    silence = job.silence()
    rate = f" {last['rate']:,.0f} a second." if last.get("rate") else ""
    ending = " Finishing." if last and last.get("done") == last.get("total") else rate
    beat = "" if silence is None else f" Last sign of life {silence:.0f} s ago."
    return f"{ending}{beat}"


def buttons(found: list[tuple[jobs.Job, jobs.State]]) -> list[Any]:
    """Stop the one that runs, resume the newest if it broke off, and the ids of both."""
    busy = (pair for pair in reversed(found) if not (pair[1].over or pair[0].result()))
    running = next(busy, None)
    broken = next((pair for pair in found[:1] if pair[1].resumable), None)
    stop = f"{'Kill' if running and running[1].name == 'stopping' else 'Stop'}: {title(running)}"
    return [
        gr.Button(stop, visible=bool(running)),
        gr.Button(f"Resume: {title(broken)}", visible=bool(broken)),
        [pair[0].id if pair else "" for pair in (running, broken)],
    ]


def title(pair: tuple[jobs.Job, jobs.State] | None) -> str:
    """Of the job that a button acts on."""
    return pair[0].asked["title"] if pair else ""


def stop(ids: list[str]) -> str:
    """Ask the one that runs to leave; asked twice, it is killed. What went wrong."""
    return tried(jobs.Job.stop, ids[0])


def resume(ids: list[str]) -> str:
    """Go on where the newest broke off. What went wrong."""
    return tried(jobs.Job.resume, ids[1])


def tried(act: Callable[[jobs.Job], object], job_id: str) -> str:
    """The sentence on why it could not be done; empty if it was."""
    try:
        act(jobs.find(job_id))
    except (MemvizError, OSError) as error:
        return notice(str(error))
    return notice()

"""Sweeps in the background: begun from the tab, watched while they run, stopped and resumed."""

from typing import Any

import gradio as gr

from memviz import jobs
from memviz.errors import MemvizError
from memviz.runs import resume as runs_resume
from memviz.runs import store
from memviz.ui.shared import encode as compare_view
from memviz.ui.shared import messages
from memviz.ui.transition import view as views

KIND = "sweep"


def begin(words: list[str], title: str) -> jobs.Job:
    """Start a sweep that outlives the page; `words` are the options of the verb."""
    return jobs.start(KIND, jobs.verb("sweep", *words), title=title)


def look(job_id: str, seen: str = "") -> list[Any]:
    """The sweep now, for figure, message, stop, resume, seen and timer; skips what did not move."""
    try:
        job = jobs.find(job_id)
    except MemvizError:  # no sweep is watched, or its folder was removed
        return [*[gr.skip()] * 3, gr.Button(visible=False), "", gr.Timer(active=False)]
    state = job.state()
    now = fingerprint(job, state)
    if now == seen:
        return [gr.skip()] * 6
    buttons = gr.Button(interactive=not state.over), gr.Button(visible=state.resumable)
    told = messages.notice(words(job, state), alert=state.name in ("failed", "lost"))
    return [view(job, state.over), told, *buttons, now, gr.Timer(active=not state.over)]


def fingerprint(job: jobs.Job, state: jobs.State) -> str:
    """Changes whenever there is something new to show."""
    file = store.root() / job.id / "run.json"
    return f"{job.id} {state.name} {state.step} {file.stat().st_mtime if file.exists() else ''}"


def words(job: jobs.Job, state: jobs.State) -> str:
    """Where it stands and what can be done."""
    last = job.last_metric()
    step = f" Step {last['step']} of {last['of']}." if {"step", "of"} <= last.keys() else ""
    if state.name == "done":
        return "The sweep in the background is done."
    if state.over:
        return f"The sweep in the background: {state.words}"
    going = "It goes on while this page is closed; choose it below to see it again."
    return f"A sweep in the background: {state.words}{step} {going}"


def view(job: jobs.Job, over: bool) -> Any:  # noqa: ANN401 - a dictionary, or nothing new
    """What there is of its run; pictures in progress are the newest x0 estimates."""
    try:
        run = store.read(job.id)
    except MemvizError:
        return gr.skip()
    found: dict[str, Any] = views.view(run) | {"live": not over}
    for cell in found["cells"]:
        file = runs_resume.newest(run.folder, cell["cell"])
        if not cell["image"] and file.is_file():
            from PIL import Image

            cell["preview"] = compare_view.data_uri(Image.open(file).convert("RGB"))
    return found


def under_way() -> str:
    """The newest sweep that still runs; empty if there is none."""
    found = (job for job in jobs.listing() if job.asked["kind"] == KIND)
    return next((job.id for job in found if not job.state().over), "")


def of_run(run_id: str) -> str:
    """The job that makes a run or was to finish it: they share their name; empty if none did."""
    try:
        return run_id if jobs.find(run_id).asked["kind"] == KIND else ""
    except MemvizError:
        return ""


def stop(job_id: str) -> None:
    """ComparisonRequest it to leave at its next step."""
    if job_id and not (job := jobs.find(job_id)).state().over:
        job.stop()


def resume(job_id: str) -> list[Any]:
    """Go on from its last step; then as `look`."""
    try:
        jobs.find(job_id).resume()
    except (MemvizError, OSError) as error:
        return [gr.skip(), messages.notice(str(error)), *[gr.skip()] * 4]
    return look(job_id)

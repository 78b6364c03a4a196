"""The Runs tab: finished examples, and on one's own machine the runs kept there."""

from collections.abc import Sequence
from html import escape

import gradio as gr

from memviz.io.disk import format_bytes, used_bytes
from memviz.runs import store
from memviz.ui.shared import access, sentences
from memviz.ui.shared.controls import QUIET
from memviz.ui.shared.kept_runs import own
from memviz.ui.shared.served import file_path

PICTURES = 4  # of each run
PUBLIC = "On a public page a run is found by its link only: keep the link of a run you like."


def pictures(run: store.Run) -> str:
    """The first finished pictures of a run, small."""
    found = [c.image for c in run.record.cells if c.image]
    # relative, so that it holds wherever the app is mounted
    sources = [file_path(run.folder / name).lstrip("/") for name in found[:PICTURES]]
    return "".join(f'<img src="{escape(source)}" alt="" loading="lazy">' for source in sources)


def row(run: store.Run) -> str:
    """A run as a list item that opens it; a prompt may hold anything, so it is escaped."""
    record, request = run.record, run.record.request
    said = sentences.result_line(record.cells, record.images)
    made = record.created[:16].replace("T", " ")
    prompt = "" if request.prompts[0] == record.title else f"“{request.prompts[0]}”, "
    about = f"{prompt}{made}, {request.model}, {request.steps} steps, {len(record.cells)} pictures"
    return (
        f'<li><a href="?run={escape(record.id)}">{escape(record.title)}</a>'
        f'<span class="mv-thumbs">{pictures(run)}</span>'
        f"<p>{escape(said or record.state)}</p><small>{escape(about)}</small></li>"
    )


def section(title: str, found: Sequence[store.Run], otherwise: str) -> str:
    """A heading and its runs, or a sentence when there are none."""
    rows = "".join(map(row, found))
    return f"<h2>{title}</h2>" + (
        f'<ul class="mv-runs">{rows}</ul>' if rows else f"<p>{otherwise}</p>"
    )


def page() -> str:
    """Both lists."""
    empty = PUBLIC if access.public() else "None yet. Press Compare to make one."
    examples = section("Examples", store.bundled(), "No example runs are bundled here.")
    return examples + section("Your runs", own(), empty) + ("" if access.public() else upkeep())


def upkeep() -> str:
    """The disk used, and the runs that cannot be read."""
    used = format_bytes(used_bytes(store.root()))
    damaged = "".join(f"<li>{escape(run.reason)}</li>" for run in store.damaged())
    found = f"<h2>Damaged runs</h2><ul>{damaged}</ul>" if damaged else ""
    how = "<code>memviz clean</code> removes old ones, <code>memviz doctor --remove</code> damaged."
    return f"{found}<p><small>Your runs take {used}. {how}</small></p>"


def build(tab: gr.Tab) -> None:
    """Lay out the tab; it is read anew each time it is opened."""
    listing = gr.HTML(page(), elem_id="runs")
    tab.select(page, None, listing, queue=False, **QUIET)

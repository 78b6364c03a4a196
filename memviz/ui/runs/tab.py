"""The Runs tab: what was made, found again, noted, handed on and taken away."""

from typing import Any

import gradio as gr

from memviz.errors import MemvizError
from memviz.runs import store
from memviz.ui.compare import form as compare_form
from memviz.ui.runs.handlers import change_runs
from memviz.ui.runs.view import make_view
from memviz.ui.shared.component import Component
from memviz.ui.shared.controls import QUIET
from memviz.ui.shared.messages import tab_title
from memviz.ui.transition import form as sweep_form

TITLE = (
    "What was made here?",
    "Every run with its pictures and what was found: open it, use its settings again, hand it on "
    "as one file, or put two side by side.",
)


class RunList(Component):
    """The runs with their search and their tools; give it `make_view()` as its value."""

    module = "runs/runs.js"


def build(tab: gr.Tab, form: compare_form.Form, sweep: sweep_form.Controls) -> None:
    """Lay out the tab; it is read anew each time it is opened.

    The settings of a run fill `form`, those of a sweep the controls `sweep`.
    """
    gr.HTML(tab_title(*TITLE))
    listing = RunList(elem_id="runs")

    def fill_forms(event: gr.EventData) -> dict[gr.components.Component, Any]:
        try:
            record = store.read(str(event._data["id"])).record
        except (MemvizError, KeyError, TypeError):
            return {}
        if shown := sweep_form.show_request(record):
            return {sweep[name]: value for name, value in shown.items()}
        return dict(zip(form.fields, compare_form.values(form, record.request), strict=True))

    quick: dict[str, Any] = {"queue": False, **QUIET}
    tab.select(make_view, None, listing, **quick)
    listing.submit(change_runs, None, listing, **quick)
    listing.select(fill_forms, None, [*form.fields, *sweep.values()], **quick)

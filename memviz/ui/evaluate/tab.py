"""The Evaluate tab: a paper's table from a list of prompts, made in the background."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from memviz.ui.compare import tab as compare_tab
from memviz.ui.evaluate import form as evaluate_form
from memviz.ui.evaluate import handlers
from memviz.ui.evaluate.jobs import SHIPPED, list_choices
from memviz.ui.evaluate.view import make_view
from memviz.ui.shared import access
from memviz.ui.shared.component import Component
from memviz.ui.shared.controls import QUIET
from memviz.ui.shared.live import Live
from memviz.ui.shared.messages import tab_title

EVERY = 1.0  # seconds between two looks at a job
TITLE = (
    "Which method copies least, at what cost?",
    "A list of prompts under several methods, measured as a paper does: a row each, with "
    "intervals, and behind it the pictures, the worst copies first.",
)
CLOSED = """
Evaluations are off on this public page: they would run on its owner's machine and write to its
disk. On your own machine they are on: start the app there with `python app.py`, or type
`python -m memviz evaluate --help`.
"""


class Result(Component):
    """A table with its plot; give it a view of `make_view` as its value."""

    module = "evaluate/evaluate.js"


class Pictures(Component):
    """The pictures of a row; give it a view of `pictures_view` as its value."""

    module = "evaluate/pictures.js"


@dataclass(frozen=True)
class Tab:
    """The parts that handlers read and write."""

    settings: gr.Accordion
    form: evaluate_form.Form
    command: gr.Textbox
    plan: gr.Button
    go: gr.Button
    card: gr.HTML
    message: gr.HTML
    chosen: gr.Dropdown
    beside: gr.Dropdown
    actions: list[gr.Button]
    result: gr.HTML
    pictures: gr.HTML
    seen: gr.State

    @property
    def shown(self) -> list[gr.components.Component]:
        """What a look changes, in the order of `handlers.look`."""
        return [self.result, self.seen, *self.actions]

    @property
    def outputs(self) -> list[Any]:
        """What showing another evaluation changes, in the order of `handlers.show`."""
        return [self.chosen, self.beside, self.settings, self.pictures, *self.shown]


def build(tab: gr.Tab, page: gr.Blocks, comparison: compare_tab.Tab, live: Live) -> None:
    """Lay out the tab; on a public page there is only what ships."""
    gr.HTML(tab_title(*TITLE))
    if access.public():
        gr.Markdown(CLOSED)
        if shipped := next((name for _, name in list_choices() if name.startswith(SHIPPED)), None):
            Result(make_view(shipped), elem_id="evaluation")
        return
    made = lay_out()
    connect(made)
    connect_clock(made, tab)
    quick: dict[str, Any] = {"queue": False, **QUIET}
    made.result.submit(handlers.open_row, None, [made.message, made.pictures], **quick)
    made.pictures.submit(
        handlers.compare_handler(live), None, comparison.outputs, concurrency_limit=None, **QUIET
    )
    page.load(at_home, None, made.outputs, **quick)


def lay_out() -> Tab:
    """All controls, the table and the pictures."""
    with gr.Accordion("Settings of a new evaluation", elem_id="e-settings") as settings:
        form = evaluate_form.build_form()
        values = [getattr(field, "value", None) for field in form.fields]
        command = gr.Textbox(
            handlers.spell_command(*values),
            label="The same without a browser",
            lines=2,
            buttons=["copy"],
            elem_id="e-command",
        )
        with gr.Row():
            plan = gr.Button("Check first", elem_id="e-plan")
            go = gr.Button("Evaluate", variant="primary", elem_id="e-go")
        card = gr.HTML(elem_id="e-card")
    message = gr.HTML(elem_id="e-message")
    with gr.Row(elem_id="e-menus"):
        chosen = gr.Dropdown([], label="Evaluation", elem_id="e-chosen", min_width=240)
        beside = gr.Dropdown(
            [("nothing", "")], label="Beside it", elem_id="e-beside", min_width=240
        )
        small: dict[str, Any] = {"interactive": False, "size": "md", "min_width": 90, "scale": 0}
        actions = [gr.Button(name, **small) for name in handlers.ACTIONS]
    result = Result(handlers.EMPTY, elem_id="evaluation")
    pictures = Pictures(handlers.NO_PICTURES, elem_id="e-pictures")
    return Tab(
        *(settings, form, command, plan, go, card, message, chosen, beside, actions),
        *(result, pictures, gr.State()),
    )


def connect(made: Tab) -> None:
    """Bind the form, the menus and the actions."""
    outputs = [made.message, *made.outputs]
    quick: dict[str, Any] = {"queue": False, **QUIET}
    fields, menus = made.form.fields, [made.chosen, made.beside]
    made.go.click(handlers.careful(handlers.begin, len(outputs)), fields, outputs, **quick)
    made.plan.click(handlers.check, fields, made.card, concurrency_limit=1, **QUIET)
    for number, button in enumerate(made.actions):
        do = handlers.careful(handlers.act(number), len(outputs))
        button.click(do, menus, outputs, **quick)
    for menu in menus:
        menu.input(handlers.look, menus, made.shown, **quick).then(
            lambda: handlers.NO_PICTURES, None, made.pictures, **quick
        )
    changes = [field.change for field in fields]  # pyright: ignore[reportAttributeAccessIssue]
    gr.on(
        changes, handlers.spell_command, fields, made.command, trigger_mode="always_last", **quick
    )


def connect_clock(made: Tab, tab: gr.Tab) -> None:
    """Look again and again, once the tab was opened."""
    timer = gr.Timer(EVERY, active=False)
    now = [made.chosen, made.beside, made.seen]
    timer.tick(handlers.look, now, made.shown, queue=False, **QUIET)
    tab.select(lambda: gr.Timer(active=True), None, timer, queue=False, **QUIET)


def at_home(request: gr.Request) -> list[Any]:
    """What a page opens with: the evaluation of its address."""
    return handlers.opened(request.query_params.get("evaluation"))

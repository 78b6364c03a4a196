"""The Train tab: what a fine-tuning would do, start it in the background, watch it, end it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from memviz import jobs
from memviz.errors import MemvizError
from memviz.ui.compare import tab as compare_tab
from memviz.ui.shared import access, messages
from memviz.ui.shared.component import Component, module_call
from memviz.ui.shared.controls import QUIET
from memviz.ui.shared.gate import take_words
from memviz.ui.shared.live import Live
from memviz.ui.train import before_after, form, handlers

EVERY = 1.0  # seconds between two looks at a job
TABS = "shared/tabs.js"
CLOSED = """
Training is off on this public page: it would run on its owner's machine and write to its disk.
On your own machine it is on: start the app there with `python app.py`, or type
`python -m memviz train --help`.
"""


class Progress(Component):
    """A training while it runs; give it a `view` as its value."""

    module = "train/train.js"


@dataclass(frozen=True)
class Tab:
    """The parts that handlers read and write."""

    allowed: gr.State
    settings: gr.Accordion
    title: gr.Textbox
    controls: form.Controls
    command: gr.Textbox
    plan: gr.Button
    go: gr.Button
    message: gr.HTML
    card: gr.HTML
    watched: gr.Textbox
    watch: gr.Button
    chosen: gr.Dropdown
    actions: list[gr.Button]
    both: gr.Button
    live: gr.HTML
    seen: gr.State

    @property
    def fields(self) -> list[gr.components.Component]:
        """The settings, in the order of the config."""
        return [*self.controls.values()]


def build(tab: gr.Tab, page: gr.Blocks, comparison: compare_tab.Tab, live: Live) -> None:
    """Lay out the tab; on a public page without an owner's token nothing of it exists."""
    public = access.public()
    if public:
        gr.Markdown(CLOSED)
    if public and not access.token():
        return
    said = gr.Textbox(label="Owner's token", type="password", visible=public, elem_id="owner")
    take_words(said)
    with gr.Column(visible=not public) as room:
        made = lay_out(gr.State(not public))
    menus = [made.controls["model"], comparison.form.model]
    shown = [made.live, made.seen, *made.actions, made.both, *menus]
    connect(made, shown)
    connect_clock(made, shown, tab)
    made.both.click(
        pair(live),
        [made.allowed, made.chosen],
        comparison.outputs,
        js=module_call(TABS, "openTab", "compare-tab"),
        **QUIET,
    )
    all_of_it = [made.chosen, made.settings, *shown]
    if public:
        unlock(said, made, room, all_of_it)
    else:
        page.load(
            at_home,
            None,
            all_of_it,
            queue=False,
            js=module_call(TABS, "openAddressedTraining"),
            **QUIET,
        )


def lay_out(allowed: gr.State) -> Tab:
    """All controls and the live view."""
    with gr.Accordion("Settings of a new training", elem_id="train-settings") as settings:
        controls = form.build()
        title = gr.Textbox(label="Name", info="of the model to come", elem_id="train-title")
        values = [control.value for control in controls.values()]
        command = gr.Textbox(
            handlers.spelled(*values),
            label="The same without a browser",
            lines=2,
            buttons=["copy"],
            elem_id="train-command",
        )
        with gr.Row():
            plan = gr.Button("Check first", elem_id="plan")
            go = gr.Button("Start training", variant="primary", elem_id="train")
        card = gr.HTML(elem_id="train-plan")
    with gr.Accordion("A training of another program", open=False, elem_id="watch"):
        watched = gr.Textbox(
            label="Its folder",
            info="Checkpoints or LoRA files of diffusers, kohya, ai-toolkit or OneTrainer. Each is "
            "looked at as it comes, with the model, corpus and prompts chosen above.",
            elem_id="watched",
        )
        watch = gr.Button("Watch it", elem_id="watch-it")
    message = gr.HTML(elem_id="train-message")
    chosen = gr.Dropdown([], label="Training", elem_id="job")
    with gr.Row(elem_id="train-jobs"):
        small: dict[str, Any] = {"interactive": False, "size": "md", "min_width": 100}
        actions = [gr.Button(name, **small) for name in handlers.ACTIONS]
        both = gr.Button("Compare before and after", **small, elem_id="both")
    return Tab(
        *(allowed, settings, title, controls, command, plan, go, message, card, watched, watch),
        *(chosen, actions, both, Progress(handlers.EMPTY, elem_id="training"), gr.State()),
    )


def connect(made: Tab, shown: list[gr.components.Component]) -> None:
    """Bind the form, the menu and the actions."""
    outputs = [made.message, made.chosen, made.settings, *shown]
    quick: dict[str, Any] = {"queue": False, **QUIET}
    start = handlers.careful(handlers.begin, len(outputs))
    made.go.click(start, [made.allowed, made.title, *made.fields], outputs, **quick)
    follow = handlers.careful(handlers.watch, len(outputs))
    made.watch.click(follow, [made.allowed, made.watched, *made.fields], outputs, **quick)
    made.plan.click(
        handlers.check,
        [made.allowed, *made.fields],
        [made.card, made.go],
        concurrency_limit=1,
        **QUIET,
    )
    for number, button in enumerate(made.actions):
        do = handlers.careful(handlers.act(number), len(outputs))
        button.click(do, [made.allowed, made.chosen], outputs, **quick)
    made.chosen.input(handlers.look, [made.allowed, made.chosen], shown, **quick)
    changes = [field.change for field in made.fields]  # pyright: ignore[reportAttributeAccessIssue]
    told = [made.command, made.go, made.card]
    gr.on(changes, handlers.change, made.fields, told, trigger_mode="always_last", **quick)
    suited = [made.controls[name] for name in handlers.SUITED]
    made.controls["corpus"].change(  # pyright: ignore[reportAttributeAccessIssue]
        handlers.suit, made.fields, suited, **quick
    )


def connect_clock(made: Tab, shown: list[gr.components.Component], tab: gr.Tab) -> None:
    """Look again and again, once the tab was opened."""
    timer = gr.Timer(EVERY, active=False)
    now = [made.allowed, made.chosen, made.seen]
    timer.tick(handlers.look, now, shown, queue=False, **QUIET)
    tab.select(lambda: gr.Timer(active=True), None, timer, queue=False, **QUIET)


def at_home(request: gr.Request) -> list[Any]:
    """What a page opens with: the job of its address."""
    return handlers.opened(request.query_params.get("job"))


def unlock(said: gr.Textbox, made: Tab, room: gr.Column, outputs: list) -> None:
    """The door on a public page; who came through is known to the server, not to the browser."""

    def enter(text: str, request: gr.Request) -> list[Any]:
        if not access.knows(text, getattr(request.client, "host", "")):
            gr.Warning("That is not the owner's token.")
            return [False, gr.Column(visible=False), *[gr.skip()] * len(outputs)]
        access.let_in(request)
        return [True, gr.Column(visible=True), *handlers.opened(None)]

    said.submit(
        enter, said, [made.allowed, room, *outputs], concurrency_limit=4, **QUIET
    )  # a warning needs the queue


def pair(live: Live) -> Any:  # noqa: ANN401 - a handler
    """The handler that shows both models in the Compare tab."""

    def both(allowed: bool, job_id: str) -> Iterator[list[Any]]:
        try:
            if allowed:
                yield from before_after.run(live, jobs.find(job_id))
        except MemvizError as error:
            yield compare_tab.shown(message=messages.notice(str(error)))

    return both

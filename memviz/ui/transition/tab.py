"""The Transition tab: sweep the transition, move it by hand, and see what depends on it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from memviz.comparison import sweep
from memviz.errors import MemvizError
from memviz.runs import store
from memviz.search.report import count
from memviz.ui.shared import access, examples, messages
from memviz.ui.shared.component import Component
from memviz.ui.shared.controls import QUIET
from memviz.ui.shared.gate import take_words
from memviz.ui.shared.kept_runs import own
from memviz.ui.shared.live import Live
from memviz.ui.transition import background as transition_background
from memviz.ui.transition import detect_panel, methods_panel, saliency_panel
from memviz.ui.transition import form as asks
from memviz.ui.transition import view as views
from memviz.ui.transition.handlers import NAMES, background, rerunner, seeds_ask, starter, sweep_ask

TITLE = (
    "When is it decided, and what if that came earlier?",
    "One prompt with guidance switched on at many steps: up to where it copies, and from where on "
    "it draws something of its own.",
)
EXAMPLE = (
    "A finished example. Choose a square of the map, move the handle below it, or type a prompt "
    "and press Sweep."
)
FOLDED = "What varies, seeds, steps and what is recorded"
NEWEST = 30  # runs to choose from
EVERY = 1.0  # seconds between two looks at a sweep in the background


class Figures(Component):
    """All figures of a run; give it a `view` as its value."""

    module = "transition/transition.js"


@dataclass(frozen=True)
class Tab:
    """The parts that handlers read and write; `controls` is what is asked, as in `NAMES`."""

    controls: dict[str, gr.components.Component]
    saved: gr.Dropdown
    figure: gr.HTML
    message: gr.HTML
    token: gr.State
    go: gr.Button
    many: gr.Button
    later: gr.Button
    stop: gr.Button
    resume: gr.Button
    job: gr.State  # the sweep in the background that is shown; empty if none is
    seen: gr.State
    timer: gr.Timer

    @property
    def fields(self) -> list[gr.components.Component]:
        """What is asked, in the order of `NAMES`."""
        return [self.controls[name] for name in NAMES]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What a run changes, in the order of `shown`."""
        return [self.figure, self.message, self.token, self.go, self.many, self.stop]

    @property
    def watched(self) -> list[gr.components.Component]:
        """What a sweep in the background changes, in the order of `sweep_job.look`."""
        return [self.figure, self.message, self.stop, self.resume, self.seen, self.timer]


def choices() -> list[tuple[str, str]]:
    """The runs to look at: one's own, then the bundled ones."""
    found = [*own(NEWEST), *store.bundled()]
    return [
        (f"{r.record.title} ({count(len(r.record.cells), 'picture')})", r.record.id) for r in found
    ]


def open_saved(run_id: str | None) -> list[Any]:
    """The chosen run, and the job that still makes it if there is one: id, then `watched`."""
    try:
        job = transition_background.of_run(run_id or "")
        if job:
            return [job, *transition_background.look(job)]
        found = views.view(store.read(run_id or ""))
        return ["", found, messages.notice(), *transition_background.look("")[2:]]
    except MemvizError as error:
        return ["", gr.skip(), messages.notice(str(error)), *transition_background.look("")[2:]]


def build(live: Live, page: gr.Blocks, door: gr.Tab) -> Tab:
    """Lay out the tab and connect it; `door` is the tab that it stands in."""
    gr.HTML(messages.tab_title(*TITLE))
    with gr.Row(equal_height=False):
        ready = [p for group in examples.examples().values() for p in group]
        prompt = gr.Textbox(ready[0] if ready else "", label="Prompt", lines=2, scale=5,
                            min_width=300, elem_id="t-prompt")  # fmt: skip
        buttons = build_buttons()
    with gr.Accordion(FOLDED, open=False, elem_id="t-settings"):
        controls = {"prompt": prompt, **asks.build_axes(), **asks.build_details()}
    take_words(*(controls[n] for n in ("prompt", "method", "values", "others", "seeds")))
    saved = gr.Dropdown(choices(), value=None, label="Look at a saved run", elem_id="t-saved")
    message = gr.HTML(elem_id="t-message")
    state: dict[str, Any] = {"token": gr.State(), "job": gr.State(""), "seen": gr.State("")}
    points = {"tradeoff": methods_panel.points(), "methods": methods_panel.methods()}
    figure = Figures(points, elem_id="transition")
    tab = Tab(controls, saved, figure, message, **buttons, **state,
              timer=gr.Timer(EVERY, active=False))  # fmt: skip
    with gr.Accordion("Which words did it?", open=False):
        fields = [controls[n] for n in ("prompt", "model", "seeds", "steps")]
        saliency_panel.build(fields, tab.outputs, lambda make: starter(live, make)())
    with gr.Accordion("Does a list of prompts look memorized?", open=False):
        detect_panel.build(controls["model"], controls["steps"])
    with gr.Accordion("All methods on the demo: copies, alignment and cost", open=False):
        gr.HTML(methods_panel.table(), elem_id="remedies")
    connect(tab, live)
    asks.connect(controls)
    connect_jobs(tab, page)
    connect_address(tab, page, door)
    return tab


def connect_address(tab: Tab, page: gr.Blocks, door: gr.Tab) -> None:
    """Open the sweep in the address, or the bundled one when the tab is first looked at."""
    opened, quick = gr.State(False), {"queue": False, **QUIET}

    def open_addressed(request: gr.Request) -> list[Any]:
        wanted = request.query_params.get("sweep")
        return [bool(wanted), *(open_saved(wanted) if wanted else [gr.skip()] * 7)]

    def open_first(done: bool, job: str) -> list[Any]:
        example = None if done or job else bundled_sweep()
        if example is None:
            return [True, gr.skip(), gr.skip()]
        return [True, views.view(example), messages.notice(EXAMPLE, alert=False)]

    page.load(open_addressed, None, [opened, tab.job, *tab.watched], **quick)
    door.select(open_first, [opened, tab.job], [opened, tab.figure, tab.message], **quick)


def bundled_sweep() -> store.Run | None:
    """A finished sweep that comes with memviz."""
    return next((run for run in store.bundled() if sweep.grid(run.record.cells)), None)


def build_buttons() -> dict[str, gr.Button]:
    """What can be started and ended."""
    with gr.Column(scale=2, min_width=300):
        with gr.Row():
            go = gr.Button("Sweep", variant="primary", min_width=120, elem_id="t-go")
            stop = gr.Button("Stop", interactive=False, min_width=120, elem_id="t-stop")
        with gr.Row():
            many = gr.Button("Many seeds", min_width=120, elem_id="t-many")
            later = gr.Button("In the background", min_width=120,
                              elem_id="t-later", visible=not access.public())  # fmt: skip
        resume = gr.Button("Resume the sweep", visible=False, elem_id="t-resume")
    return {"go": go, "many": many, "later": later, "stop": stop, "resume": resume}


def connect(tab: Tab, live: Live) -> None:
    """Bind what is made while one looks on."""
    for button, make in ((tab.go, sweep_ask), (tab.many, seeds_ask)):
        button.click(leave, None, [tab.job, tab.resume, tab.timer], queue=False, **QUIET)
        button.click(starter(live, make), tab.fields, tab.outputs, concurrency_limit=None, **QUIET)
    tab.figure.submit(rerunner(live), None, tab.outputs, concurrency_limit=None, **QUIET)

    def stop(token: str | None, job: str) -> gr.Button:
        if not live.stop(token):
            transition_background.stop(job)
        return gr.Button(interactive=False)

    tab.stop.click(stop, [tab.token, tab.job], tab.stop, queue=False, **QUIET)


def leave() -> list[Any]:
    """Look away from a sweep in the background; it goes on."""
    return ["", gr.Button(visible=False), gr.Timer(active=False)]


def connect_jobs(tab: Tab, page: gr.Blocks) -> None:
    """Bind saved runs and sweeps in the background; on a public page none can be begun."""
    quick = {"queue": False, **QUIET}
    tab.saved.focus(lambda: gr.Dropdown(choices()), None, tab.saved, **quick)
    tab.saved.input(open_saved, tab.saved, [tab.job, *tab.watched], **quick)
    if access.public():
        return
    tab.later.click(background, tab.fields, [tab.job, *tab.watched], **quick)
    tab.resume.click(transition_background.resume, tab.job, tab.watched, **quick)
    tab.timer.tick(transition_background.look, [tab.job, tab.seen], tab.watched, **quick)

    def attach() -> list[Any]:
        job = transition_background.under_way()
        return [job, *transition_background.look(job)]

    page.load(attach, None, [tab.job, *tab.watched], **quick)

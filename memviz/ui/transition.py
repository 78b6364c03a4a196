"""The Transition tab: sweep the transition, move it by hand, and see what depends on it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from memviz import past, runs, sweep
from memviz.ask import Ask
from memviz.methods import CORE, METHODS
from memviz.ui import compare, detect, form, player, remedies, saliency
from memviz.ui import transition_view as views
from memviz.ui.form import QUIET
from memviz.ui.live import Live
from memviz.ui.sweeper import background, rerunner, seeds_ask, shown, starter, sweep_ask

HERE = Path(__file__).parent
SCRIPTS = ("dom.js", "curves.js", "figure.js", "sweepmap.js", "whatif.js", "spread.js",
           "tradeoff.js", "transition.js")  # fmt: skip
AXES = [(label.capitalize(), key) for key, label in sweep.AXES.items()]
USUAL = {"at": "100:900:100", "early": "-2,0,1,2,4", "late": "2,4,6,8"}
NEWEST = 30  # runs to choose from


@dataclass(frozen=True)
class Tab:
    """The parts that handlers read and write."""

    prompt: gr.Textbox
    axis: gr.Dropdown
    values: gr.Textbox
    method: gr.Dropdown
    seeds: gr.Textbox
    steps: gr.Number
    model: gr.Dropdown
    keep: gr.Checkbox
    saved: gr.Dropdown
    figure: gr.HTML
    message: gr.HTML
    token: gr.State
    go: gr.Button
    many: gr.Button
    stop: gr.Button
    later: gr.Button

    @property
    def fields(self) -> list[gr.components.Component]:
        """What is asked, in the order of `asked`."""
        return [self.prompt, self.axis, self.values, self.method, self.seeds, self.steps,
                self.model, self.keep]  # fmt: skip

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What a run changes, in the order of `shown`."""
        return [self.figure, self.message, self.token, self.go, self.many, self.stop]


def choices() -> list[tuple[str, str]]:
    """The runs to look at: one's own, then the bundled ones."""
    found = [*runs.listed()[:NEWEST], *runs.bundled()]
    return [(f"{r.info['title']} ({len(r.info['cells'])} pictures)", r.info["id"]) for r in found]


def open_saved(run_id: str | None) -> list[Any]:
    """The chosen run."""
    try:
        return shown(views.view(runs.read(run_id or "")), compare.notice())
    except ValueError as error:
        return shown(message=compare.notice(str(error)))


def price(seeds: str, values: str, steps: float, keep: bool) -> gr.Checkbox:
    """What keeping the latents of the demo takes, said before it is paid."""
    try:
        cells = len(form.seeds(str(seeds))) * len(sweep.numbers(str(values)))
    except ValueError:
        return gr.skip()
    size = past.price((12, 8, 8), int(steps or 0), cells)
    return gr.Checkbox(keep, info=f"to go on from any step; {size / 2**20:.1f} MB with the demo")


def build(live: Live) -> Tab:
    """Lay out the tab and connect it."""
    ready = [p for group in compare.examples().values() for p in group]
    with gr.Row(equal_height=False):
        prompt = gr.Textbox(ready[0] if ready else "", label="Prompt", lines=2, scale=5,
                            min_width=300, elem_id="t-prompt")  # fmt: skip
        with gr.Column(scale=1, min_width=150):
            go = gr.Button("Sweep", variant="primary", elem_id="t-go")
            many = gr.Button("Many seeds", elem_id="t-many")
            later = gr.Button("Sweep in the background", elem_id="t-later",
                              visible=not os.environ.get("SPACE_ID"))  # fmt: skip
            stop = gr.Button("Stop", interactive=False, elem_id="t-stop")
    with gr.Row():
        axis = gr.Dropdown(AXES, value="at", label="Vary", min_width=160, elem_id="t-axis")
        values = gr.Textbox(USUAL["at"], label="Values", info="as 100:900:100 or 0,2",
                            min_width=160, elem_id="t-values")  # fmt: skip
        method = gr.Dropdown([(METHODS[k].label, k) for k in CORE], value="stp", label="Method",
                             info="sweep STP or OG; many seeds of any", min_width=160)  # fmt: skip
        seeds = gr.Textbox("0, 1", label="Seeds", info='like "0, 1" or "0-15"', min_width=140,
                           elem_id="t-seeds")  # fmt: skip
        steps = gr.Number(Ask.steps, label="Steps", info="of denoising", min_width=100,
                          elem_id="t-steps")  # fmt: skip
        model = form.menu("t-model", form.models(), Ask.model, "Model", "a name or a folder")
    with gr.Row():
        keep = gr.Checkbox(True, label="Keep the latents", info="to go on from any step",
                           elem_id="t-keep")  # fmt: skip
        saved = gr.Dropdown(choices(), value=None, label="Or look at a saved run",
                            elem_id="t-saved", scale=2)  # fmt: skip
    message = gr.HTML(elem_id="t-message")
    tab = Tab(prompt, axis, values, method, seeds, steps, model, keep, saved, component(),
              message, gr.State(), go, many, stop, later,)  # fmt: skip
    with gr.Accordion("Which words did it?", open=False):
        saliency.build([prompt, model, seeds, steps], tab.outputs,
                       lambda make: starter(live, make)())  # fmt: skip
    with gr.Accordion("Does a list of prompts look memorized?", open=False):
        detect.build(model, steps)
    with gr.Accordion("All methods on the demo: copies, alignment and cost", open=False):
        gr.HTML(remedies.table(), elem_id="remedies")
    connect(tab, live)
    return tab


def component() -> gr.HTML:
    """The empty figures; give them a `view` as their value."""
    gr.set_static_paths([player.PLOTLY])
    return gr.HTML(
        value={"tradeoff": remedies.points(), "methods": remedies.methods()},
        html_template='<div class="mv-root mvt-root"></div>',
        js_on_load="\n".join((HERE / name).read_text("utf-8") for name in SCRIPTS),
        apply_default_css=False,
        elem_id="transition",
        plotly_path=player.file_path(player.PLOTLY),
    )


def connect(tab: Tab, live: Live) -> None:
    """Bind the buttons."""
    for button, make in ((tab.go, sweep_ask), (tab.many, seeds_ask)):
        button.click(starter(live, make), tab.fields, tab.outputs, concurrency_id="gpu", **QUIET)
    tab.figure.submit(rerunner(live), None, tab.outputs, concurrency_id="gpu", **QUIET)
    tab.later.click(background, tab.fields, tab.message, **QUIET)
    tab.saved.focus(lambda: gr.Dropdown(choices()), None, tab.saved, queue=False, **QUIET)
    tab.saved.input(open_saved, tab.saved, tab.outputs, queue=False, **QUIET)
    usual = f"(axis) => ({json.dumps(USUAL)})[axis]"
    tab.axis.change(None, tab.axis, tab.values, js=usual, **QUIET)
    sized = [tab.seeds, tab.values, tab.steps, tab.keep]
    for field in sized[:3]:
        field.change(price, sized, tab.keep, queue=False, **QUIET)
    tab.stop.click(
        lambda token: gr.Button(interactive=not live.stop(token)),
        tab.token,
        tab.stop,
        queue=False,
        **QUIET,
    )

"""What the Transition tab asks for: what varies, how to denoise, and what is recorded."""

import json

import gradio as gr

from memviz import past, sweep
from memviz.ask import Ask
from memviz.instruments import COSTLY, SIGNALS
from memviz.instruments import price as prices
from memviz.methods import CORE, METHODS
from memviz.ui import form
from memviz.ui.form import QUIET

Controls = dict[str, gr.components.Component]
AXES = [(label.capitalize(), key) for key, label in sweep.AXES.items()]
USUAL = {"at": "100:900:100", "early": "-2,0,1,2,4", "late": "2,4,6,8"}
ACROSS = [("seeds only", ""), ("scale before, and seeds", "early"),
          ("scale after, and seeds", "late")]  # fmt: skip
PRICE = "what they cost is said here once one is chosen; free ones are always recorded"


def build_axes() -> Controls:
    """What varies: a parameter along the columns, seeds and perhaps another along the rows."""
    with gr.Row():
        axis = gr.Dropdown(AXES, value="at", label="Vary", info="along the columns", min_width=160,
                           elem_id="t-axis")  # fmt: skip
        values = gr.Textbox(USUAL["at"], label="Values", info="as 100:900:100 or 0,2",
                            min_width=160, elem_id="t-values")  # fmt: skip
        across = gr.Dropdown(ACROSS, value="", label="And", info="along the rows", min_width=160,
                             elem_id="t-across")  # fmt: skip
        others = gr.Textbox(USUAL["early"], label="Values of the rows", info="as -2:2:1",
                            visible=False, min_width=140, elem_id="t-others")  # fmt: skip
        seeds = gr.Textbox("0, 1", label="Seeds", info='like "0, 1" or "0-15"', min_width=140,
                           elem_id="t-seeds")  # fmt: skip
    return {"axis": axis, "values": values, "across": across, "others": others, "seeds": seeds}


def build_details() -> Controls:
    """Method, steps and model, and what is recorded beside the free signals."""
    with gr.Accordion("Method, steps, model and what is recorded", open=False):
        with gr.Row():
            method = gr.Dropdown([(METHODS[k].label, k) for k in CORE], value="stp", min_width=160,
                                 label="Method", info="sweep STP or OG; many seeds of any",
                                 elem_id="t-method")  # fmt: skip
            steps = gr.Number(Ask.steps, label="Steps", info="of denoising", min_width=100,
                              elem_id="t-steps")  # fmt: skip
            model = form.menu("t-model", form.models(), Ask.model, "Model", "a name or a folder")
        with gr.Row():
            keep = gr.Checkbox(True, label="Keep the latents", info="to go on from any step",
                               elem_id="t-keep")  # fmt: skip
            probe = gr.Checkbox(False, label="Probe", elem_id="t-probe",
                                info="plain guidance on each seed as well: its curve lies behind "
                                "every other, so that methods are compared on equal terms",
                                )  # fmt: skip
        costly = [(SIGNALS[key].label, key) for key in COSTLY]
        signals = gr.CheckboxGroup(
            costly, label="Signals by choice", info=PRICE, elem_id="t-signals"
        )
    return {"method": method, "steps": steps, "model": model, "keep": keep, "probe": probe,
            "signals": signals}  # fmt: skip


def connect(control: Controls) -> None:
    """What one control does to another."""
    quick = {"queue": False, **QUIET}
    usual = f"(axis) => ({json.dumps(USUAL)})[axis]"
    control["axis"].change(None, control["axis"], control["values"], js=usual, **QUIET)
    control["across"].change(
        lambda across: gr.Textbox(USUAL.get(across, ""), visible=bool(across)),
        control["across"], control["others"], **quick,
    )  # fmt: skip
    sized = [control[n] for n in ("seeds", "values", "across", "others", "steps")]
    gr.on([field.change for field in sized], price, sized, control["keep"], **quick)
    control["signals"].change(
        lambda keys: gr.CheckboxGroup(info=f"Costs {prices(tuple(keys))}." if keys else PRICE),
        control["signals"], control["signals"], **quick,
    )  # fmt: skip


def price(seeds: str, values: str, across: str, others: str, steps: float) -> gr.Checkbox:
    """What keeping the latents of the demo takes, said before it is paid."""
    try:
        rows = len(sweep.numbers(str(others))) if across else 1
        cells = len(form.seeds(str(seeds))) * len(sweep.numbers(str(values))) * rows
    except ValueError:
        return gr.skip()
    size = past.price((12, 8, 8), int(steps or 0), cells)
    return gr.Checkbox(info=f"to go on from any step; {size / 2**20:.1f} MB with the demo")

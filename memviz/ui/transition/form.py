"""What the Transition tab asks for: what varies, how to denoise, and what is recorded."""

from typing import Any

import gradio as gr

from memviz.comparison import sweep
from memviz.comparison.request import ComparisonRequest
from memviz.errors import MemvizError
from memviz.guidance.model_defaults import tuned
from memviz.guidance.registry import METHODS
from memviz.guidance.spec import MethodSpec
from memviz.runs import resume
from memviz.runs.record import RunRecord
from memviz.settings import Setting
from memviz.signals import COSTLY, SIGNALS
from memviz.signals import price as prices
from memviz.ui.shared import controls, glossary
from memviz.ui.shared.controls import QUIET

Controls = dict[str, Any]  # components: Gradio adds their events where it runs
CHOICES = [*((m.label, key) for key, m in METHODS.items()),
            ("Opposite guidance, dynamic (OG)", "og:transition=dynamic")]  # fmt: skip
USUAL = {  # by label: to others, values around their own are offered
    "transition timestep": "100:900:100",
    "fallback timestep": "100:500:100",
    "scale before": "-2,0,1,2,4",
    "scale after": "2,4,6,8",
    "scale": "1,2,4,6,8",
    "rise that counts": "0,0.5,1,2",
}
AS = "as 100:900:100 or 0,2"
PRICE = "what they cost is said here once one is chosen; free ones are always recorded"


def build_axes() -> Controls:
    """Whose parameters vary: one along the columns, seeds and perhaps another along the rows."""
    columns, rows = axes("stp", ComparisonRequest.model)
    gr.HTML(glossary.explain("transition", "timestep", "scale", "magnitude", "seed"))
    with gr.Row():
        method = gr.Dropdown(CHOICES, value="stp", label="Method", allow_custom_value=True,
                             info="of the list, or as stp:late=5", min_width=240,
                             elem_id="t-method")  # fmt: skip
        axis = gr.Dropdown(columns, value="at", label="Vary", info="along the columns",
                           min_width=200, elem_id="t-axis")  # fmt: skip
        values = gr.Textbox(USUAL["transition timestep"], label="Values", info=AS, min_width=180,
                            elem_id="t-values")  # fmt: skip
        across = gr.Dropdown(rows, value="", label="And", info="along the rows", min_width=180,
                             elem_id="t-across")  # fmt: skip
        others = gr.Textbox(label="Values of the rows", info=AS, visible=False, min_width=140,
                            elem_id="t-others")  # fmt: skip
        seeds = gr.Textbox("0, 1", label="Seeds", info='like "0, 1" or "0-15"', min_width=140,
                           elem_id="t-seeds")  # fmt: skip
    return {"method": method, "axis": axis, "values": values, "across": across, "others": others,
            "seeds": seeds}  # fmt: skip


def list_axes(method: str, model: str) -> dict[str, Setting]:
    """What can vary of a method as typed, at the values that suit the model; may be nothing."""
    try:
        tuned_specs = (str(MethodSpec(key, value)) for key, value in tuned(model).items())
        own = {key: rest for key, _, rest in (text.partition(":") for text in tuned_specs)}
        guidance = MethodSpec.parse(method, own).guidance
        return {each.name: each for each in sweep.list_axes(guidance)}
    except MemvizError:  # a name half typed
        return {}


def axes(method: str, model: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What can vary along the columns and along the rows: labels with names."""
    found = [(each.label, name) for name, each in list_axes(method, model).items()]
    rows = [("seeds only", ""), *((f"{label}, and seeds", name) for label, name in found)]
    return [(label.capitalize(), name) for label, name in found], rows


def offered(method: str, model: str, axis: str, across: str) -> list[Any]:  # menus, or no change
    """Both menus for another method or model; what was chosen stays if it is still there."""
    columns, rows = axes(method, model)
    if not columns:
        return [gr.skip(), gr.skip()]
    names = [name for _, name in columns]
    return [gr.Dropdown(columns, value=axis if axis in names else names[0]),
            gr.Dropdown(rows, value=across if across in names else "")]  # fmt: skip


def usual(name: str, method: str, model: str) -> gr.Textbox:
    """Values to begin with, around the parameter's own, and what it means."""
    axis = list_axes(method, model).get(name)
    if axis is None or axis.low is None or axis.high is None:
        return gr.Textbox(visible=bool(name))
    around = [min(max(float(axis.default) * by, axis.low), axis.high) for by in (0, 0.5, 1, 2)]
    values = USUAL.get(axis.label) or ",".join(f"{value:g}" for value in dict.fromkeys(around))
    return gr.Textbox(values, info=f"{axis.about}; {AS}", visible=True)


def build_details() -> Controls:
    """Steps and model, and what is recorded beside the free signals."""
    with gr.Row():
        steps = gr.Number(ComparisonRequest.steps, label="Steps", info="of denoising",
                          min_width=100, elem_id="t-steps")  # fmt: skip
        model = controls.menu(
            "t-model", controls.models(), ComparisonRequest.model, "Model", "a name or a folder"
        )
    with gr.Row():
        keep = gr.Checkbox(True, label="Keep the latents", info="to go on from any step",
                           elem_id="t-keep")  # fmt: skip
        probe = gr.Checkbox(False, label="Probe", elem_id="t-probe",
                            info="plain guidance on each seed as well: its curve lies behind "
                            "every other, so that methods are compared on equal terms",
                            )  # fmt: skip
    costly = [(SIGNALS[key].label, key) for key in COSTLY]
    signals = gr.CheckboxGroup(costly, label="Signals by choice", info=PRICE, elem_id="t-signals")
    return {"steps": steps, "model": model, "keep": keep, "probe": probe, "signals": signals}


def connect(control: Controls) -> None:
    """What one control does to another."""
    quick = {"queue": False, **QUIET}
    menus = [control[n] for n in ("method", "model", "axis", "across")]
    chosen = gr.on([field.input for field in menus[:2]], offered, menus, menus[2:], **quick)
    for name, values in (("axis", "values"), ("across", "others")):
        asked = [control[name], *menus[:2]]
        control[name].input(usual, asked, control[values], **quick)
        chosen.then(usual, asked, control[values], **quick)
    sized = [control[n] for n in ("seeds", "values", "across", "others", "steps")]
    gr.on([field.change for field in sized], price, sized, control["keep"], **quick)
    control["signals"].change(
        lambda keys: gr.CheckboxGroup(info=f"Costs {prices(tuple(keys))}." if keys else PRICE),
        control["signals"], control["signals"], **quick,
    )  # fmt: skip


def show_request(record: RunRecord) -> dict[str, Any]:
    """What the controls show for a saved sweep, by name; nothing for a run that is none."""
    made, request = sweep.grid(record.cells), record.request
    if made is None:
        return {}
    varied = [name for name in (made.axis, made.across) if name]
    cell = next(cell for row in made.cells for cell in row if cell)
    head, _, settings = cell.spec.partition(":")
    fixed = [part for part in settings.split(",") if part.partition("=")[0] not in varied]
    columns, rows = axes(cell.spec, request.model)
    others = dict.fromkeys(row.across for row in made.rows if row.across is not None)
    return {
        "prompt": request.prompts[0],
        "method": f"{head}:{','.join(fixed)}" if fixed else head,
        "axis": gr.Dropdown(columns, value=made.axis),
        "values": ",".join(f"{value:g}" for value in made.values),
        "across": gr.Dropdown(rows, value=made.across or ""),
        "others": gr.Textbox(",".join(f"{v:g}" for v in others), visible=bool(others)),
        "seeds": ", ".join(map(str, request.seeds)),
        "steps": request.steps,
        "model": request.model,
        "keep": request.keep,
        "probe": request.probe,
        "signals": list(request.signals),
    }


def price(seeds: str, values: str, across: str, others: str, steps: float) -> Any:  # noqa: ANN401 - a box, or no change
    """What keeping the latents of the demo takes, said before it is paid."""
    try:
        rows = len(sweep.parse_values(str(others))) if across else 1
        cells = len(controls.seeds(str(seeds))) * len(sweep.parse_values(str(values))) * rows
    except MemvizError:
        return gr.skip()
    size = resume.estimate_bytes((12, 8, 8), int(steps or 0), cells)
    return gr.Checkbox(info=f"to go on from any step; {size / 2**20:.1f} MB with the demo")

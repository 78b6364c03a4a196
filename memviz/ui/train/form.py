"""The form of a fine-tuning, made from the fields of its config: presets, controls, the command."""

import json
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import gradio as gr

from memviz.data import corpus
from memviz.settings import Setting
from memviz.training.cli_flags import SETTINGS
from memviz.training.config import MODES, PRESETS, Config
from memviz.ui.shared import controls as shared_controls
from memviz.ui.shared.controls import QUIET, make_control

START = "demo"  # the preset that the form opens with
OPEN = ("model", "corpus", "mode", "rounds", "shards", "local_steps")  # seen without unfolding
Controls = dict[str, gr.components.Component]


def config(values: Sequence[Any]) -> Config:
    """What the controls ask for, in the order of its fields. Raises InputError if it cannot be."""
    pairs = zip(SETTINGS.items(), values, strict=True)
    given: dict[str, Any] = {n: "" if v is None and s.kind is str else v for (n, s), v in pairs}
    return Config(**given)


def build() -> Controls:
    """Presets, the few settings that everyone looks at, and all others by group, folded."""
    controls: Controls = {}
    with gr.Row(elem_id="train-presets"):
        choose = [gr.Button(p.label, size="sm", min_width=160) for p in PRESETS.values()]
    about = gr.HTML(note(START), elem_id="train-about")
    for part in (OPEN[:3], OPEN[3:]):
        with gr.Row():
            controls |= {name: control(SETTINGS[name]) for name in part}
    rest = [each for each in SETTINGS.values() if each.name not in OPEN]
    for group, settings in groupby(rest, key=lambda each: each.group):
        with gr.Accordion(f"{group}: {named(group)}", open=False), gr.Row():
            controls |= {each.name: control(each) for each in settings}
    ordered = {name: controls[name] for name in SETTINGS}
    for button, key in zip(choose, PRESETS, strict=True):
        fill(button, key, about, ordered)
    return ordered


def named(group: str) -> str:
    """What a folded group holds, in a few words."""
    return {
        "Data": "sizes, crops, weights, captions",
        "Method": "loss gate, copies, comparisons",
        "Optimizer": "rate, batch, seed, precision, LoRA",
        "Studies": "duplication and augmentation",
    }.get(group, "checkpoints, probe prompts")


def note(key: str) -> str:
    """What a preset is for."""
    return f"<p>{PRESETS[key].about}</p>"


def fill(button: gr.Button, key: str, about: gr.HTML, controls: Controls) -> None:
    """A click on a preset puts its values into the form, in the browser."""
    values = json.dumps([note(key), *PRESETS[key].config().to_json().values()])
    button.click(None, None, [about, *controls.values()], js=f"() => {values}", **QUIET)


def control(of: Setting) -> gr.components.Component:
    """The control for one setting."""
    value, names = getattr(PRESETS[START].config(), of.name), menus().get(of.name)
    label = of.label[:1].upper() + of.label[1:]
    return make_control(of, value, label, names and names(), min_width=200)


def menus() -> dict[str, Callable[[], list]]:
    """Settings whose values are names that this machine knows."""
    return {
        "model": shared_controls.models,
        "corpus": lambda: [*corpus.known()],
        "descriptor": shared_controls.descriptors,
        "mode": lambda: [(f"{key} ({about})", key) for key, about in MODES.items()],
    }

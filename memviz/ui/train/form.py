"""The form of a fine-tuning, made from the fields of its config: presets, controls, the command."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, fields
from itertools import groupby
from typing import Any

import gradio as gr

from memviz.data import corpus
from memviz.errors import InputError
from memviz.training.config import MODES, PRESETS, Config
from memviz.ui.shared import controls as shared_controls
from memviz.ui.shared.controls import QUIET

SETTINGS = {setting.name: setting for setting in fields(Config)}
START = "demo"  # the preset that the form opens with
OPEN = ("model", "corpus", "mode", "rounds", "shards", "local_steps")  # seen without unfolding
Controls = dict[str, gr.components.Component]


def config(values: Sequence[Any]) -> Config:
    """What the controls ask for, in the order of its fields. Raises ValueError if it cannot be."""
    pairs = zip(SETTINGS.items(), values, strict=True)
    return Config(**{name: typed(setting, value) for (name, setting), value in pairs})


def typed(setting: Field, value: object) -> object:
    """A control's value in the type of its setting: number boxes give floats, empty ones None."""
    if value is None and setting.type is str:
        return ""
    if value is None:
        raise InputError(f"{label(setting.name)} is empty; give a number.")
    if setting.type is int and isinstance(value, float) and value.is_integer():
        return int(value)
    return float(value) if setting.type is float and isinstance(value, int) else value


def build() -> Controls:
    """Presets, the few settings that everyone looks at, and all others by group, folded."""
    controls: Controls = {}
    with gr.Row(elem_id="train-presets"):
        choose = [gr.Button(p.label, size="sm", min_width=160) for p in PRESETS.values()]
    about = gr.HTML(note(START), elem_id="train-about")
    for part in (OPEN[:3], OPEN[3:]):
        with gr.Row():
            controls |= {name: control(SETTINGS[name]) for name in part}
    rest = [setting for setting in SETTINGS.values() if setting.name not in OPEN]
    for group, settings in groupby(rest, key=lambda setting: setting.metadata["group"]):
        with gr.Accordion(f"{group}: {named(group)}", open=False), gr.Row():
            controls |= {setting.name: control(setting) for setting in settings}
    ordered = {name: controls[name] for name in SETTINGS}
    for button, key in zip(choose, PRESETS, strict=True):
        fill(button, key, about, ordered)
    return ordered


def named(group: str) -> str:
    """What a folded group holds, in a few words."""
    return {
        "Data": "sizes, crops, weights, captions",
        "Method": "loss gate, copies, comparisons",
        "Optimiser": "rate, batch, seed, precision, LoRA",
        "Studies": "duplication and augmentation",
    }.get(group, "checkpoints, probe prompts")


def note(key: str) -> str:
    """What a preset is for."""
    return f"<p>{PRESETS[key].about}</p>"


def fill(button: gr.Button, key: str, about: gr.HTML, controls: Controls) -> None:
    """A click on a preset puts its values into the form, in the browser."""
    values = json.dumps([note(key), *PRESETS[key].config().to_json().values()])
    button.click(None, None, [about, *controls.values()], js=f"() => {values}", **QUIET)


def control(setting: Field) -> gr.components.Component:
    """The control for one setting."""
    facts, value = setting.metadata, getattr(PRESETS[START].config(), setting.name)
    said: dict[str, Any] = {"label": label(setting.name), "info": info(facts), "min_width": 200}
    if (choices := menus().get(setting.name)) is not None:
        return gr.Dropdown(choices(), value=value, allow_custom_value=True, **said)
    if facts["choices"]:
        return gr.Dropdown(options(setting), value=value, **said)
    if setting.type is bool:
        return gr.Checkbox(value, **said)
    if setting.type is str:
        return gr.Textbox(value, **said)
    return gr.Number(value, precision=0 if setting.type is int else None, **said)


def menus() -> dict[str, Callable[[], list]]:
    """Settings whose values are names that this machine knows."""
    return {
        "model": shared_controls.models,
        "corpus": lambda: [*corpus.known()],
        "descriptor": shared_controls.descriptors,
    }


def options(setting: Field) -> list[Any]:
    """The choices of a setting, modes with what they mean."""
    if setting.name == "mode":
        return [(f"{key} ({about})", key) for key, about in MODES.items()]
    return [*setting.metadata["choices"]]


def label(name: str) -> str:
    """A setting's name as a person reads it."""
    return name.replace("_", " ").capitalize().replace("Lr", "Learning rate").replace("Ema", "EMA")


def info(facts: Mapping[str, Any]) -> str:
    """Its help with its limits."""
    if facts["low"] is None:
        return facts["about"]
    return f"{facts['about']}; {facts['low']:,} to {facts['high']:,}"

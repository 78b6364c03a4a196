"""What a visitor asks for: controls made from the methods' own fields, and what they say."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from memviz.comparison.request import ComparisonRequest
from memviz.data import corpus as data_corpus
from memviz.errors import MemvizError
from memviz.guidance.base import Guidance
from memviz.guidance.model_defaults import tuned
from memviz.guidance.registry import CORE, METHODS
from memviz.guidance.spec import Knob, knobs, parse
from memviz.models.schedulers import SCHEDULERS
from memviz.runs.record import RequestRecord
from memviz.ui.shared.controls import NO_CORPUS, QUIET, descriptors, menu, models, plain, seeds

DEFAULTS: dict[str, Any] = {
    "seeds": [0, 1],
    "steps": ComparisonRequest.steps,
    "scheduler": ComparisonRequest.scheduler,
}


@dataclass(frozen=True)
class Form:
    """The controls of the Compare tab; `fields` is their order in every handler."""

    prompt: gr.Textbox
    methods: gr.CheckboxGroup
    seeds: gr.Textbox
    steps: gr.Number
    scheduler: gr.Dropdown
    model: gr.Dropdown
    corpus: gr.Dropdown
    descriptor: gr.Dropdown
    knobs: dict[tuple[str, str], gr.components.Component]

    @property
    def fields(self) -> list[gr.components.Component]:
        """All controls, the knobs of the methods last."""
        asked = [self.prompt, self.methods, self.seeds, self.steps, self.scheduler]
        return [*asked, self.model, self.corpus, self.descriptor, *self.knobs.values()]

    def connect(self) -> None:
        """Another model brings its own parameters."""
        knob_fields = [*self.knobs.values()]
        show = partial(knob_values, self)
        self.model.change(show, self.model, knob_fields, queue=False, **QUIET)


def spec(key: str, values: Mapping[str, Any]) -> str:
    """A method and its parameters in the notation of the command line."""
    given = {name: plain(value) for name, value in values.items() if value not in (None, "")}
    return f"{key}:{','.join(f'{n}={v}' for n, v in given.items())}" if given else key


def read(form: Form, values: Sequence[Any]) -> dict[str, Any]:
    """The controls' values as a question in the words of run.json."""
    prompt, methods, seed_text, steps, scheduler, model, corpus, descriptor, *rest = values
    chosen: dict[str, dict[str, Any]] = {key: {} for key in methods or []}
    for (key, name), value in zip(form.knobs, rest, strict=True):
        if key in chosen:
            chosen[key][name] = value
    return {
        "prompts": [prompt or ""],
        "methods": [spec(key, given) for key, given in chosen.items()],
        "seeds": seeds(str(seed_text or "")),
        "steps": plain(steps),
        "scheduler": scheduler,
        "model": model or "",
        "corpus": "" if corpus == NO_CORPUS else corpus or "",
        "descriptor": descriptor,
    }


def values(form: Form, asked: RequestRecord) -> list[Any]:
    """The reverse of `read`: what each control shows for the question of a saved run."""
    used = dict(map(parse, asked.methods))
    fixed = [
        asked.prompts[0],
        list(used),
        ", ".join(map(str, asked.seeds)),
        asked.steps,
        asked.scheduler,
        asked.model,
        asked.corpus or NO_CORPUS,
        asked.descriptor,
    ]
    return [*fixed, *(knob_value(key, name, used) for key, name in form.knobs)]


def knob_value(key: str, name: str, used: Mapping[str, Guidance]) -> float | str:
    """The value of one knob in the guidance used, or in the method's own when it was not."""
    found = knobs(used.get(key, METHODS[key].guidance))
    return next(knob.default for knob in found if knob.name == name)


def knob_values(form: Form, model: str) -> list[Any]:
    """What the knobs show for a model; nothing changes for one that is not known."""
    try:
        used = tuned(model)
    except MemvizError:
        return [gr.skip() for _ in form.knobs]
    return [knob_value(key, name, used) for key, name in form.knobs]


def knob_field(knob: Knob) -> gr.components.Component:
    """The control for one field of a guidance value."""
    label, about = knob.name, knob.about
    if knob.choices:
        return gr.Dropdown(list(knob.choices), value=knob.default, label=label, info=about)
    limits = f"{about}; {knob.low:g} to {knob.high:g}"
    return gr.Number(value=knob.default, label=label, info=limits)


def method_fields() -> Iterator[tuple[tuple[str, str], gr.components.Component]]:
    """The controls of every method in the METHODS table, each method in a column of its own."""
    for key, guidance in tuned(ComparisonRequest.model).items():
        method = METHODS[key]
        with gr.Column(min_width=240):
            gr.Markdown(f"**{method.label}**")
            gr.Markdown(method.about, elem_classes="mv-about")
            fields = {(key, knob.name): knob_field(knob) for knob in knobs(guidance)}
            preset_buttons({"defaults": guidance, **method.presets}, [*fields.values()])
            yield from fields.items()


def preset_buttons(presets: Mapping[str, Guidance], fields: list[gr.components.Component]) -> None:
    """A button per named setting of a method; it fills the method's controls in the browser."""
    with gr.Row():
        for name, guidance in presets.items():
            values = json.dumps([knob.default for knob in knobs(guidance)])
            button = gr.Button(f"Use {name}", size="sm", min_width=90)
            button.click(None, None, fields, js=f"() => {values}", **QUIET)


def build_methods() -> gr.CheckboxGroup:
    """Which methods to compare: one row."""
    choices = [(m.label, key) for key, m in METHODS.items()]
    return gr.CheckboxGroup(choices, value=[*CORE], label="Methods", elem_id="methods")


def build_details() -> dict[str, Any]:
    """Seeds, steps, model and every method's parameters, folded away."""
    with gr.Accordion("Seeds, steps, model and the methods' parameters", open=False):
        with gr.Row():
            fixed = step_fields()
        with gr.Row():
            fixed |= model_fields()
        with gr.Row():
            fields = dict(method_fields())
    return {**fixed, "knobs": fields}


def step_fields() -> dict[str, gr.components.Component]:
    """Seeds, steps and scheduler."""
    text = ", ".join(map(str, DEFAULTS["seeds"]))
    about = 'a row of pictures each, like "0, 1" or "0-3"'
    return {
        "seeds": gr.Textbox(text, label="Seeds", info=about, min_width=200, elem_id="seeds"),
        "steps": gr.Number(
            DEFAULTS["steps"], label="Steps", info="of denoising", min_width=200, elem_id="steps"
        ),
        "scheduler": gr.Dropdown(
            [(label, key) for key, label in SCHEDULERS.items()],
            value=DEFAULTS["scheduler"],
            label="Scheduler",
            info="the rule by which a step removes noise",
            min_width=200,
        ),
    }


def model_fields() -> dict[str, gr.components.Component]:
    """The model, the images it was trained on, and what compares pictures with them."""
    about = "a name from the list, a folder, or a hub id"
    looks = descriptors()
    corpora = [*data_corpus.known(), ("none: make pictures without searching", NO_CORPUS)]
    return {
        "model": menu("model", models(), ComparisonRequest.model, "Model", about),
        "corpus": menu(
            "corpus", corpora, ComparisonRequest.corpus, "Training images", "a name, or a folder"
        ),
        "descriptor": menu(
            "descriptor", looks, ComparisonRequest.descriptor, "Descriptor", "compares pictures"
        ),
    }

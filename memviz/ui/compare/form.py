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
from memviz.guidance.spec import MethodSpec
from memviz.models.schedulers import SCHEDULERS
from memviz.runs.record import RequestRecord
from memviz.settings import Value
from memviz.signals import SEEN
from memviz.ui.shared.controls import (
    NO_CORPUS,
    QUIET,
    descriptors,
    make_control,
    menu,
    models,
    plain,
    seeds,
)

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
    specs = [MethodSpec.read(text) for text in asked.methods]
    used = {spec.key: spec.guidance for spec in specs
            if spec.key in METHODS and METHODS[spec.key].takes(spec.guidance)}  # fmt: skip
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
    return [*fixed, *show_settings(form, used)]


def show_settings(form: Form, used: Mapping[str, Guidance]) -> list[Value]:
    """What each setting's control shows: its value in the guidance used, else its default."""
    shown = {key: read_settings(key, used.get(key)) for key in {key for key, _ in form.knobs}}
    return [shown[key][name] for key, name in form.knobs]


def read_settings(key: str, guidance: Guidance | None = None) -> dict[str, Value]:
    """All settings of a method by name, as a value of it has them where one is given."""
    usual = {each.name: each.default for each in METHODS[key].settings}
    return usual | (METHODS[key].read(guidance) if guidance else {})


def knob_values(form: Form, model: str) -> list[Any]:
    """What the settings show for a model; nothing changes for one that is not known."""
    try:
        return show_settings(form, tuned(model))
    except MemvizError:
        return [gr.skip() for _ in form.knobs]


def method_fields() -> Iterator[tuple[tuple[str, str], gr.components.Component]]:
    """The controls of every method in the METHODS table, each method in a column of its own."""
    for key, guidance in tuned(ComparisonRequest.model).items():
        method, shown = METHODS[key], read_settings(key, guidance)
        with gr.Column(min_width=240):
            gr.Markdown(f"**{method.label}**")
            gr.Markdown(method.about, elem_classes="mv-about")
            fields = {
                (key, each.name): make_control(
                    each, shown[each.name], each.name, SEEN if each.name == "signal" else None
                )
                for each in method.settings
            }
            presets = {"defaults": guidance, **method.presets}
            preset_buttons(key, presets, [*fields.values()])
            yield from fields.items()


def preset_buttons(
    key: str, presets: Mapping[str, Guidance], fields: list[gr.components.Component]
) -> None:
    """A button per named value of a method; it fills the method's controls in the browser."""
    with gr.Row():
        for name, guidance in presets.items():
            values = json.dumps([*read_settings(key, guidance).values()])
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

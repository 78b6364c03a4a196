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
from memviz.guidance.registry import CHANGES, CORE, METHODS
from memviz.guidance.spec import MethodSpec
from memviz.models.loading import DTYPES
from memviz.models.schedulers import SCHEDULERS, SPACINGS
from memviz.runs.record import RequestRecord
from memviz.settings import Setting, Value
from memviz.signals import SEEN
from memviz.ui.shared import access, glossary
from memviz.ui.shared.controls import (
    NO_CORPUS,
    QUIET,
    clips,
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
    "spacing": ComparisonRequest.spacing,
    "size": ComparisonRequest.size,
    "dtype": ComparisonRequest.dtype,
    "decoder": ComparisonRequest.decoder,
    "look_every": ComparisonRequest.look_every,
}


DECODERS = {"": "what costs little", "own": "the model's own", "linear": "linear map, blurs"}
USUAL = 4  # settings of a method that are seen at once; each class has its usual ones first


@dataclass(frozen=True)
class Form:
    """The controls of the Compare tab; `fields` is their order in every handler."""

    prompt: gr.Textbox
    methods: gr.CheckboxGroup
    remedies: dict[str, gr.CheckboxGroup]  # by what they change
    seeds: gr.Textbox
    steps: gr.Number
    scheduler: gr.Dropdown
    spacing: gr.Dropdown
    size: gr.Number
    dtype: gr.Dropdown
    decoder: gr.Dropdown
    look_every: gr.Number
    model: gr.Dropdown
    corpus: gr.Dropdown
    descriptor: gr.Dropdown
    clip: gr.Dropdown
    knobs: dict[tuple[str, str], gr.components.Component]
    panels: dict[str, gr.Column]  # the settings of each method

    @property
    def fields(self) -> list[gr.components.Component]:
        """All controls, the knobs of the methods last."""
        asked = [self.prompt, *self.choices, self.seeds, self.steps, self.scheduler]
        asked += [self.spacing, self.size, self.dtype, self.decoder, self.look_every]
        judges = self.descriptor, self.clip
        return [*asked, self.model, self.corpus, *judges, *self.knobs.values()]

    @property
    def choices(self) -> list[gr.CheckboxGroup]:
        """Where methods are chosen."""
        return [self.methods, *self.remedies.values()]

    def connect(self) -> None:
        """A method brings its settings, another model their values."""
        panels = [*self.panels.values()]
        changed = [group.change for group in self.choices]
        gr.on(changed, self.show_panels, self.choices, panels, queue=False, **QUIET)
        knob_fields = [*self.knobs.values()]
        show = partial(knob_values, self)
        self.model.change(show, self.model, knob_fields, queue=False, **QUIET)

    def show_panels(self, *groups: list[str] | None) -> list[gr.Column]:
        """The settings of the methods that are chosen."""
        chosen = {key for group in groups for key in group or []}
        return [gr.Column(visible=key in chosen) for key in self.panels]


def spec(key: str, values: Mapping[str, Any]) -> str:
    """A method and its parameters in the notation of the command line."""
    given = {name: plain(value) for name, value in values.items() if value not in (None, "")}
    return f"{key}:{','.join(f'{n}={v}' for n, v in given.items())}" if given else key


def read(form: Form, values: Sequence[Any]) -> dict[str, Any]:
    """The controls' values as a question in the words of run.json."""
    prompt, *others = values
    groups, others = others[: len(form.choices)], others[len(form.choices) :]
    seed_text, steps, scheduler, spacing, size, dtype, decoder, every, *others = others
    model, corpus, descriptor, clip, *rest = others
    chosen: dict[str, dict[str, Any]] = {key: {} for group in groups for key in group or []}
    for (key, name), value in zip(form.knobs, rest, strict=True):
        if key in chosen:
            chosen[key][name] = value
    return {
        "prompts": split_prompts(prompt or ""),
        "methods": [spec(key, given) for key, given in chosen.items()],
        "seeds": seeds(str(seed_text or "")),
        "steps": plain(steps),
        "scheduler": scheduler,
        "spacing": spacing or "",
        "size": plain(size) or None,
        "dtype": dtype or "",
        "decoder": decoder or "",
        "look_every": plain(every) or 0,
        "model": model or "",
        "corpus": "" if corpus == NO_CORPUS else corpus or "",
        "descriptor": descriptor,
        "clip": clip or "",
    }


def split_prompts(text: str) -> list[str]:
    """The prompts of the box, one a line; an empty one, which is refused, where there is none."""
    lines = [line.strip() for line in text.splitlines()]
    return list(dict.fromkeys(filter(None, lines))) or [""]


def values(form: Form, asked: RequestRecord) -> list[Any]:
    """The reverse of `read`: what each control shows for the question of a saved run."""
    specs = [MethodSpec.read(text) for text in asked.methods]
    used = {spec.key: spec.guidance for spec in specs
            if spec.key in METHODS and METHODS[spec.key].takes(spec.guidance)}  # fmt: skip
    fixed = [
        "\n".join(asked.prompts),
        *([key for key in used if key in keys] for keys in group_methods().values()),
        ", ".join(map(str, asked.seeds)),
        asked.steps,
        asked.scheduler,
        asked.spacing,
        asked.size,
        asked.dtype,
        asked.decoder,
        asked.look_every,
        asked.model,
        asked.corpus or NO_CORPUS,
        asked.descriptor,
        asked.clip,
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


def group_methods() -> dict[str, list[str]]:
    """The keys of all methods: the core ones, then the others by what they change."""
    found = {"": [*CORE]}
    for kind in CHANGES:
        keys = [k for k, m in METHODS.items() if m.changes == kind and k not in CORE]
        found |= {kind: keys} if keys else {}
    return found


def method_fields(
    panels: dict[str, gr.Column],
) -> Iterator[tuple[tuple[str, str], gr.components.Component]]:
    """The controls of every method in the METHODS table, each method in a panel of its own."""
    for key, guidance in tuned(ComparisonRequest.model).items():
        method, shown = METHODS[key], read_settings(key, guidance)
        with gr.Column(min_width=240, visible=key in CORE) as panels[key]:
            gr.Markdown(f"**{method.label}**")
            gr.Markdown(method.about, elem_classes="mv-about")
            fields = make_knobs(key, method.settings[:USUAL], shown)
            if rarer := method.settings[USUAL:]:
                with gr.Accordion("Rarely changed", open=False):
                    fields |= make_knobs(key, rarer, shown)
            presets = {"defaults": guidance, **method.presets}
            preset_buttons(key, presets, [*fields.values()])
            yield from fields.items()


def make_knobs(
    key: str, settings: Sequence[Setting], shown: Mapping[str, Value]
) -> dict[tuple[str, str], gr.components.Component]:
    """A control for each of these settings of a method."""
    return {
        (key, each.name): make_control(
            each, shown[each.name], each.name, SEEN if each.name == "signal" else None
        )
        for each in settings
    }


def preset_buttons(
    key: str, presets: Mapping[str, Guidance], fields: list[gr.components.Component]
) -> None:
    """A button per named value of a method; it fills the method's controls in the browser."""
    with gr.Row():
        for name, guidance in presets.items():
            values = json.dumps([*read_settings(key, guidance).values()])
            button = gr.Button(f"Use {name}", size="sm", min_width=90)
            button.click(None, None, fields, js=f"() => {values}", **QUIET)


def build_methods() -> dict[str, Any]:
    """Which methods to compare: the core ones, and the others folded by what they change."""
    core, *others = group_methods().items()
    methods = gr.CheckboxGroup(
        list_choices(core[1]), value=core[1], label="Methods", elem_id="methods"
    )
    more = gr.Accordion("More remedies, by what they change", open=False, elem_id="more-remedies")
    with more, gr.Row():
        remedies = {
            kind: gr.CheckboxGroup(
                list_choices(keys), label=f"Changes {CHANGES[kind]}", min_width=240
            )
            for kind, keys in others
        }
    return {"methods": methods, "remedies": remedies}


def list_choices(keys: Sequence[str]) -> list[tuple[str, str]]:
    """Methods as choices."""
    return [(METHODS[key].label, key) for key in keys]


def build_details() -> dict[str, Any]:
    """Seeds, steps, model and the chosen methods' parameters."""
    panels: dict[str, gr.Column] = {}
    with gr.Row():
        fixed = step_fields()
    with gr.Row():
        fixed |= model_fields()
    path = "Size, timesteps, number format and previews"
    with gr.Accordion(path, open=False, elem_id="path", visible=not access.public()), gr.Row():
        fixed |= path_fields()
    with gr.Accordion("Parameters of the chosen methods", open=False, elem_id="parameters"):
        gr.HTML(glossary.explain("scale", "shape", "timestep", "transition"))
        with gr.Row():
            fields = dict(method_fields(panels))
    gr.HTML(glossary.explain("seed", "descriptor"))
    return {**fixed, "knobs": fields, "panels": panels}


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


def path_fields() -> dict[str, gr.components.Component]:
    """How a picture is denoised, where it is not the model's usual way."""
    formats = [(name or "float16 on a GPU, float32 on a CPU", name) for name in DTYPES]
    return {
        "size": gr.Number(
            DEFAULTS["size"],
            label="Size",
            info="of the pictures, in pixels a side; empty: the model's own",
            min_width=200,
            elem_id="size",
        ),
        "spacing": gr.Dropdown(
            [(label, key) for key, label in SPACINGS.items()],
            value=DEFAULTS["spacing"],
            label="Timesteps",
            info="which of the model's are taken",
            min_width=200,
            elem_id="spacing",
        ),
        "dtype": gr.Dropdown(
            formats,
            value=DEFAULTS["dtype"],
            label="Number format",
            info="that the model computes in",
            min_width=200,
            elem_id="dtype",
        ),
        "decoder": menu(
            "decoder",
            [(label, key) for key, label in DECODERS.items()],
            DEFAULTS["decoder"],
            "Decoder of the steps",
            "of their x0 estimates: of the list, a folder, or a hub id",
        ),
        "look_every": gr.Number(
            DEFAULTS["look_every"],
            label="Own decoder every",
            info="so many steps the model's own decodes them all the same; 0: never",
            min_width=200,
            elem_id="look-every",
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
        "clip": menu(
            "clip", clips(), ComparisonRequest.clip, "CLIP", "tells how a picture fits its prompt"
        ),
    }

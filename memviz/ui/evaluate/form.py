"""The form of an evaluation: what of a protocol shall be another, and the command that it makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from memviz.data import corpus, prompts
from memviz.evaluation.protocols import list_protocols, load_protocol
from memviz.guidance.registry import METHODS
from memviz.guidance.spec import split_methods
from memviz.ui.shared import controls
from memviz.ui.shared.controls import QUIET

START = "standard"
AS_STATED = "empty: as the protocol says"
SEVERAL = "tradeoff"  # the protocol that lists several settings of each method
FILES = [".txt", ".csv", ".jsonl", ".json", ".parquet"]
LIMIT = 8  # prompts that the form opens with


@dataclass(frozen=True)
class Choice:
    """What the form says, in the order of its fields."""

    protocol: str
    models: Sequence[str]
    corpus: str
    prompts: str
    upload: Path | None
    limit: int | None
    seeds: str
    steps: int | None
    methods: Sequence[str]
    skip_missing: bool


@dataclass(frozen=True)
class Form:
    """The controls; `fields` is their order in every handler."""

    protocol: gr.Dropdown
    models: gr.Dropdown
    corpus: gr.Dropdown
    prompts: gr.Dropdown
    upload: gr.File
    limit: gr.Number
    seeds: gr.Textbox
    steps: gr.Number
    keys: gr.CheckboxGroup
    specs: gr.Textbox
    several: gr.Checkbox
    skip: gr.Checkbox

    @property
    def fields(self) -> list[gr.components.Component]:
        """All of them."""
        return [*vars(self).values()]


def build_form() -> Form:
    """Lay it out; another protocol brings its own methods."""
    keys, specs = split_stated(START)
    with gr.Row():
        protocol = gr.Dropdown(
            list_protocols(), value=START, label="Protocol", info="a paper's way of measuring",
            min_width=200, elem_id="e-protocol",
        )  # fmt: skip
        models = gr.Dropdown(
            controls.models(), value=[], multiselect=True, allow_custom_value=True,
            label="Models", info=f"an evaluation each; {AS_STATED}", min_width=240,
            elem_id="e-models",
        )  # fmt: skip
        pictures = controls.menu(
            "e-corpus", [("as the protocol says", ""), *((name, name) for name in corpus.known())],
            "", "Training images", "a name, or a folder",
        )  # fmt: skip
    with gr.Row():
        source = controls.menu(
            "e-prompts", prompt_choices(), "", "Prompts", "a group, captions, or a file's path"
        )
        upload = gr.File(
            label="or a file of prompts", file_types=FILES,
            height=120, min_width=240, elem_id="e-upload",
        )  # fmt: skip
        small: dict[str, Any] = {"min_width": 120, "precision": 0}
        limit = gr.Number(
            LIMIT, label="Prompts at most", info=AS_STATED, elem_id="e-limit", **small
        )
        seeds = gr.Textbox(label="Seeds", info="as 0-3", min_width=120, elem_id="e-seeds")
        steps = gr.Number(None, label="Steps", info="of denoising", elem_id="e-steps", **small)
    named = [(method.label, key) for key, method in METHODS.items()]
    chosen = gr.CheckboxGroup(named, value=keys, label="Methods", elem_id="e-methods")
    with gr.Row():
        typed = gr.Textbox(
            specs, label="Further methods, with their settings", info="as stp:at=400,rta:repeats=2",
            scale=3, min_width=240, elem_id="e-specs",
        )  # fmt: skip
        several = gr.Checkbox(
            label="Five settings of each method", info="the demo's, for trade-off curves",
            min_width=200, elem_id="e-several",
        )  # fmt: skip
        skip = gr.Checkbox(
            label="Leave out what needs a download", min_width=200, elem_id="e-skip"
        )  # fmt: skip
    protocol.input(lambda name: list(split_stated(name)), protocol, [chosen, typed], queue=False,
                   **QUIET)  # fmt: skip
    return Form(
        protocol,
        models,
        pictures,
        source,
        upload,
        limit,
        seeds,
        steps,
        chosen,
        typed,
        several,
        skip,
    )


def prompt_choices() -> list[tuple[str, str]]:
    """Groups of the demo's prompts and corpora with captions."""
    groups = [(f"the demo's prompts: {name}", f"demo:{name}") for name in prompts.demo()]
    captions = [(f"captions of {name}", name) for name in corpus.known()]
    return [("as the protocol says", ""), *groups, *captions]


def split_stated(protocol: str) -> tuple[list[str], str]:
    """A protocol's methods: the keys at their usual settings, and the spelling of the others."""
    stated = load_protocol(protocol).methods
    plain = [text for text in stated if text in METHODS]
    return plain, ",".join(text for text in stated if text not in plain)


def read_form(values: Sequence[object]) -> Choice:
    """What the controls say. Raises InputError where the protocol cannot be read."""
    protocol, models, pictures, source, upload, limit, seeds, steps, *rest = values
    keys, specs, several, skip = rest
    chosen = [str(key) for key in keys] if isinstance(keys, list) else []
    if several:
        curves = load_protocol(SEVERAL).methods
        chosen = [text for text in curves if text.partition(":")[0] in chosen] or chosen
    return Choice(
        str(protocol),
        [str(model) for model in models] if isinstance(models, list) else [],
        str(pictures or ""),
        str(source or ""),
        Path(str(upload)) if upload else None,
        int(limit) if isinstance(limit, int | float) and limit else None,
        str(seeds or "").replace(" ", ""),
        int(steps) if isinstance(steps, int | float) and steps else None,
        [*chosen, *split_methods(str(specs or ""))],
        bool(skip),
    )


def spell_choice(choice: Choice, model: str = "") -> list[str]:
    """The words of `memviz evaluate` for one of its models; an upload is named elsewhere."""
    given = {
        "--model": model,
        "--corpus": choice.corpus,
        "--prompts": "" if choice.upload else choice.prompts,
        "--limit": choice.limit,
        "--seeds": choice.seeds,
        "--steps": choice.steps,
        "--methods": ",".join(choice.methods),
    }
    pairs = [[flag, str(value)] for flag, value in given.items() if value not in ("", None)]
    skip = ["--skip-missing"] if choice.skip_missing else []
    return ["--protocol", choice.protocol, *(word for pair in pairs for word in pair), *skip]

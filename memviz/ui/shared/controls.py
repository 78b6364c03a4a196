"""Controls that several tabs share, and the reading of what is typed into them."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from memviz.models.loading import bundled, is_path, registered
from memviz.number_lists import parse_ints
from memviz.retrieval.clip_choice import AUTO, DEMO, NONE
from memviz.retrieval.clip_choice import CHOICES as CLIPS
from memviz.retrieval.descriptors.choice import CHOICES, FORCED
from memviz.settings import Setting, Value
from memviz.ui.shared import access

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


NO_CORPUS = "none"


def seeds(text: str) -> list[int]:
    """The seeds in "0, 1" or "0-3"."""
    return parse_ints(text, "The list of seeds")


def make_control(
    of: Setting, value: Value, label: str, choices: Sequence[Any] | None = None, **more: object
) -> gr.components.Component:
    """The control for a setting; `choices` are names that a text may also be taken from."""
    said: dict[str, Any] = {"value": value, "label": label, "info": of.info, **more}
    if choices is not None:
        return gr.Dropdown([*choices], allow_custom_value=not of.choices, **said)
    if of.choices:
        return gr.Dropdown([*of.choices], **said)
    if of.kind is bool:
        return gr.Checkbox(**said)
    if of.kind is str:
        return gr.Textbox(**said)
    return gr.Number(precision=0 if of.kind is int else None, **said)


def plain(value: object) -> Any:  # noqa: ANN401 - what is no number is refused by who asks for one
    """A number without a needless ".0"."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def models() -> list[tuple[str, str]]:
    """The model menu: names with what they are; reading it loads and fetches nothing."""
    found = bundled() | registered()
    if access.public():  # no visitor makes this machine fetch gigabytes from the hub
        found = {name: source for name, source in found.items() if is_path(source.places[0])}
    return [(f"{name} ({m.about})" if m.about else name, name) for name, m in found.items()]


def descriptors() -> list[str]:
    """The descriptor menu; at home also the demo's where it is not made for."""
    return [*CHOICES] if access.public() else [*CHOICES, f"demo{FORCED}"]


def clips() -> list[str]:
    """The CLIP menu; on a public page those that need no download."""
    return [AUTO, DEMO, NONE] if access.public() else [*CLIPS]


def menu(
    name: str, choices: Sequence[str | tuple[str, str]], value: str, label: str, about: str
) -> gr.Dropdown:
    """A list of names that also takes what is typed."""
    return gr.Dropdown(
        choices,
        value=value,
        label=label,
        info=about,
        allow_custom_value=True,
        min_width=200,
        elem_id=name,
    )

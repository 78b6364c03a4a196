"""Controls that several tabs share, and the reading of what is typed into them."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from memviz.errors import InputError
from memviz.models.loading import bundled, is_path, registered
from memviz.retrieval.descriptors.choice import CHOICES, FORCED
from memviz.ui.shared import access

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


NO_CORPUS = "none"


def seeds(text: str) -> list[int]:
    """The seeds in "0, 1" or "0-3"."""
    found: list[int] = []
    for part in text.replace(";", ",").replace(" ", ",").split(","):
        if part:
            found += seed_range(part)
    return list(dict.fromkeys(found))


def seed_range(part: str) -> Sequence[int]:
    """One seed, or the seeds of a range like "0-3"."""
    start, dash, end = part.partition("-")
    try:
        if not (start and dash):
            return [int(part)]
        return range(int(start), min(int(end), int(start) + 1000) + 1)
    except ValueError:
        wanted = 'whole numbers with commas between them, like "0, 1"'
        raise InputError(f"Seeds got {part[:20]!r}; write {wanted}.") from None


def plain(value: object) -> object:
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

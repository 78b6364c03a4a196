"""Where the prompts of an evaluation come from, and how some of them are drawn.

A file (text, CSV, JSONL, parquet, JSON; Webster's and NeMo's lists among them), the captions of a
corpus, a group of the demo's prompts, or class names put into a template.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memviz.data import corpus as corpora
from memviz.data import prompts
from memviz.errors import InputError

IMAGENETTE = (  # as DCR's scripts and Jain et al.'s name its ten classes
    *("tench", "English springer", "cassette player", "chain saw", "church"),
    *("French horn", "garbage truck", "gas pump", "golf ball", "parachute"),
)
CLASS = "{class}"


@dataclass(frozen=True)
class PromptSource:
    """A place, and how many of its prompts are taken in which way."""

    place: str  # a file, a corpus, `demo`, `demo:GROUP`, or `imagenette`
    template: str = ""  # holds {class}, which the lines of the place take
    draw: int | None = None  # seed of a draw with replacement; none: from the first on
    limit: int | None = None


def read_prompts(source: PromptSource) -> list[str]:
    """The prompts, in the order in which pictures are numbered.

    A draw is `numpy.random.seed(draw); numpy.random.choice(prompts, limit)`, as DCR's, Jain et
    al.'s and IET-AGC's scripts make it. Raises InputError where there is nothing to take.
    """
    found = [" ".join(text.split()) for text in _lines(source.place)]
    found = [text for text in found if text]
    if not found:
        raise InputError(f"{source.place} holds no prompt. Name a file or a corpus with captions.")
    if source.template:
        if CLASS not in source.template:
            raise InputError(f"The template {source.template!r} has no {CLASS} in it.")
        found = [source.template.replace(CLASS, name) for name in found]
    count = len(found) if source.limit is None else source.limit
    if count < 1:
        raise InputError(f"--limit is {count}. Give a number from 1 on.")
    if source.draw is None:
        return found[:count]
    chosen = np.random.RandomState(source.draw).choice(len(found), count)
    return [found[i] for i in chosen]


def _lines(place: str) -> list[str]:
    """All texts of a place."""
    kind, _, group = place.partition(":")
    if place == "imagenette":
        return list(IMAGENETTE)
    if kind == "demo":
        return _demo(group)
    file = Path(place).expanduser()
    if file.is_file() and file.suffix != ".tar" and place not in corpora.known():
        return [prompt.text for prompt in prompts.read(file)]
    return corpora.load(place).captions


def _demo(group: str) -> list[str]:
    """A group of the demo's prompts, or all of them."""
    known = prompts.demo()
    if group and group not in known:
        raise InputError(f"The demo has no prompts {group!r}. It has {', '.join(known)}.")
    return known[group] if group else [text for texts in known.values() for text in texts]

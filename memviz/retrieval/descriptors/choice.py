"""Which descriptor looks at a corpus: each says what it is made for, and elsewhere it is refused.

A descriptor trained on the demo's scenes calls unrelated photographs alike, so its word on them is
worth nothing. Who wants its similarities all the same writes "demo:forced", and gets no verdict.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from memviz.data.corpus import bundled
from memviz.retrieval.descriptors import weights
from memviz.retrieval.descriptors.presets import CHECKPOINTS, PRESETS, DescriptorError, Preset, find

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus

AUTO = "auto"  # the demo's for the demo's corpus, else one that is on this machine
FORCED = ":forced"  # behind a name: use it where it is not made for
CHOICES = (AUTO, "demo", *PRESETS)
NEXT = (
    "Fetch SSCD, which is made for photographs (`python -m memviz fetch sscd_disc_mixup`), and "
    "name it, or take demo:forced, which gives similarities without a verdict."
)


def choose_descriptor(name: str | Path, corpus: Corpus) -> Preset:
    """The preset that a name means for a corpus. Raises DescriptorError if it is not made for it.

    A name is "auto", a preset or a descriptor's folder, with ":forced" behind it or not.
    """
    text = str(name)
    plain, forced = text.removesuffix(FORCED), text.endswith(FORCED)
    preset = default_descriptor(corpus) if plain == AUTO else find(plain)
    why = describe_misfit(preset, corpus)
    if why and not forced:
        raise DescriptorError(f"{why} {NEXT}")
    return preset


def default_descriptor(corpus: Corpus) -> Preset:
    """The demo's where it suits, else the first whose file is on this machine, else the demo's."""
    demo = find("demo")
    if not describe_misfit(demo, corpus):
        return demo
    usual = (PRESETS[name] for name in CHECKPOINTS)  # each prepared as is recommended for it
    here = (preset for preset in usual if weights.is_here(preset))
    return next(here, demo)


def describe_misfit(preset: Preset, corpus: Corpus) -> str:
    """Why a descriptor's similarities say little about a corpus; empty where it is made for it."""
    places = [bundled()[name].resolve() for name in preset.suits if name in bundled()]
    if not preset.suits or Path(corpus.place).resolve() in places:
        return ""
    return f"The descriptor {preset.name} is made for {preset.purpose}, not for {corpus.name}."

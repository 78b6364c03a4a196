"""The registry of guidance methods, and their spelling: `stp:early=0,late=7.5,at=500`.

A new method is a new row of METHODS. The form, the command line, the docs and the tests read it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from memviz.guidance import Constant, Dynamic, Guidance, Opposite, Static
from memviz.remedies.amg import AntiMemorization
from memviz.remedies.cads import Annealed
from memviz.remedies.han import NoiseAdjustment
from memviz.remedies.perturbation import (
    EmbeddingNoise,
    RandomNumbers,
    RandomTokens,
    WordRepetition,
)
from memviz.remedies.ren import AttentionRescale
from memviz.remedies.wen import PromptOptimisation


@dataclass(frozen=True)
class Method:
    """A row of the registry; `symbol` and `dash` tell its curve from others without colour."""

    label: str
    about: str
    guidance: Guidance
    symbol: str
    dash: str
    presets: Mapping[str, Guidance] = field(default_factory=dict)


METHODS: dict[str, Method] = {
    "cfg": Method(
        "CFG",
        "Classifier-free guidance: the prompt is followed at full scale from the first step.",
        Constant(),
        "circle",
        "solid",
    ),
    "stp": Method(
        "Static transition (STP)",
        "Ignores the prompt until a fixed timestep, then follows it. Preset `released`: the same "
        "scales; the released script's jump to a 200-step grid at t = 500 is not repeated.",
        Static(),
        "square",
        "dash",
        {"released": Static()},
    ),
    "dtp": Method(
        "Dynamic transition (DTP)",
        "Ignores the prompt until the magnitude passes its first minimum, then follows it. Preset "
        "`released`: before, it is followed plainly (scale 1); no fallback; as the released code.",
        Dynamic(),
        "diamond",
        "dot",
        {"released": Dynamic(early=1, latest=0)},
    ),
    "og": Method(
        "Opposite guidance (OG)",
        "Moves away from the prompt until the transition, then follows it. Preset `released`: the "
        "one path of the released code that makes pictures, static at 650.",
        Opposite(),
        "triangle-up",
        "dashdot",
        {"released": Opposite()},
    ),
    "wen": Method(
        "Prompt optimisation (Wen)",
        "Changes the prompt's embedding before the first step until it pulls no harder than "
        "`target`. Costs two evaluations for each step of the optimiser.",
        PromptOptimisation(),
        "star",
        "longdash",
    ),
    "rta": Method(
        "Random tokens (RTA)",
        "Puts random words into the prompt.",
        RandomTokens(),
        "cross",
        "longdashdot",
    ),
    "cwr": Method(
        "Word repetition (CWR)",
        "Says some words of the prompt again at random places.",
        WordRepetition(),
        "x",
        "2px,2px",
    ),
    "rna": Method(
        "Random numbers (RNA)",
        "Puts random numbers into the prompt.",
        RandomNumbers(),
        "pentagon",
        "8px,2px",
    ),
    "gni": Method(
        "Embedding noise (GNI)",
        "Adds Gaussian noise to the prompt's embedding and to the empty one's.",
        EmbeddingNoise(),
        "hexagon",
        "2px,6px",
    ),
    "cads": Method(
        "Annealed condition (CADS)",
        "Drowns the prompt's embedding in noise at first and clears it as the steps go on.",
        Annealed(),
        "hourglass",
        "12px,4px",
    ),
    "ren": Method(
        "Attention rescale (Ren)",
        "Masks the padding in cross-attention and weighs the begin token up.",
        AttentionRescale(),
        "triangle-down",
        "6px,2px,2px,2px",
    ),
    "han": Method(
        "Noise adjustment (Han)",
        "Changes the starting noise until the prompt pulls no harder than `target`. Costs four "
        "evaluations for each step of the optimiser.",
        NoiseAdjustment(),
        "bowtie",
        "12px,2px,2px,2px",
    ),
    "amg": Method(
        "Anti-memorization guidance (AMG)",
        "Looks each step's x0 estimate up among the training images and steers away from one that "
        "is too near.",
        AntiMemorization(),
        "star-diamond",
        "4px,4px",
    ),
}


CORE = ("cfg", "stp", "dtp", "og")
"""The methods that are compared unless others are asked for: they cost nothing more."""


@dataclass(frozen=True)
class Knob:
    """A parameter of a method: what a form control or a flag needs to know."""

    name: str
    default: float | str
    about: str
    low: float
    high: float
    choices: tuple[str, ...]
    label: str  # its name, or a fuller one
    when: str  # the kind of transition it belongs to; empty: any


def knobs(guidance: Guidance) -> list[Knob]:
    """The parameters of a guidance value, with its own values as defaults."""
    return [knob(f.name, getattr(guidance, f.name), f.metadata) for f in fields(guidance)]


def knob(name: str, value: float | str, more: Mapping[str, Any]) -> Knob:
    """One parameter, from its field's name, value and metadata."""
    name, when = more.get("name", name), more.get("when", "")
    return Knob(
        name,
        value,
        more["about"] + (f", if {when}" if when else ""),
        more["low"],
        more["high"],
        more.get("choices", ()),
        more.get("label", name),
        when,
    )


def spec(key: str, guidance: Guidance) -> str:
    """The full spelling of a method with all its parameters, which `parse` reads back."""
    return f"{key}:" + ",".join(f"{k.name}={shown(k.default)}" for k in knobs(guidance))


def shown(value: float | str) -> str:
    """A parameter as text: 500 rather than 500.0."""
    return value if isinstance(value, str) else repr(float(value)).removesuffix(".0")


def parse(text: str, defaults: Mapping[str, str] | None = None) -> tuple[str, Guidance]:
    """Read `key`, `key:preset` or `key:name=value,...`; `defaults` are a model's own spellings.

    Raises ValueError, in one sentence, on an unknown method, parameter or value.
    """
    key, _, rest = text.strip().partition(":")
    if key not in METHODS:
        raise ValueError(f"No method is named {key!r}. Choose among {', '.join(METHODS)}.")
    guidance = METHODS[key].guidance
    for part in filter(None, [*(defaults or {}).get(key, "").split(","), *rest.split(",")]):
        guidance = METHODS[key].presets.get(part.strip()) or changed(key, guidance, part)
    return key, guidance


def changed(key: str, guidance: Guidance, part: str) -> Guidance:
    """The guidance with one `name=value` applied."""
    name, _, value = (p.strip() for p in part.partition("="))
    known = {f.metadata.get("name", f.name): f for f in fields(guidance)}
    if name not in known:
        wanted = ", ".join([*known, *METHODS[key].presets])
        raise ValueError(f"{key} has no parameter or preset {name!r}. It has {wanted}.")
    found = next(k for k in knobs(guidance) if k.name == name)
    return replace(guidance, **{known[name].name: checked(key, found, value)})


def checked(key: str, knob: Knob, value: str) -> float | str:
    """The value of a knob, if it is one that the knob can take."""
    if knob.choices:
        if value not in knob.choices:
            wanted = ", ".join(knob.choices)
            raise ValueError(f"{key}: {knob.name} is {value!r}; choose one of {wanted}.")
        return value
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not knob.low <= number <= knob.high:
        raise ValueError(
            f"{key}: {knob.name} is {value!r}; give a number from {knob.low:g} to {knob.high:g}."
        )
    return number

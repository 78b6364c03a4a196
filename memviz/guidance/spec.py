"""The spelling of methods: `stp:early=0,late=7.5,at=500` to a guidance value and back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from memviz.errors import InputError
from memviz.guidance.base import Guidance
from memviz.guidance.registry import METHODS


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
        raise InputError(f"No method is named {key!r}. Choose among {', '.join(METHODS)}.")
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
        raise InputError(f"{key} has no parameter or preset {name!r}. It has {wanted}.")
    found = next(k for k in knobs(guidance) if k.name == name)
    return replace(guidance, **{known[name].name: checked(key, found, value)})


def checked(key: str, knob: Knob, value: str) -> float | str:
    """The value of a knob, if it is one that the knob can take."""
    if knob.choices:
        if value not in knob.choices:
            wanted = ", ".join(knob.choices)
            raise InputError(f"{key}: {knob.name} is {value!r}; choose one of {wanted}.")
        return value
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not knob.low <= number <= knob.high:
        raise InputError(
            f"{key}: {knob.name} is {value!r}; give a number from {knob.low:g} to {knob.high:g}."
        )
    return number

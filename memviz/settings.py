"""Settings as fields of frozen dataclasses: help, limits and choices of each, in one place.

Form controls, command line flags and the spelling of methods are made from them, and every value,
typed or given as an object, goes through `read_value`.
"""

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from memviz.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = float | int | bool | str
Group = TypeVar("Group", bound="DataclassInstance")
KINDS: dict[str, type] = {kind.__name__: kind for kind in (float, int, bool, str)}


@dataclass(frozen=True)
class Setting:
    """One setting: all that a form control, a flag or a reader of its text needs to know."""

    name: str  # as people spell it
    kind: type  # float, int, bool or str
    default: Value
    about: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    label: str = ""  # its name in full
    group: str = ""
    when: str = ""  # the kind of switch it belongs to, where a method has several
    terse: bool = False  # left out of a spelling at its default

    @property
    def wanted(self) -> str:
        """What to give, in words."""
        if self.choices:
            return f"choose one of {', '.join(self.choices)}"
        what = {float: "a number", int: "a whole number", bool: "true or false"}
        limits = "" if self.low is None else f" from {self.low:,.10g} to {self.high:,.10g}"
        return f"give {what.get(self.kind, 'a text')}{limits}"

    def allows(self, value: Value) -> bool:
        """Whether a value of its type is one of the choices, or within the limits."""
        if isinstance(value, str) or self.low is None or self.high is None:
            return not self.choices or value in self.choices
        return self.low <= value <= self.high

    @property
    def help(self) -> str:
        """What it is, and when it counts."""
        return f"{self.about}, if {self.when}" if self.when else self.about

    @property
    def info(self) -> str:
        """The same with its limits."""
        if self.low is None:
            return self.help
        return f"{self.help}; {self.low:,.10g} to {self.high:,.10g}"


def setting(
    default: Value, about: str, low: float | None = None, high: float | None = None, **more: object
) -> Any:  # noqa: ANN401 - a field of any type, as `dataclasses.field` says
    """A field that is a setting; `more` are parts of `Setting`, such as `choices` or `label`.

    The field's annotation must be float, int, bool or str.
    """
    facts = {"about": about, "low": low, "high": high, **more}
    return field(default=default, metadata={"setting": facts})


def list_settings(of: "DataclassInstance | type[DataclassInstance]") -> list[Setting]:
    """The settings of a value, at its own values, or of a class, at their defaults.

    Those of a field that is a dataclass itself stand where the field stands.
    """
    found: list[Setting] = []
    for each in fields(of):
        value: Any = each.default if isinstance(of, type) else getattr(of, each.name)
        if _is_part(value):
            found += list_settings(value)
        elif "setting" in each.metadata:
            found.append(_describe(each, value))
    return found


def change_settings(of: Group, values: Mapping[str, Value]) -> Group:
    """The same with other values by name; names that it does not have are passed over."""
    changed: dict[str, Any] = {}
    for each in fields(of):
        value: Any = getattr(of, each.name)
        if _is_part(value):
            changed[each.name] = change_settings(value, values)
        elif "setting" in each.metadata:
            changed[each.name] = values.get(_describe(each, value).name, value)
    return replace(of, **changed)


def check_settings(of: "DataclassInstance", prefix: str = "") -> None:
    """Hold every setting of a frozen value to its type and limits, for `__post_init__`.

    Raises InputError; with the prefix "--" settings are named as flags.
    """
    for each in fields(of):
        if "setting" in each.metadata:
            value: Any = getattr(of, each.name)
            object.__setattr__(of, each.name, read_value(_describe(each, value), value, prefix))


def _is_part(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _describe(each: Field[Any], value: Value) -> Setting:
    kind = KINDS[
        str(getattr(each.type, "__name__", each.type))
    ]  # a text where annotations are late
    name = each.metadata["setting"].get("name", each.name)
    usual = {"name": name, "label": name.replace("_", " "), "kind": kind, "default": value}
    return Setting(**usual | each.metadata["setting"])


def read_value(of: Setting, value: object, prefix: str = "") -> Value:
    """The value of a setting in its own type, from itself or from text.

    Raises InputError, in one sentence that begins with `prefix` and the name, on any other.
    """
    found = _convert(of, value)
    if found is None or not of.allows(found):
        said = "empty" if value is None or value == "" else repr(value)
        name = of.name.replace("_", "-") if prefix == "--" else of.name
        raise InputError(f"{prefix}{name} is {said}; {of.wanted}.")
    return found


def _convert(of: Setting, value: object) -> Value | None:
    """The value as the setting's type; None where it is none."""
    if of.kind in (bool, str) or isinstance(value, bool):
        return value if isinstance(value, bool | str) and type(value) is of.kind else None
    try:
        number = float(value)  # type: ignore[arg-type] - what it cannot take it says
        if of.kind is float or not math.isfinite(number):
            return number if math.isfinite(number) else None
        return int(number) if number.is_integer() else None
    except (TypeError, ValueError, OverflowError):
        return None


def spell_value(value: Value) -> str:
    """A value as text, from which it can be read again: 500 rather than 500.0."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)

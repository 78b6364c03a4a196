"""Settings as words of a command line, in both directions."""

import argparse
from collections.abc import Collection
from typing import Any

from memviz.settings import Setting, Value, list_settings
from memviz.training.config import PRESETS, Config

SETTINGS = {each.name: each for each in list_settings(Config)}


def flag(name: str) -> str:
    """How the command line spells a setting."""
    return "--" + name.replace("_", "-")


def add(parser: argparse.ArgumentParser) -> None:
    """A flag for every setting and for presets; what is not given is absent from the result."""
    names = ", ".join(f"{name} ({p.label})" for name, p in PRESETS.items())
    parser.add_argument("--preset", choices=PRESETS, help=f"settings to begin with: {names}")
    groups: dict[str, Any] = {}
    for each in SETTINGS.values():
        if each.group not in groups:
            groups[each.group] = parser.add_argument_group(each.group.lower())
        groups[each.group].add_argument(flag(each.name), **options(each))


def add_some(parser: argparse.ArgumentParser, names: Collection[str], default: str = "") -> None:
    """Flags for a few settings; `default` says what holds where one is not given."""
    for name in names:
        parser.add_argument(flag(name), **options(SETTINGS[name], default))


def options(of: Setting, default: str = "") -> dict[str, Any]:
    """What argparse needs to know of one setting."""
    facts: dict[str, Any] = {"default": argparse.SUPPRESS, "dest": of.name}
    usual = default or (of.default if of.default != "" else "none")
    facts["help"] = f"{of.about} ({usual})".replace("%", "%%")
    if of.kind is bool:
        return facts | {"action": argparse.BooleanOptionalAction}
    return facts | {"type": of.kind, "metavar": "|".join(of.choices) or None}


def given(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given, those of a preset included."""
    own = {name: value for name, value in vars(args).items() if name in SETTINGS}
    preset = getattr(args, "preset", None)
    return {**(PRESETS[preset].values if preset else {}), **own}


def words(config: Config) -> list[str]:
    """The flags that make this config: one for each setting that is not at its default."""
    return [
        word
        for name, usual in SETTINGS.items()
        if (value := getattr(config, name)) != usual.default
        for word in spelled(flag(name), value)
    ]


def spelled(name: str, value: Value) -> list[str]:
    """One flag with its value."""
    if isinstance(value, bool):
        return [name if value else name.replace("--", "--no-", 1)]
    return [name, str(value)]

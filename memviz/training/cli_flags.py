"""Settings as words of a command line, in both directions."""

import argparse
from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

from memviz.training.config import PRESETS, Config, flag


def add(parser: argparse.ArgumentParser) -> None:
    """A flag for every setting; one that is not given is absent from the result."""
    names = ", ".join(f"{name} ({p.label})" for name, p in PRESETS.items())
    parser.add_argument("--preset", choices=PRESETS, help=f"settings to begin with: {names}")
    groups: dict[str, Any] = {}
    for setting in fields(Config):
        name = setting.metadata["group"]
        if name not in groups:
            groups[name] = parser.add_argument_group(name.lower())
        groups[name].add_argument(flag(setting), **options(setting))


def options(setting: Field) -> dict[str, Any]:
    """What argparse needs to know of one setting."""
    facts: dict[str, Any] = {"default": argparse.SUPPRESS, "dest": setting.name}
    shown = setting.default if setting.default != "" else "none"
    facts["help"] = f"{setting.metadata['about']} ({shown})".replace("%", "%%")
    if setting.type is bool:
        return facts | {"action": argparse.BooleanOptionalAction}
    choices = setting.metadata["choices"]
    return facts | {"type": setting.type, "metavar": "|".join(choices) or None}


def given(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given, those of a preset included."""
    names = {setting.name for setting in fields(Config)}
    own = {name: value for name, value in vars(args).items() if name in names}
    preset = getattr(args, "preset", None)
    return {**(PRESETS[preset].values if preset else {}), **own}


def words(config: Config) -> list[str]:
    """The flags that make this config: one for each setting that is not at its default."""
    return [
        word
        for setting in fields(Config)
        if (value := getattr(config, setting.name)) != setting.default
        for word in spelled(flag(setting), value)
    ]


def spelled(name: str, value: Any) -> list[str]:  # noqa: ANN401
    """One flag with its value."""
    if isinstance(value, bool):
        return [name if value else name.replace("--", "--no-", 1)]
    return [name, str(value)]


def differing(config: Config, asked: Mapping[str, Any]) -> list[str]:
    """Flags of the settings asked for that a config has otherwise."""
    return [f"--{k.replace('_', '-')}" for k, v in asked.items() if getattr(config, k) != v]

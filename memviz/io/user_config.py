"""The user's own names for models and corpora: one small file, $MEMVIZ_HOME/config.json.

`{"models": {"mine": "PATH or PATH+UNET"}, "corpora": {"laion-10k": "PATH"}}`; a person may edit it.
Under "trained" stand the models that trainings on this machine made.
"""

import re
from pathlib import Path
from typing import Any, Literal

from memviz.errors import InputError
from memviz.io import atomic
from memviz.io.paths import expand, home
from memviz.io.read import DamagedFile, find_mismatch, read_json

Kind = Literal["models", "corpora", "trained"]
NAME = re.compile(r"[\w][\w.-]{0,63}")


def file() -> Path:
    """Where the names are kept."""
    return home() / "config.json"


def names(kind: Kind) -> dict[str, str]:
    """Registered names and their places; empty without a readable file."""
    try:
        found = _read().get(kind)
    except DamagedFile:
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: place for name, place in pairs if not _problem(name, place)}


def find_problems() -> list[str]:
    """Why the file, or some of its entries, are left out: a sentence each."""
    try:
        found = _read()
    except DamagedFile as error:
        return [str(error)]
    wrong = []
    for kind in ("models", "corpora"):
        pairs = found.get(kind, {})
        if not isinstance(pairs, dict):
            wrong.append(f"{kind} in {file()} is no object of names and places.")
            continue
        told = ((name, _problem(name, place)) for name, place in pairs.items())
        wrong += [f"{name!r} of {kind} in {file()} {why}." for name, why in told if why]
    return wrong


def add(kind: Kind, name: str, place: str | Path) -> None:
    """Register or move a name. Raises ValueError for a name that could be taken for a path."""
    if not NAME.fullmatch(name):
        raise InputError(f"{name!r} is not a name. Use letters, digits, dots, dashes.")
    try:
        known = _read()
    except DamagedFile as error:  # not written over: somebody may want to mend it
        raise InputError(f"{error} Mend or remove it.") from error
    mine = known.get(kind)
    known[kind] = (mine if isinstance(mine, dict) else {}) | {name: str(place)}
    atomic.json(file(), known)


def read_caps() -> tuple[float | None, int | None]:
    """What the app keeps at most: `{"keep": {"days": 90, "gb": 20}}`, as days and bytes."""
    try:
        keep = _read().get("keep")
    except DamagedFile:
        return None, None
    if not isinstance(keep, dict) or find_mismatch(keep, {"days?": float, "gb?": float}):
        return None, None
    return keep.get("days"), None if "gb" not in keep else int(keep["gb"] * 1e9)


def _problem(name: str, place: object) -> str:
    """Why an entry cannot be used; empty if it can."""
    if not NAME.fullmatch(name):
        return "is not a name: use letters, digits, dots, dashes"
    if not isinstance(place, str) or not place.strip() or "\0" in place:
        return "has no place: give a path"
    try:
        expand(place)
    except InputError:
        return "names nobody's home: give the path in full"
    return ""


def _read() -> dict[str, Any]:
    """All of the file. Raises DamagedFile if it cannot be read."""
    try:
        return read_json(file(), {})
    except FileNotFoundError:
        return {}

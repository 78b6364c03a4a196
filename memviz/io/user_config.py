"""The user's own names for models and corpora: one small file, $MEMVIZ_HOME/config.json.

`{"models": {"mine": "PATH or PATH+UNET"}, "corpora": {"laion-10k": "PATH"}}`; a person may edit it.
Under "trained" stand the models that trainings on this machine made.
"""

import json
import re
from pathlib import Path
from typing import Any, Literal

from memviz.errors import InputError
from memviz.io import atomic
from memviz.io.paths import home

Kind = Literal["models", "corpora", "trained"]
NAME = re.compile(r"[\w][\w.-]{0,63}")


def file() -> Path:
    """Where the names are kept."""
    return home() / "config.json"


def names(kind: Kind) -> dict[str, str]:
    """Registered names and their places; empty without a readable file."""
    found = _read().get(kind)
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: place for name, place in pairs if isinstance(place, str) and place}


def add(kind: Kind, name: str, place: str | Path) -> None:
    """Register or move a name. Raises ValueError for a name that could be taken for a path."""
    if not NAME.fullmatch(name):
        raise InputError(f"{name!r} is not a name. Use letters, digits, dots, dashes.")
    known = _read(strict=True)
    known[kind] = names(kind) | {name: str(place)}
    atomic.json(file(), known)


def _read(strict: bool = False) -> dict[str, Any]:
    """`strict` before writing: a file that cannot be read is not written over."""
    try:
        found = json.loads(file().read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        if strict:
            raise InputError(f"{file()} cannot be read: {error}. Mend or remove it.") from error
        return {}
    return found if isinstance(found, dict) else {}

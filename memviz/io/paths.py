"""Where things lie: what comes with memviz, and what it makes."""

import os
from pathlib import Path

from memviz.errors import InputError, MemvizError

PACKAGE = Path(__file__).resolve().parents[1]


class NoCheckout(MemvizError):
    """What only a checkout of the repository has was asked of an installed memviz."""


def expand(place: str | Path) -> Path:
    """A path as a person writes it, with ~ for a home. Raises InputError for an unknown ~user."""
    try:
        return Path(place).expanduser()
    except RuntimeError:
        raise InputError(f"{place} names nobody's home. Write the folder in full.") from None


def home() -> Path:
    """Where memviz keeps what it makes: $MEMVIZ_HOME, else ~/.local/share/memviz."""
    return Path(os.environ.get("MEMVIZ_HOME") or "~/.local/share/memviz").expanduser()


def demo() -> Path:
    """The demo world in use: the one that was built at $MEMVIZ_DEMO, else the bundled one."""
    return Path(os.environ.get("MEMVIZ_DEMO") or bundled_demo())


def bundled_demo() -> Path:
    """The demo world that comes with memviz: in an installed package, beside a checkout's."""
    installed = PACKAGE / "assets" / "demo"
    return installed if installed.is_dir() else PACKAGE.parent / "assets" / "demo"


def page(name: str) -> Path:
    """A file of the repository's docs/. Raises NoCheckout where there is none."""
    found = PACKAGE.parent / "docs" / name
    if not found.is_file():
        raise NoCheckout(f"docs/{name} is part of the repository only. Run this in a checkout.")
    return found

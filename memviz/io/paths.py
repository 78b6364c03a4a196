"""Where things lie: what comes with memviz, and what it makes."""

import os
import tempfile
from pathlib import Path

from memviz.errors import InputError, MemvizError

LONGEST = 4_000  # characters of a path
PACKAGE = Path(__file__).resolve().parents[1]
DATA = Path("/data")  # where a Space's volume is mounted


class NoCheckout(MemvizError):
    """What only a checkout of the repository has was asked of an installed memviz."""


def expand(place: str | Path) -> Path:
    """A path as a person writes it, with ~ for a home. Raises InputError for what is none."""
    if "\0" in str(place) or len(str(place)) > LONGEST:
        raise InputError(f"{str(place)[:40]!r} is no path. Write the folder in full.")
    try:
        return Path(place).expanduser()
    except RuntimeError:
        raise InputError(f"{place} names nobody's home. Write the folder in full.") from None


def home() -> Path:
    """Where memviz keeps what it makes: $MEMVIZ_HOME, else ~/.local/share/memviz.

    A Space keeps it in /data where that can be written, else in the temporary folder: its home may
    be read-only, and does not outlive it either.
    """
    told = os.environ.get("MEMVIZ_HOME")
    if not told and os.environ.get("SPACE_ID"):
        place = DATA if os.access(DATA, os.W_OK) else Path(tempfile.gettempdir())
        return place / "memviz"
    return Path(told or "~/.local/share/memviz").expanduser()


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

"""Where things lie: what comes with memviz, and what it makes."""

import os
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[2] / "assets" / "demo"  # the bundled demo world
DEMO = Path(os.environ.get("MEMVIZ_DEMO") or SHIPPED)  # another that was built, or this


def home() -> Path:
    """Where memviz keeps what it makes: $MEMVIZ_HOME, else ~/.local/share/memviz."""
    return Path(os.environ.get("MEMVIZ_HOME") or "~/.local/share/memviz").expanduser()

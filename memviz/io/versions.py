"""The releases that a result was made with."""

import importlib.metadata
from collections.abc import Iterable
from contextlib import suppress

from memviz import __version__


def versions(libraries: Iterable[str]) -> dict[str, str]:
    """Of memviz and of those libraries that are installed, by name."""
    found = {"memviz": __version__}
    for name in libraries:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found

"""Loading without the libraries' progress bars and notes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module


@contextmanager
def quietly(*libraries: str) -> Iterator[None]:
    """Hush diffusers and transformers for a while; their settings come back afterwards."""
    with ExitStack() as stack:
        for library in libraries:
            stack.enter_context(_hushed(library))
        yield


@contextmanager
def _hushed(library: str) -> Iterator[None]:
    logging = import_module(f"{library}.utils.logging")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()

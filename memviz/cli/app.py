"""`memviz app`."""

import argparse
from typing import Any

from memviz.cli.command import Verb
from memviz.errors import MemvizError


class NoGradio(MemvizError):
    """The app was asked for where Gradio is not installed."""


def open_app(args: argparse.Namespace) -> dict[str, Any]:
    """Serve the app until it is stopped; the address it had."""
    try:
        from memviz.ui.app import launch
    except ModuleNotFoundError as error:
        if error.name != "gradio":
            raise
        raise NoGradio('Gradio is not installed. Install it: pip install "memviz[app]".') from error
    return {"url": launch(mcp_server=True) if args.mcp else launch()}


def options(sub: argparse.ArgumentParser) -> None:
    """What is served beside the page."""
    sub.add_argument("--mcp", action="store_true", help="serve agents, too, at /gradio_api/mcp/")


VERB = Verb(open_app, lambda result: f"It was at {result['url']}.", options)

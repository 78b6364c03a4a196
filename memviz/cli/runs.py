"""`python -m memviz runs`."""

import argparse
from typing import Any

from memviz.cli.tables import table
from memviz.cli.verb import Verb


def runs(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The runs kept on this machine, then the bundled ones."""
    from memviz import runs

    kept = [("kept", run) for run in runs.listed()]
    return [run_summary(*pair) for pair in [*kept, *(("bundled", r) for r in runs.bundled())]]


def run_summary(where: str, run: Any) -> dict[str, Any]:  # noqa: ANN401 - runs.Run
    """One run, without its cells."""
    names = ("id", "state", "created", "title")
    found = {name: run.info.get(name) for name in names}
    return found | {"where": where, "cells": len(run.info["cells"]), "folder": str(run.folder)}


def as_table(result: list[dict[str, Any]]) -> str:
    """One line each."""
    rows = [(r["id"], r["state"], r["where"], r["cells"], r["title"]) for r in result]
    return table(("run", "state", "where", "cells", "title"), rows) if rows else "No runs yet."


VERB = Verb("list the runs kept on this machine and the bundled ones", runs, as_table)

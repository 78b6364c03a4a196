"""`python -m memviz runs`."""

import argparse
from typing import TYPE_CHECKING, Any

from memviz.cli.command import Verb
from memviz.cli.tables import table

if TYPE_CHECKING:
    from memviz.runs.store import Run


def options(sub: argparse.ArgumentParser) -> None:
    """What to do with them."""
    sub.add_argument(
        "--remove", nargs="+", metavar="ID", help="delete these runs of your own, pictures and all"
    )


def runs(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The runs kept on this machine, then the bundled ones; or those that were removed."""
    from memviz.io import atomic
    from memviz.runs import store

    if args.remove:
        found = [store.own(run_id) for run_id in dict.fromkeys(args.remove)]  # all, or none goes
        told = [run_summary("removed", run) for run in found]
        for run in found:
            atomic.discard(run.folder)
        return told
    kept = [("kept", run) for run in store.listed()]
    return [run_summary(*pair) for pair in [*kept, *(("bundled", r) for r in store.bundled())]]


def run_summary(where: str, run: "Run") -> dict[str, Any]:
    """One run, without its cells."""
    found = run.record.model_dump(mode="json", include={"id", "state", "created", "title"})
    more = {"where": where, "cells": len(run.record.cells), "bytes": run.size()}
    return found | more | {"folder": str(run.folder)}


def as_table(result: list[dict[str, Any]]) -> str:
    """One line each."""
    rows = [
        (r["id"], r["state"], r["where"], r["cells"], f"{r['bytes'] / 1e6:.1f}", r["title"])
        for r in result
    ]
    names = ("run", "state", "where", "cells", "MB", "title")
    return table(names, rows) if rows else "No runs yet."


VERB = Verb(
    runs,
    as_table,
    options,
)

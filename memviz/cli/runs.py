"""`python -m memviz runs`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.cli.command import Verb
from memviz.cli.tables import table
from memviz.io.disk import used_bytes

if TYPE_CHECKING:
    from memviz.runs.store import DamagedRun, Run


def options(sub: argparse.ArgumentParser) -> None:
    """What to do with them."""
    sub.add_argument(
        "--remove", nargs="+", metavar="ID", help="delete these runs of your own, pictures and all"
    )
    sub.add_argument("--star", nargs="+", metavar="ID", help="keep these whatever `clean` removes")


def runs(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The runs kept on this machine, then the bundled ones; or those that were removed."""
    from memviz.io import atomic
    from memviz.runs import store
    from memviz.runs.note import STAR

    for run_id in args.star or ():
        (store.own(run_id).folder / STAR).touch()
    damaged = {run.folder.name: run for run in store.damaged()}
    if args.remove:
        told = [damage(damaged[run_id]) | {"where": "removed"} for run_id in args.remove
                if run_id in damaged]  # fmt: skip
        args.remove = [run_id for run_id in args.remove if run_id not in damaged]
        found = [store.own(run_id) for run_id in dict.fromkeys(args.remove)]  # all, or none goes
        told += [run_summary("removed", run) for run in found]
        for one in told:
            atomic.discard(Path(one["folder"]))
        return told
    kept = [("kept", run) for run in store.listed()]
    whole = [run_summary(*pair) for pair in [*kept, *(("bundled", r) for r in store.bundled())]]
    return [*whole, *map(damage, damaged.values())]


def damage(run: "DamagedRun") -> dict[str, Any]:
    """A folder that is no run any more, in the fields of one."""
    told = {"id": run.folder.name, "state": "damaged", "created": None, "title": run.reason}
    return told | {"where": "kept", "cells": 0, "bytes": used_bytes(run.folder),
                   "folder": str(run.folder)}  # fmt: skip


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
    total = sum(r["bytes"] for r in result if r["where"] == "kept") / 1e6
    used = f"\n\n{total:.1f} MB of your own"
    return table(names, rows) + used if rows else "No runs yet."


VERB = Verb(
    runs,
    as_table,
    options,
)

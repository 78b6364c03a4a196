"""`memviz clean`."""

import argparse
from typing import Any

from memviz.cli.command import Verb
from memviz.cli.tables import table
from memviz.errors import InputError

DAYS = 90.0  # of age, where neither an age nor a size is given


def options(sub: argparse.ArgumentParser) -> None:
    """What is too old or too much."""
    sub.add_argument("--days", type=float, help=f"remove what is older than this ({DAYS:g})")
    sub.add_argument("--gb", type=float, help="remove the oldest until no more than this is left")
    sub.add_argument("--dry-run", action="store_true", help="list what would go, remove nothing")


def clean(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Runs, searches and jobs that went, or would."""
    from memviz import upkeep

    for name in ("days", "gb"):
        value = getattr(args, name)
        if value is not None and not 0 <= value < 1e9:
            raise InputError(f"--{name} is {value}. Give a number of 0 or more.")
    days = DAYS if args.days is None and args.gb is None else args.days
    most = None if args.gb is None else int(args.gb * 1e9)
    found = upkeep.choose_old(upkeep.list_entries(), days, most)
    if not args.dry_run:
        for entry in found:
            upkeep.remove_entry(entry)
    state = "would go" if args.dry_run else "removed"
    return [
        {"kind": one.kind, "id": one.folder.name, "bytes": one.bytes, "days": round(one.days, 1),
         "state": state, "folder": str(one.folder)}
        for one in found
    ]  # fmt: skip


def as_table(result: list[dict[str, Any]]) -> str:
    """A line per entry, and the room it makes."""
    rows = [(r["state"], r["kind"], r["id"], r["days"], f"{r['bytes'] / 1e6:.1f}") for r in result]
    if not rows:
        return "Nothing is too old or too much."
    total = sum(r["bytes"] for r in result) / 1e6
    return f"{table(('', 'what', 'id', 'days', 'MB'), rows)}\n\n{total:.1f} MB"


VERB = Verb(clean, as_table, options)

"""`python -m memviz bundle`."""

import argparse
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb


def options(sub: argparse.ArgumentParser) -> None:
    """Which run, and where to."""
    sub.add_argument("run", metavar="RUN", help="its id, as `memviz runs` lists it")
    sub.add_argument(
        "--html",
        action="store_true",
        help="one page instead that opens from disk, with the player and all pictures inside",
    )
    sub.add_argument(
        "--out", type=Path, metavar="FILE", help="where to (default: RUN.zip or RUN.html here)"
    )


def bundle(args: argparse.Namespace) -> dict[str, Any]:
    """Write the file."""
    from memviz.runs import store
    from memviz.runs.bundle import pack_run

    run = store.read(args.run)
    if args.html:
        from memviz.ui.compare.static_page import write_page

        file = write_page(run, args.out or Path(f"{run.record.id}.html"))
    else:
        file = pack_run(run, args.out or Path(f"{run.record.id}.zip"))
    return {"run": run.record.id, "file": str(file.resolve()), "bytes": file.stat().st_size}


def as_table(result: dict[str, Any]) -> str:
    """Where it is, and how large."""
    return f"{result['file']}  {result['bytes'] / 1e6:.1f} MB"


VERB = Verb(bundle, as_table, options)

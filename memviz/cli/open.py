"""`python -m memviz open`."""

import argparse
from collections import deque
from contextlib import closing
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb, watched


def options(sub: argparse.ArgumentParser) -> None:
    """Which file, and whether to make its pictures again."""
    sub.add_argument("file", type=Path, metavar="FILE", help="what `memviz bundle` wrote")
    sub.add_argument(
        "--again",
        action="store_true",
        help="make its pictures again, and tell by how much a pixel differs at most",
    )


def open_bundle(args: argparse.Namespace) -> dict[str, Any]:
    """Verify a bundle, keep its run, and make it again if asked."""
    from memviz.runs.bundle import list_files, unpack_run

    run = unpack_run(args.file)
    found = {
        "run": run.record.id,
        "title": run.record.title,
        "folder": str(run.folder),
        "files": len(list_files(run)),
    }
    if not args.again:
        return found
    from memviz.comparison.replay import measure_difference, replay

    with closing(replay(run.record)) as progress:
        last = deque(watched(progress, run.record.request.steps), maxlen=1).pop()
    again = last.snapshot()
    return found | {
        "again": again.record.id,
        "same_model": again.record.model.hash == run.record.model.hash,
        "largest_difference": measure_difference(run, again),
    }


def as_table(result: dict[str, Any]) -> str:
    """What is kept where, and how the replay went."""
    said = f"{result['title']}\n{result['files']} files, every hash as written\n{result['folder']}"
    if "again" not in result:
        return said
    model = "the same model" if result["same_model"] else "ANOTHER model than the bundle's"
    differs = f"pixels differ by {result['largest_difference']} of 255 at most"
    return f"{said}\nMade again as {result['again']} with {model}: {differs}."


VERB = Verb(open_bundle, as_table, options)

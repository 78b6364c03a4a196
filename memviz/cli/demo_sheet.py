"""`python -m memviz demo-sheet`."""

import argparse
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb
from memviz.io.atomic import written


def demo_sheet(args: argparse.Namespace) -> dict[str, Any]:
    """Draw the sheet into a file."""
    from memviz.demo.contact_sheet import contact_sheet

    sheet = contact_sheet(args.group, args.prompts, args.seed)
    with written(args.out) as part:
        sheet.save(part, "png", optimize=True)
    return {"sheet": str(args.out), "group": args.group, "seed": args.seed}


def options(sub: argparse.ArgumentParser) -> None:
    """Which prompts, and where to."""
    sub.add_argument("--group", default="duplicated", choices=GROUPS, help="which prompts")
    sub.add_argument("--prompts", type=int, default=6, help="rows (%(default)s)")
    sub.add_argument("--seed", type=int, default=0, help="of the starting noise (%(default)s)")
    sub.add_argument("--out", type=Path, default=Path("contact.png"), help="PNG (%(default)s)")


GROUPS = ("duplicated", "swapped", "heldout", "heldout_plain", "heldout_single")
VERB = Verb(
    demo_sheet,
    lambda result: result["sheet"],
    options,
)

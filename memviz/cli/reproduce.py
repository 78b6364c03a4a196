"""`python -m memviz reproduce iet-agc-demo`."""

import argparse
import time
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb, say
from memviz.cli.tables import table
from memviz.errors import InputError
from memviz.number_lists import parse_ints
from memviz.training import cli_flags

STUDIES = ("iet-agc-demo", "iet-agc-frontier")
VARIED = ("rounds", "local_steps", "shards", "seed", "ratio", "ema_decay", "lr", "copies")


def options(sub: argparse.ArgumentParser) -> None:
    """Which study, and the settings that it may be varied in."""
    sub.add_argument("study", choices=STUDIES, metavar="study", help=", ".join(STUDIES))
    sub.add_argument("--out", type=Path, metavar="DIR", help="keep models and checkpoints here")
    sub.add_argument(
        "--save", action="store_true", help="ship it: assets/demo/, the table of docs/training.md"
    )
    sub.add_argument(
        "--minutes", type=float, metavar="M", help="the frontier: stop after M; call again to go on"
    )
    sub.add_argument(
        "--short",
        metavar="SEEDS",
        help="the frontier: one length and no choice of settings, on these training seeds",
    )
    cli_flags.add_some(sub, VARIED, "as the study has it")


def reproduce(args: argparse.Namespace) -> dict[str, Any]:
    """Train and judge every mode; what was finished in the folder before is kept."""
    from memviz.io.paths import home

    out = args.out or home() / "reproduce" / args.study
    if args.study == "iet-agc-frontier":
        return reproduce_frontier(args, out)
    from memviz.training.studies import publish
    from memviz.training.studies.iet_agc_demo import reproduce, settings

    config = settings(**cli_flags.given(args))
    found = dict(reproduce(config, out, say)) | {"settings": config.to_json()}
    if args.save:
        publish.save(found, out)
    return found


def reproduce_frontier(args: argparse.Namespace, out: Path) -> dict[str, Any]:
    """The points of every arm, or how far this stretch came."""
    from memviz.training import cli_flags
    from memviz.training.studies import iet_agc_frontier as study

    plan = study.short_plan(parse_ints(args.short, "--short")) if args.short else study.demo_plan()
    if cli_flags.given(args):
        raise InputError("The frontier chooses its own settings; give --out and --minutes only.")
    until = time.monotonic() + 60 * args.minutes if args.minutes else float("inf")
    try:
        found = study.trace_frontier(plan, out, say, lambda: time.monotonic() > until)
    except study.Stopped:
        done = len([*out.glob("*/figures.json")])
        return {"stopped": str(out), "finished": done}
    if args.save:
        study.save(found)
    return found


def as_table(result: dict[str, Any]) -> str:
    """A mode a line."""
    if "points" in result:
        from memviz.training.studies.iet_agc_frontier import frontier_table

        return frontier_table(result)
    if "stopped" in result:
        return f"{result['finished']} trainings are finished. The same command goes on with them."
    from memviz.training.studies.publish import COLUMNS, format_figure

    rows = [
        (name, *(format_figure(values.get(key)) or "-" for key in COLUMNS))
        for name, values in result.items()
        if name != "settings"
    ]
    return table(("mode", *COLUMNS), rows)


VERB = Verb(
    reproduce,
    as_table,
    options,
)

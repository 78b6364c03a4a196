"""`python -m memviz reproduce iet-agc-demo`."""

import argparse
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb, say
from memviz.cli.tables import table

STUDIES = ("iet-agc-demo",)


def options(sub: argparse.ArgumentParser) -> None:
    """Which study, and the settings that it may be varied in."""
    sub.add_argument("study", choices=STUDIES, metavar="study", help=", ".join(STUDIES))
    sub.add_argument("--out", type=Path, metavar="DIR", help="keep models and checkpoints here")
    sub.add_argument(
        "--save", action="store_true", help="ship it: assets/demo/, the table of docs/training.md"
    )
    for name, kind in (("rounds", int), ("local-steps", int), ("shards", int), ("seed", int)):
        sub.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS, help="as in train")
    for name in ("ratio", "ema-decay", "lr"):
        sub.add_argument(f"--{name}", type=float, default=argparse.SUPPRESS, help="as in train")
    sub.add_argument("--copies", default=argparse.SUPPRESS, help="as in train")


def reproduce(args: argparse.Namespace) -> dict[str, Any]:
    """Train and judge every mode; what was finished in the folder before is kept."""
    from memviz.io.paths import home
    from memviz.training import cli_flags
    from memviz.training.studies import publish
    from memviz.training.studies.iet_agc_demo import reproduce, settings

    config = settings(**cli_flags.given(args))
    out = args.out or home() / "reproduce" / args.study
    found = dict(reproduce(config, out, say)) | {"settings": config.to_json()}
    if args.save:
        publish.save(found, out)
    return found


def as_table(result: dict[str, Any]) -> str:
    """A mode a line."""
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

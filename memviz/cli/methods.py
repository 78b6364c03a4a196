"""`python -m memviz remedies`."""

import argparse
import json
from typing import Any

from memviz.cli.command import Verb, say
from memviz.cli.tables import table
from memviz.guidance.registry import METHODS
from memviz.io import atomic, paths


def options(sub: argparse.ArgumentParser) -> None:
    """Which methods, and where the result goes."""
    sub.add_argument("--methods", default=",".join(METHODS), help="the first is the yardstick")
    sub.add_argument(
        "--save", action="store_true", help="put the rows into assets/demo and docs/methods.md"
    )


def remedies(args: argparse.Namespace) -> dict[str, Any]:
    """Measure all methods on the demo's prompts."""
    page = paths.page("methods.md") if args.save else None
    from dataclasses import replace

    from memviz.evaluation import methods as evaluation
    from memviz.guidance.spec import split_methods

    plan = replace(evaluation.demo(), methods=split_methods(args.methods))
    result = evaluation.remedies(plan, say)
    if page:
        file = evaluation.results_file()
        if file.is_file():
            result = evaluation.merged(json.loads(file.read_text("utf-8")), result)
        atomic.json(file, result)
        atomic.text(page, evaluation.refresh(page.read_text("utf-8"), result))
    return result


def as_table(result: dict[str, Any]) -> str:
    """A line per method."""
    rows = [
        (
            METHODS[key].label,
            *(f"{row[g][n]['mean']:.2f}" for g in ("duplicated", "heldout")
              for n in ("similarity", "copied", "alignment")),
            f"{row['duplicated']['evaluations']:g}",
            f"{row['seconds_to_first']:.2f}",
        )
        for key, row in result["rows"].items()
    ]  # fmt: skip
    names = ("similarity", "copied", "alignment")
    head = ("method", *names, *(f"held: {n}" for n in names), "evaluations", "seconds")
    return table(head, rows)


VERB = Verb(
    remedies,
    as_table,
    options,
)

"""`memviz doctor`."""

import argparse
from typing import Any

from memviz.cli.command import Verb
from memviz.cli.tables import table


def options(sub: argparse.ArgumentParser) -> None:
    """How far it goes."""
    sub.add_argument("--dry-run", action="store_true", help="list what is wrong, change nothing")
    sub.add_argument("--remove", action="store_true", help="remove damaged entries as well")


def doctor(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Every problem of the data folder and what was done about it."""
    from memviz import upkeep

    return [treat(problem, args) for problem in [*upkeep.find_problems()]]


def treat(problem: Any, args: argparse.Namespace) -> dict[str, Any]:  # noqa: ANN401 - loaded late
    """Mend one problem, unless that is not wanted."""
    done = "listed"
    if problem.mend and not args.dry_run and (args.remove or not problem.loses):
        problem.mend()
        done = "mended"
    hint = "doctor --remove removes it" if problem.loses and done == "listed" else problem.repair
    return {"path": str(problem.path), "what": problem.what, "repair": hint, "state": done}


def as_table(result: list[dict[str, Any]]) -> str:
    """A line per problem."""
    rows = [(one["state"], one["what"], one["repair"], one["path"]) for one in result]
    return table(("", "what", "repair", "where"), rows) if rows else "Everything is in order."


VERB = Verb(doctor, as_table, options)

"""`python -m memviz models`."""

import argparse
from typing import Any

from memviz.cli.command import Verb
from memviz.cli.tables import table


def models(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The known models."""
    from memviz.models.loading import known

    return known()


def as_table(result: list[dict[str, Any]]) -> str:
    """One line each."""
    rows = [
        (m["name"], f"{m['parameters']:,}" if m["parameters"] else "not here yet", m["path"])
        for m in result
    ]
    return table(("name", "parameters", "path"), rows)


VERB = Verb(models, as_table)

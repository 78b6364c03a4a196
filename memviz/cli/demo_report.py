"""`python -m memviz demo-report`."""

import argparse
import json
from typing import Any

from memviz.cli.command import Verb, say
from memviz.cli.tables import table


def demo_report(args: argparse.Namespace) -> dict[str, Any]:
    """Measure the demo world again."""
    from memviz.demo.report import report

    return report(say)


def as_table(result: dict[str, Any]) -> str:
    """A figure a line."""
    rows = [(k, v if isinstance(v, str | int) else json.dumps(v)) for k, v in result.items()]
    return table(("figure", "value"), rows)


VERB = Verb(demo_report, as_table)

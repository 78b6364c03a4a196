"""The card before a start, whatever would be started."""

from collections.abc import Iterable

from memviz.io import html

Facts = Iterable[tuple[str, str]]  # label and value


def render_plan(missing: Iterable[str], facts: Facts, warnings: Iterable[str] = ()) -> str:
    """What stands against it first, then the facts, then what makes them uncertain."""
    told = {"missing": [*missing], "facts": [*facts], "warnings": [*warnings]}
    return html.render("ui/shared/plan_card.html", **told)

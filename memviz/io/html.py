"""HTML from templates, in which all that a person typed is text and never markup.

Templates are `.html` files beside the module that fills them.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

PACKAGE = Path(__file__).parents[1]


@cache
def environment() -> "Environment":
    """Where templates come from: a value that is missing is an error, and all are escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(PACKAGE, encoding="utf-8")
    how = {"autoescape": True, "undefined": StrictUndefined}
    return Environment(loader=loader, trim_blocks=True, lstrip_blocks=True, **how)


def render(template: str, **values: object) -> str:
    """The template at a place within the package, as "search/report.html", with these values."""
    return environment().get_template(template).render(values)

"""Templates: what a person typed stays text, and what is missing is an error."""

import pytest
from jinja2 import UndefinedError
from markupsafe import escape

from memviz.io.html import PACKAGE, environment, render

TEMPLATES = sorted(str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.html"))
NASTY = "<script>alert('\"&')</script>"


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_can_be_read(name):
    assert environment().get_template(name)


def test_markup_in_a_value_is_text():
    page = render("ui/neighbours/jobs.html", lines=[(NASTY, NASTY)])
    assert NASTY not in page and page.count(str(escape(NASTY))) == 2
    assert render("ui/neighbours/jobs.html", lines=[]) == ""


def test_a_missing_value_is_an_error():
    with pytest.raises(UndefinedError, match="lines"):
        render("ui/neighbours/jobs.html")

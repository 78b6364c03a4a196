"""The scripts of the components, plotly's own, and the address of a file for the page."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import plotly

UI = Path(__file__).parents[1]


PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def script(names: Sequence[str]) -> str:
    """A component's JavaScript: the files share one function scope, in this order."""
    return "\n".join((UI / name).read_text("utf-8") for name in names)


def file_path(path: Path) -> str:
    """The address of a served file, without the host."""
    return f"/gradio_api/file={quote(path.absolute().as_posix())}"

"""A finished run as one HTML file that opens from disk: the player with all that it shows inside.

A page from disk may fetch nothing, modules least of all: they stand in it as data, by names that an
import map knows, and so do the pictures.
"""

import base64
import json
import mimetypes
import posixpath
import re
from pathlib import Path
from typing import Any

from memviz.io import atomic
from memviz.io.html import render
from memviz.runs.store import Run
from memviz.ui.compare import view as compare_view
from memviz.ui.shared import assets

MODULE = compare_view.Player.module
PLOTLY = "vendor/plotly-cartesian.min.js"
STYLES = ("compare/player.css", "shared/static_page.css")
IMPORT = re.compile(r"""(\bfrom\s*|^import\s*)(['"])(\.{1,2}/[^'"]+)\2""", re.M)


def write_page(run: Run, file: Path) -> Path:
    """Write the page of a run."""
    atomic.text(file, make_page(run))
    return file


def make_page(run: Run) -> str:
    """The page: scripts, styles, view and pictures in one text."""
    view = compare_view.view(run) | {"base": ""}
    scripts = assets.scripts()
    return render(
        "ui/compare/static_page.html",
        title=run.record.title,
        run=run.record.id,
        styles="\n".join((assets.UI / name).read_text("utf-8") for name in STYLES),
        plotly=scripts[PLOTLY].decode().replace("</", "<\\/"),
        imports=to_script({"imports": {name: encode(text, "text/javascript")
                                       for name, text in collect_modules(MODULE).items()}}),
        view=to_script(view),
        files=to_script(encode_pictures(run)),
        module=MODULE,
    )  # fmt: skip


def collect_modules(name: str) -> dict[str, bytes]:
    """A module and all that it imports, which they name by their places below `memviz/ui`."""
    found: dict[str, bytes] = {}
    wanted = [name]
    while wanted:
        one = wanted.pop()
        folder, text = posixpath.dirname(one), assets.scripts()[one].decode()
        paths = [posixpath.normpath(posixpath.join(folder, path))
                 for _, _, path in IMPORT.findall(text)]  # fmt: skip
        names = iter(paths)
        found[one] = IMPORT.sub(lambda m, n=names: f"{m[1]}{m[2]}{next(n)}{m[2]}", text).encode()
        wanted += [path for path in paths if path not in found]
    return found


def encode_pictures(run: Run) -> dict[str, str]:
    """Each picture that the player shows, as a data address by its path in the run's folder."""
    cells = run.record.cells
    names = {name for cell in cells for name in (cell.image, cell.sheet) if name}
    names |= {match.image for cell in cells for match in cell.matches}
    return {
        name: encode((run.folder / name).read_bytes(), mimetypes.guess_type(name)[0] or "")
        for name in sorted(names)
        if (run.folder / name).is_file()
    }


def encode(data: bytes, kind: str) -> str:
    """A data address."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def to_script(value: Any) -> str:  # noqa: ANN401 - JSON
    """JSON that may stand in a script element, whatever texts are in it."""
    return json.dumps(value).replace("<", "\\u003c")

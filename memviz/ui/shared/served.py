"""The files that the page shows, at addresses that name no folder of this machine.

Pictures of runs and searches, and small ones of jobs: `/memviz-files/runs/ID/images/0.png`. Their
ids cannot be guessed. On a public page pictures are all that is served: the tables beside them name
the places of training images.
"""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from memviz.evaluation import store as evaluations
from memviz.io.paths import home
from memviz.runs import store
from memviz.search.folder import root as searches
from memviz.ui.shared import access

if TYPE_CHECKING:
    from starlette.routing import Mount

PREFIX = "/memviz-files"
PICTURES = (".png", ".jpg", ".webp")
# in the browser, where a report runs no script; all else is saved by it
SHOWN = (*PICTURES, ".json", ".txt", ".html")


def thumbs() -> Path:
    """Where small pictures of jobs are kept: $MEMVIZ_HOME/thumbs."""
    return home() / "thumbs"


def roots() -> dict[str, Path]:
    """The folders that are served, by the name they go by."""
    examples = {f"examples{n or ''}": place for n, place in enumerate(store.bundled_roots())}
    return {
        "runs": store.root(),
        "searches": searches(),
        "evaluations": evaluations.root(),
        "thumbs": thumbs(),
        **examples,
    }


def file_path(path: Path) -> str:
    """The address of a file or folder, without the host; of one that is not served, none is."""
    for name, root in roots().items():
        if path.absolute().is_relative_to(root.absolute()):
            inside = path.absolute().relative_to(root.absolute())
            return f"{PREFIX}/{name}/{quote(inside.as_posix())}"
    return f"{PREFIX}/nowhere/{quote(path.name)}"


def route() -> "Mount":
    """What the server answers below PREFIX."""
    from starlette.requests import Request
    from starlette.responses import FileResponse, Response
    from starlette.routing import Mount, Route

    def send(request: Request) -> Response:
        file = find(request.path_params["name"], request.path_params["path"])
        if file is None:
            return Response("There is no such file here.", status_code=404)
        inline = file.suffix in SHOWN
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        how = "inline" if inline else "attachment"
        return FileResponse(file, headers=headers, filename=file.name, content_disposition_type=how)

    return Mount(PREFIX, routes=[Route("/{name}/{path:path}", send)])


def find(name: str, path: str) -> Path | None:
    """A served file; None for what is not there, not served, or leads elsewhere."""
    root = roots().get(name)
    if root is None or "\0" in path or not path:
        return None
    file = (root / path).resolve()
    hidden = any(part.startswith(".") for part in Path(path).parts)
    if hidden or not file.is_relative_to(root.resolve()) or not file.is_file():
        return None
    closed = access.public() and file.suffix not in PICTURES
    return None if closed else file

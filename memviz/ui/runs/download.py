"""A run as a file for the browser to save, made when it is asked for: a zip, or a page.

Not on a public page, where only pictures are handed out.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from memviz.errors import MemvizError
from memviz.runs import store
from memviz.runs.bundle import pack_run
from memviz.ui.compare.static_page import write_page
from memviz.ui.shared import access

if TYPE_CHECKING:
    from starlette.routing import Mount

PREFIX = "/memviz-bundles"
WRITERS = {"zip": pack_run, "html": write_page}


def route() -> "Mount":
    """What the server answers below PREFIX: ID.zip and ID.html."""
    from starlette.background import BackgroundTask
    from starlette.requests import Request
    from starlette.responses import FileResponse, Response
    from starlette.routing import Mount, Route

    def send(request: Request) -> Response:
        name: str = request.path_params["name"]
        run_id, _, kind = name.partition(".")
        if access.public() or kind not in WRITERS:
            return Response("There is no such file here.", status_code=404)
        place = TemporaryDirectory()
        try:
            file = WRITERS[kind](store.read(run_id), Path(place.name) / name)
        except MemvizError as error:
            place.cleanup()
            return Response(str(error), status_code=404)
        task = BackgroundTask(place.cleanup)
        return FileResponse(file, filename=name, background=task)

    return Mount(PREFIX, routes=[Route("/{name}", send)])

"""The scripts of the page as files that the browser keeps, and the address of a file for it."""

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import Mount

UI = Path(__file__).parents[1]
KEEP = "public, max-age=31536000, immutable"  # the address changes with the content


@cache
def scripts() -> dict[str, bytes]:
    """Every module by its place below `memviz/ui`, read once: a running page sees one version."""
    files = sorted(UI.rglob("*.js"))
    return {file.relative_to(UI).as_posix(): file.read_bytes() for file in files}


@cache
def root() -> str:
    """The folder of the modules in the page's addresses; another one after any change."""
    digest = hashlib.sha256()
    for name, text in scripts().items():
        digest.update(f"{name}\0{len(text)}\0".encode() + text)
    return f"/memviz-ui/{digest.hexdigest()[:16]}"


def module_path(name: str) -> str:
    """The address of a module, without the host."""
    return f"{root()}/{name}"


def preloads(*folders: str) -> str:
    """Links that fetch all modules of these folders while the page still builds itself.

    They are relative, so that they hold wherever the app is mounted.
    """
    names = [name for name in scripts() if name.partition("/")[0] in folders]
    paths = [module_path(name).lstrip("/") for name in names]
    return "".join(f'<link rel="modulepreload" href="{path}">' for path in paths)


def route() -> "Mount":
    """Serves the modules of this version and nothing else."""
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Mount, Route

    def send(request: Request) -> Response:
        text = scripts().get(request.path_params["name"])
        if text is None:
            return Response(status_code=404)
        return Response(text, media_type="text/javascript", headers={"Cache-Control": KEEP})

    return Mount(root(), routes=[Route("/{name:path}", send)])

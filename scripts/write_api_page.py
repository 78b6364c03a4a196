"""Write docs/api.md from the endpoints themselves: `python scripts/write_api_page.py`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradio.data_classes import APIEndpointInfo
from gradio.utils import get_function_description

from memviz.io import atomic
from memviz.ui import app
from memviz.ui.endpoints import NAMES, Endpoints
from memviz.ui.shared import live, start_run
from memviz.ui.transition import detect_panel

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
HEAD = """\
# The API and the tools for agents

Five endpoints have a name; no other handler of the page answers to one. `python scripts/write_api_page.py` writes this page from them.

```python
from gradio_client import Client, handle_file

client = Client("http://127.0.0.1:7860")
run = client.predict("vintage fox poster with cactus", "cfg,stp", "0,1", api_name="/compare")
near = client.predict(handle_file("picture.png"), api_name="/nearest")
```

The answers are JSON. Pictures, and at home the tables and reports, stand in them as addresses of the app. `GET /gradio_api/openapi.json` describes the endpoints to other languages.

`memviz app --mcp` (or `GRADIO_MCP_SERVER=True`) serves them to agents as well; a Space always does:

```json
{{"mcpServers": {{"memviz": {{"url": "http://127.0.0.1:7860/gradio_api/mcp/"}}}}}}
```

A public page takes models, corpora and descriptors of its lists only, {most:,} steps times pictures of a comparison or a list of prompts, {prompts} prompts of a list, pictures of up to 10 MB, and {line} comparisons in line, one of each visitor. At home nothing is limited but the size of a run.
"""


def render_page() -> str:
    """The page as Markdown."""
    info = app.build().get_api_info()["named_endpoints"]
    head = HEAD.format(most=start_run.MOST, prompts=detect_panel.MOST, line=live.LINE)
    return "\n".join([head, *(render_endpoint(name, info[f"/{name}"]) for name in NAMES)])


def render_endpoint(name: str, info: APIEndpointInfo) -> str:
    """One endpoint: what it does, what it takes, what it answers."""
    about, meanings, answer = get_function_description(getattr(Endpoints, name))
    rows = [
        f"| `{each['parameter_name']}` | {render_type(each)} | {render_default(each)} | "
        f"{meanings[each['parameter_name']]} |"
        for each in info["parameters"]
    ]
    table = "\n".join(["| name | type | if left out | |", "|---|---|---|---|", *rows])
    return f"## /{name}\n\n{about}\n\n{table}\n\nIt answers with: {' '.join(answer)}\n"


def render_type(parameter: Mapping[str, Any]) -> str:
    """The type of a value as a client sends it."""
    return "file" if parameter["component"] == "Image" else parameter["type"]["type"]


def render_default(parameter: Mapping[str, Any]) -> str:
    """What a call without this parameter gets."""
    if not parameter["parameter_has_default"] or parameter["parameter_default"] is None:
        return "must be given"
    return (
        f"`{parameter['parameter_default']}`" if parameter["parameter_default"] != "" else "empty"
    )


if __name__ == "__main__":
    atomic.text(PAGE, render_page())

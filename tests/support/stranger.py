"""A stranger who knows Gradio's protocol: posts anything to any handler of a running page."""

import json
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES: dict[int, str] = {}  # of the page's handlers by number; the page tells none


class Stranger:
    """A session of somebody who sends what no page would."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.session = uuid.uuid4().hex
        self.config = json.loads(self.read("config"))
        self.components = {c["id"]: c for c in self.config["components"]}

    def read(self, path: str, headers: dict[str, str] | None = None) -> str:
        """What a GET answers."""
        request = urllib.request.Request(f"{self.url}/{path}", headers=headers or {})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode("utf-8", "replace")

    def handlers(self) -> Iterator[dict[str, Any]]:
        """Every handler of the page that runs on the server, those to come too."""
        return (
            d | {"api_name": d["api_name"] or NAMES.get(d["id"])}
            for d in self.config["dependencies"]
            if d["backend_fn"]
        )

    def inputs(self, handler: dict[str, Any]) -> list[dict[str, Any]]:
        """The components whose values it takes."""
        return [self.components[number] for number in handler["inputs"]]

    def usual(self, handler: dict[str, Any]) -> list[Any]:
        """The values that the page itself would send first."""
        return [component["props"].get("value") for component in self.inputs(handler)]

    def post(
        self,
        handler: dict[str, Any],
        data: list[Any],
        event_data: object = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Join the queue and wait for the last message: {"success": …, "output": …}."""
        body = {"data": data, "fn_index": handler["id"], "session_hash": self.session,
                "event_data": event_data, "trigger_id": None}  # fmt: skip
        request = urllib.request.Request(
            f"{self.url}/gradio_api/queue/join",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **(headers or {})},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            event = json.loads(answer.read())["event_id"]
        stream = f"{self.url}/gradio_api/queue/data?session_hash={self.session}"
        with urllib.request.urlopen(stream, timeout=120) as lines:
            for line in lines:
                if line.startswith(b"data:"):
                    said = json.loads(line[5:])
                    if said.get("event_id") == event and said["msg"] == "process_completed":
                        return said
        raise AssertionError("the queue ended without an answer")


@contextmanager
def served(**options: Any) -> Iterator[str]:
    """The real app on a free port of this machine; its address."""
    from memviz.ui import app

    demo = app.build()
    NAMES.update({number: handler.name for number, handler in demo.fns.items()})
    url = app.launch(demo, prevent_thread_lock=True, quiet=True, **options)
    try:
        yield url
    finally:
        demo.close()

"""The modules of the page as files: found, kept by the browser, and nothing else served."""

import re
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from starlette.applications import Starlette
from starlette.testclient import TestClient

from memviz.ui.compare.view import Player
from memviz.ui.shared import assets


@pytest.fixture(scope="module")
def page() -> TestClient:
    return TestClient(Starlette(routes=[assets.route()]))


def test_a_module_is_sent_once_per_version(page):
    answer = page.get(assets.module_path(Player.module))
    assert answer.status_code == 200 and "export function mount" in answer.text
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["app.py", "../ui/app.py", "compare/view.py", "shared", "no.js"])
def test_nothing_else_is_sent(page, name):
    assert page.get(f"{assets.root()}/{name}").status_code == 404


def test_what_a_module_imports_is_there():
    for name, text in assets.scripts().items():
        for source in re.findall(r"from '(\.[^']*)'", text.decode()):
            place = (assets.UI / name).parent / source
            assert place.resolve().is_file(), f"{name} imports {source}"


def test_gradio_can_build_it_again_from_its_arguments_and_writes_no_file():
    player = Player({"note": "none yet"}, elem_id="player")
    again = Player(**player.constructor_args, render=False)
    assert again.get_config()["elem_id"] == "player"
    assert assets.module_path("compare/player.js") in again.get_config()["js_on_load"]
    assert not [*Path(assets.UI).rglob("*.pyi")]

"""The API as its clients meet it: gradio_client, an agent over MCP, and plain HTTP."""

import ast
import asyncio
import importlib.util
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from memviz.runs import store
from memviz.ui.endpoints import NAMES
from memviz.ui.shared.gate import folders
from tests.support.stranger import Stranger, served

ROOT = Path(__file__).parents[2]
PROMPT = "vintage fox poster with cactus"


@pytest.fixture(scope="module")
def home_page(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMVIZ_HOME", str(tmp_path_factory.mktemp("home")))
        with served(mcp_server=True) as url:
            yield url


@pytest.fixture(scope="module")
def public_page(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMVIZ_HOME", str(tmp_path_factory.mktemp("public")))
        patch.setenv("MEMVIZ_PUBLIC", "1")
        folders.cache_clear()
        with served() as url:
            yield url
    folders.cache_clear()


@pytest.fixture(scope="module")
def client(home_page):
    return Client(home_page, verbose=False)


@pytest.fixture(scope="module")
def run(client):
    """Two pictures of the demo in two steps."""
    return client.predict(PROMPT, "cfg,stp", "0", 2, api_name="/compare")


def test_only_the_five_have_a_name(client, home_page):
    told = client.view_api(return_format="dict", print_info=False)
    assert {name.strip("/") for name in told["named_endpoints"]} == set(NAMES)
    names = [d["api_name"] for d in Stranger(home_page).config["dependencies"] if d["api_name"]]
    assert sorted(names) == sorted(NAMES)


@pytest.mark.parametrize("route", ["run", "api", "call"])
def test_the_page_s_own_handlers_answer_to_no_name(home_page, route):
    for name in ("open_page", "page", "remove", "start", "predict"):
        wanted = urllib.request.Request(
            f"{home_page}gradio_api/{route}/{name}",
            b'{"data": []}',
            {"Content-Type": "application/json"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(wanted, timeout=30)
        assert refused.value.code == 404, name


def test_compare_answers_with_cells_and_addresses_of_their_pictures(run):
    assert [cell["method"] for cell in run["cells"]] == ["cfg", "stp"]
    for cell in run["cells"]:
        with urllib.request.urlopen(cell["image"], timeout=30) as file:
            assert Image.open(file).size == (64, 64)
        assert 0 < cell["similarity"] < 1 and cell["match"]["caption"]
    assert [file.rpartition("/")[2] for file in run["files"]] == ["run.json", "trace.parquet"]
    assert urllib.request.urlopen(run["files"][0], timeout=30).status == 200


def test_runs_lists_what_was_made_and_tells_all_of_one(client, run):
    listed = client.predict(api_name="/runs")["runs"]
    assert listed[0]["id"] == run["run"] and listed[0]["cells"] == 2
    assert client.predict(run["run"], api_name="/runs") == run


def test_nearest_finds_the_training_image_of_a_copy(client, tmp_path):
    copy = store.bundled()[0].record.id
    cell = client.predict(copy, api_name="/runs")["cells"][0]
    file = tmp_path / "picture.png"
    file.write_bytes(urllib.request.urlopen(cell["image"], timeout=30).read())
    found = client.predict(handle_file(file), api_name="/nearest")
    assert found["matches"][0]["id"] == cell["match"]["id"]
    assert found["similarity"] == pytest.approx(cell["similarity"], abs=2e-3)
    with urllib.request.urlopen(found["matches"][0]["picture"], timeout=30) as picture:
        assert Image.open(picture).size == (64, 64)


def test_detect_scores_every_line(client):
    told = client.predict(f"{PROMPT}\na cat", "demo", 5, api_name="/detect")
    assert [row["prompt"] for row in told["prompts"]] == [PROMPT, "a cat"]
    assert all(row["scores"]["k1_n1"] > 0 for row in told["prompts"])


def test_sweep_answers_with_a_point_per_value(client):
    told = client.predict(PROMPT, values="300,900", steps=2, api_name="/sweep")
    assert [point["at"] for point in told["points"]] == [300, 900] and told["best"]["reason"]


def test_a_mistake_is_one_sentence(client):
    with pytest.raises(AppError, match="No method is named 'magic'"):
        client.predict("x", "magic", api_name="/compare")
    with pytest.raises(AppError, match="There are no prompts"):
        client.predict(" ", api_name="/compare")


def test_an_agent_lists_the_tools_and_calls_one(home_page):
    async def talk():
        async with (
            streamable_http_client(f"{home_page}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            arguments = {"prompts": PROMPT, "methods": "cfg", "steps": 2}
            return tools, await session.call_tool("compare", arguments)

    with ThreadPoolExecutor(1) as pool:  # a browser test before this one leaves a running loop
        tools, answer = pool.submit(asyncio.run, talk()).result()
    assert {tool.name for tool in tools} == set(NAMES)
    for tool in tools:
        assert tool.description
        assert all(one.get("description") for one in tool.inputSchema["properties"].values())
    assert not answer.isError
    assert ast.literal_eval(answer.content[0].text)["cells"][0]["method"] == "cfg"


def test_a_public_page_limits_calls_as_it_limits_visitors(public_page):
    client = Client(public_page, verbose=False)
    with pytest.raises(AppError, match="this public page makes 4,000"):
        client.predict("x", "cfg", "0-9", 1000, api_name="/compare")
    with pytest.raises(AppError, match="choose from the lists"):
        client.predict("x", "cfg", "0", 2, "ddim", "/some/model", api_name="/compare")
    told = client.predict("x", "cfg", "0", 2, api_name="/compare")
    assert told["files"] == [] and not folders().search(str(told))
    assert urllib.request.urlopen(told["cells"][0]["image"], timeout=30).status == 200
    titles = [one["title"] for one in client.predict(api_name="/runs")["runs"]]
    assert "x" not in titles and "A copied prompt" in titles


def test_the_page_of_the_api_is_written_from_the_endpoints():
    spec = importlib.util.spec_from_file_location("page", ROOT / "scripts/write_api_page.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.render_page() == made.PAGE.read_text(), "run: python scripts/write_api_page.py"

"""A public page as a stranger meets it: the real app over HTTP, every handler it has."""

import logging
import os
import urllib.error
from pathlib import Path

import pytest

from memviz.ui.shared import access
from memviz.ui.shared.gate import CLOSED, DEFECT, STRANGE, folders, hide_folders
from tests.support.stranger import Stranger, served

TOKEN = "a token of more than sixteen"
WORDS = ("textbox",)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    home = tmp_path_factory.mktemp("public")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMVIZ_HOME", str(home))
        patch.setenv("MEMVIZ_PUBLIC", "1")
        patch.setenv("MEMVIZ_OWNER_TOKEN", TOKEN)
        folders.cache_clear()
        (home / "pictures").mkdir()
        with served() as url:
            yield Stranger(url), home
    folders.cache_clear()


def hostile(home):
    """Values for a list or a closed box: some exist on this machine, some do not."""
    return ["/etc", "/etc/passwd", str(home), str(home / "pictures"), "/nowhere/at/all", "../..",
            "~root", "owner/name", "CompVis/stable-diffusion-v1-4", "sd-1.4", "demo+/etc", "",
            ["/etc"], {"path": "/etc/passwd"}, 1e999, -1, True, "x" * 100_000]  # fmt: skip


def is_open(component):
    """What takes any words, so that a path in it is but a prompt."""
    props = component["props"]
    known = ("prompt", "seeds", "t-prompt", "t-values", "t-others", "t-seeds", "t-prompts",
             "t-method", "near-words", "owner")  # fmt: skip
    return props.get("elem_id") in known or str(props.get("elem_id")).startswith("api-")


def test_no_list_and_no_closed_box_of_any_handler_takes_what_it_does_not_offer(page):
    stranger, home = page
    asked = 0
    for handler in stranger.handlers():
        usual, inputs = stranger.usual(handler), stranger.inputs(handler)
        for place, component in enumerate(inputs):
            if component["type"] in ("state", "number", "checkbox") or is_open(component):
                continue
            offered = [value for _, value in component["props"].get("choices") or ()]
            few = hostile(home) if asked < 400 else hostile(home)[2:5]
            for value in (v for v in few if v not in offered):
                sent = [*usual[:place], value, *usual[place + 1 :]]
                said = stranger.post(handler, sent)
                assert not said["success"] and said["output"]["error"] == CLOSED, (
                    handler["api_name"], component["props"].get("label"), value, said,
                )  # fmt: skip
                asked += 1
    assert asked > 300


def test_every_handler_answers_its_own_values_and_names_no_folder_of_this_machine(page):
    stranger, _ = page
    heavy = ("compare", "start", "remove", "detect", "look", "answer", "enter", "rerun", "handle")
    for handler in stranger.handlers():
        if str(handler["api_name"]).rstrip("_0123456789") in heavy:
            continue
        said = stranger.post(handler, stranger.usual(handler))
        assert not folders().search(str(said)), (handler["api_name"], said)
        assert not said["success"] or "Traceback" not in str(said)


def test_the_page_itself_names_no_folder_and_no_component_has_functions_of_its_own(page):
    stranger, _ = page
    config = stranger.read("config")
    assert not folders().search(config.replace("/gradio_api/file=", ""))
    assert not any(c["props"].get("server_fns") for c in stranger.config["components"])


def test_pictures_are_served_and_nothing_else_of_this_machine(page):
    stranger, home = page
    run = home / "runs/20260102-030405-0123456789abcdef"
    (run / "images").mkdir(parents=True)
    (run / "images/0.png").write_bytes(b"\x89PNG")
    (run / "run.json").write_text("{}")
    (run / "images/out.png").symlink_to("/etc/passwd")
    base = f"memviz-files/runs/{run.name}"
    assert stranger.read(f"{base}/images/0.png")
    for place in (f"{base}/run.json", f"{base}/images/out.png", f"{base}/../../config.json",
                  f"{base}/images", "memviz-files/nothing/x.png", "memviz-files/runs/%2e%2e/x.png",
                  f"gradio_api/file={run}/run.json", f"gradio_api/file={home}",
                  "gradio_api/file=/etc/passwd"):  # fmt: skip
        with pytest.raises(urllib.error.HTTPError) as refused:
            stranger.read(place)
        assert refused.value.code in (403, 404), place


def test_a_wrong_count_of_values_and_odd_events_get_a_sentence(page):
    stranger, _ = page
    for handler in stranger.handlers():
        said = stranger.post(handler, [None] * (len(handler["inputs"]) + 1))
        assert said["output"]["error"] == CLOSED
        said = stranger.post(handler, stranger.usual(handler), event_data={"x": "y" * 5_000})
        assert said["output"]["error"] == CLOSED


def test_sizes_of_a_visitor_are_limited_and_one_comparison_is_enough(page):
    stranger, _ = page
    compare = next(h for h in stranger.handlers() if h["api_name"] == "compare")
    values = stranger.usual(compare)
    ids = [component["props"].get("elem_id") for component in stranger.inputs(compare)]
    values[ids.index("steps")], values[ids.index("seeds")] = 1_000, "0-9"
    said = stranger.post(compare, values)
    assert "this public page makes" in str(said["output"]["data"])


def test_the_owner_comes_in_with_the_token_and_guesses_get_slower(page, monkeypatch):
    waits = []
    monkeypatch.setattr(access.time, "sleep", waits.append)
    for _ in range(8):
        assert not access.knows("wrong", "1.2.3.4")
    assert waits[1:] == sorted(waits[1:]) and waits[-1] == access.LONGEST_DELAY
    assert access.knows(TOKEN, "1.2.3.4")
    stranger = Stranger(page[0].url)
    enter = next(h for h in stranger.handlers() if h["api_name"] == "enter")
    change = next(h for h in stranger.handlers() if h["api_name"] == "change")
    sent = ["/some/model", *stranger.usual(change)[1:]]
    assert stranger.post(change, sent)["output"]["error"] == CLOSED
    assert stranger.post(enter, [TOKEN])["success"]
    assert "/some/model" in str(stranger.post(change, sent)["output"]["data"])


def test_the_owner_s_token_goes_to_no_job(monkeypatch):
    from memviz import jobs

    monkeypatch.setenv("MEMVIZ_OWNER_TOKEN", TOKEN)
    assert TOKEN not in jobs.environment().values()


@pytest.mark.parametrize(
    ("environment", "options", "public"),
    [
        ({}, {}, False),
        ({}, {"server_name": "127.0.0.1"}, False),
        ({}, {"server_name": "localhost"}, False),
        ({}, {"server_name": "::1"}, False),
        ({}, {"server_name": "0.0.0.0"}, True),
        ({}, {"server_name": "192.168.0.7"}, True),
        ({}, {"server_name": "box.example"}, True),
        ({}, {"share": True}, True),
        ({}, {"root_path": "/app"}, True),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, {}, True),
        ({"GRADIO_SHARE": "True"}, {}, True),
        ({"GRADIO_ROOT_PATH": "/x"}, {}, True),
        ({"SPACE_ID": "some/space"}, {}, True),
        ({"SPACE_ID": "some/space"}, {"server_name": "127.0.0.1"}, True),
        ({"MEMVIZ_PUBLIC": "1"}, {}, True),
        ({"MEMVIZ_PUBLIC": "0"}, {"root_path": "/app"}, False),
    ],
)
def test_public_is_what_others_can_reach(environment, options, public, monkeypatch):
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SHARE", "GRADIO_ROOT_PATH", "SPACE_ID",
                 "MEMVIZ_PUBLIC"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    access.serve(options)
    try:
        assert access.public() is public
    finally:
        access.serve({})


def test_a_page_for_one_machine_that_a_proxy_forwards_answers_nobody(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path))
    monkeypatch.delenv("MEMVIZ_PUBLIC", raising=False)
    with served() as url:
        stranger = Stranger(url)
        near = next(h for h in stranger.handlers() if h["api_name"] == "make_view")
        assert stranger.post(near, [])["success"]
        forwarded = {"X-Forwarded-For": "6.6.6.6"}
        assert stranger.post(near, [], headers=forwarded)["output"]["error"] == STRANGE


def test_a_defect_of_ours_is_called_one_and_keeps_its_traceback(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path))
    from memviz.ui.runs import view

    with served() as url:
        stranger = Stranger(url)
        page = next(h for h in stranger.handlers() if h["api_name"] == "make_view")
        monkeypatch.setattr(view, "summarize_run", lambda *_, **__: 1 / 0)
        with caplog.at_level(logging.WARNING):
            said = stranger.post(page, [])
    assert said["output"]["error"] == DEFECT.format(name="ZeroDivisionError")
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_of_a_path_only_its_last_part_goes_out():
    place = Path.cwd() / "some/corpus"
    assert hide_folders(f"No folder: {place}. Check it.") == "No folder: corpus. Check it."
    assert hide_folders({"a": [str(place), 3, None]}) == {"a": ["corpus", 3, None]}
    assert hide_folders(f"'{os.getcwd()}'") in ("'…'",)

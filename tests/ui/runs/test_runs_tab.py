"""The Runs tab: what is found of each run, and what its buttons do to the folders."""

import io
import zipfile

import pytest

pytest.importorskip("gradio")

import gradio as gr
from starlette.applications import Starlette
from starlette.testclient import TestClient

from memviz.errors import InputError
from memviz.runs import store, trash
from memviz.runs.note import STAR, read_note
from memviz.ui.compare import two_models
from memviz.ui.compare import view as compare_view
from memviz.ui.runs import download, handlers
from memviz.ui.runs.view import make_view
from memviz.ui.transition import form as sweep_form
from memviz.ui.transition import handlers as sweep_handlers
from tests.support import fixture_run

OLD, NEW = "20250101-120000-0123456789abcdef", "20250102-120000-0123456789abcdef"


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """A home with two runs, and no bundled ones."""
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MEMVIZ_DEMO", str(tmp_path))
    for run_id, seeds in ((OLD, (0, 1)), (NEW, (1, 2))):
        fixture_run.make(tmp_path / "home" / "runs", run_id, seeds, steps=3)
    return tmp_path / "home" / "runs"


def change(**told):
    return handlers.change_runs(gr.EventData(None, told))


def listed(view):
    return [run["id"] for run in view["runs"]]


def test_a_run_is_found_by_what_it_is():
    newest, oldest = make_view()["runs"]
    assert (newest["id"], oldest["id"]) == (NEW, OLD)
    assert newest["methods"] == ["cfg", "stp", "dtp", "og"] and newest["pictures"] == 8
    assert newest["kinds"] == ["close", "copied", "none"] and newest["model"] == "demo"
    assert newest["bytes"] > 10_000 and newest["own"] and not newest["sweep"]
    assert newest["thumbs"][0] == f"memviz-files/runs/{NEW}/images/0.png"


def test_a_name_a_note_and_a_star_are_kept_beside_the_record(root):
    before = (root / OLD / "run.json").read_bytes()
    view = change(do="note", id=OLD, name=" Fox ", note="<b>mine</b>", starred=True)
    found = view["runs"][1]
    assert (found["name"], found["note"], found["starred"]) == ("Fox", "<b>mine</b>", True)
    assert (root / OLD / STAR).exists() and (root / OLD / "run.json").read_bytes() == before
    change(do="note", id=OLD, name="", note="", starred=False)
    assert read_note(root / OLD) == type(read_note(root / OLD))()


def test_deleted_runs_come_back_until_they_are_gone_for_good(root):
    view = change(do="delete", ids=[OLD, NEW])
    assert listed(view) == [] and {run["id"] for run in view["deleted"]} == {OLD, NEW}
    assert listed(change(do="restore", ids=[OLD])) == [OLD] and (root / OLD / "run.json").is_file()
    trash.empty_trash(0)
    view = change(do="restore", ids=[NEW])
    assert "not among the deleted" in view["message"] and listed(view) == [OLD]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"do": "format"},
        {"do": "delete"},
        {"do": "delete", "ids": [OLD, "../.."]},
        {"do": "note", "id": OLD, "name": "x" * 3_000, "note": "", "starred": False},
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(told):
    view = change(**told)
    assert view["message"] and listed(view) == [NEW, OLD] and not view["deleted"]


def test_on_a_public_page_nothing_is_listed_changed_or_handed_out(monkeypatch, root):
    monkeypatch.setenv("MEMVIZ_PUBLIC", "1")
    view = change(do="delete", ids=[OLD])
    assert view["message"] == handlers.CLOSED and listed(view) == [] and not view["home"]
    assert (root / OLD).is_dir()
    page = TestClient(Starlette(routes=[download.route()]))
    assert page.get(f"{download.PREFIX}/{OLD}.zip").status_code == 404


def test_a_run_is_handed_out_as_a_zip_and_as_a_page():
    page = TestClient(Starlette(routes=[download.route()]))
    answer = page.get(f"{download.PREFIX}/{OLD}.zip")
    assert f"{OLD}/bundle.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert 'filename="' in answer.headers["content-disposition"]
    assert page.get(f"{download.PREFIX}/{OLD}.html").text.startswith("<!doctype html>")
    for name in ("x.zip", f"{OLD}.exe", OLD, "20990101-120000-0123456789abcdef.zip"):
        assert page.get(f"{download.PREFIX}/{name}").status_code == 404


def test_two_runs_stand_side_by_side_where_they_share_prompt_and_seed():
    before, after = (compare_view.view(store.read(run_id)) for run_id in (OLD, NEW))
    both = two_models.merged(before, after)
    assert {cell["seed"] for cell in both["cells"]} == {1}
    assert [cell["method"] for cell in both["cells"][:3]] == [
        "before:cfg",
        "after:cfg",
        "before:stp",
    ]
    assert both["methods"]["before:cfg"]["short"] == "CFG before"
    assert both["cells"][0]["image"] == f"../{OLD}/images/4.png"
    with pytest.raises(InputError, match="share no prompt"):
        two_models.merged(before | {"cells": before["cells"][:4]}, after)
    with pytest.raises(InputError, match="3 and 5 steps"):
        two_models.merged(before, after | {"steps": 5})


def test_the_controls_of_a_sweep_ask_for_the_same_sweep_again(monkeypatch):
    monkeypatch.delenv("MEMVIZ_DEMO")
    record = store.bundled()[-1].record
    shown = sweep_form.show_request(record)
    plain = {name: getattr(value, "value", value) for name, value in shown.items()}
    again = sweep_handlers.sweep_ask(*(plain[name] for name in sweep_handlers.NAMES))
    assert tuple(again.to_json({})["methods"]) == record.request.methods
    assert tuple(again.seeds) == record.request.seeds and again.prompts[0] in record.request.prompts
    assert sweep_form.show_request(store.bundled()[0].record) == {}

"""The Evaluate tab without a browser: its form, its views, and what a pressed picture asks for."""

import json
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from memviz.errors import InputError
from memviz.evaluation import store
from memviz.evaluation.protocols import load_protocol
from memviz.signals import COSTLY
from memviz.ui.evaluate import handlers
from memviz.ui.evaluate.form import read_form, spell_choice, split_stated
from memviz.ui.evaluate.plan_card import render_card
from memviz.ui.evaluate.view import make_view, pictures_view

ID = "20261128-010203-0123456789abcdef"
OTHER = "20261128-010204-0123456789abcdef"
USUAL = ["standard", [], "", "", None, 8, "", None, ["cfg", "stp"], "", False, False]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path))
    for name in (ID, OTHER):
        write_evaluation(store.root() / name)
    return tmp_path


def write_evaluation(folder: Path) -> None:
    """Two methods, a published row, and two pictures of the first."""
    values = {"copied": {"mean": 0.5, "low": 0.2, "high": 0.8}, "clipscore": None}
    rows = [
        {"method": method, "label": method, "pictures": 2, "values": values, "changes": {},
         "published": [], "departs": ["limit 2, not unset"], "cells": f"cells/{method}.json"}
        for method in ("cfg", "stp:at=400")
    ]  # fmt: skip
    paper = {"method": "cfg", "label": "none", "values": {"copied": 0.7}, "note": "table 1"}
    rows[0]["published"] = [paper]
    protocol = {"name": "standard", "about": "x", "methods": ["cfg", "stp:at=400"], "seeds": [0],
                "scheduler": "ddim", "steps": 4, "model": "demo", "corpus": "demo-10k",
                "descriptor": "demo"}  # fmt: skip
    result = {"state": "done", "created": "2026-11-28", "protocol": protocol, "prompts": 2,
              "columns": ["copied", "clipscore"], "rows": rows,
              "left_out": {"clip": "not here"}}  # fmt: skip
    cells = [{"file": f"pictures/{i}.png", "prompt": f"a fox {i}", "seed": i, "sim": sim}
             for i, sim in enumerate((0.2, 0.9))]  # fmt: skip
    (folder / "cells").mkdir(parents=True)
    (folder / "evaluation.json").write_text(json.dumps(result))
    (folder / "cells" / "cfg.json").write_text(json.dumps(cells))
    (folder / "table.csv").write_text("x")


def test_the_form_spells_only_what_differs_from_the_protocol() -> None:
    words = spell_choice(read_form(USUAL))
    assert words == ["--protocol", "standard", "--limit", "8", "--methods", "cfg,stp"]
    asked = [*USUAL[:5], None, "0-3", 10, ["rta"], "stp:at=400,late=5", False, True]
    words = spell_choice(read_form(asked), "demo")
    assert words[2:6] == ["--model", "demo", "--seeds", "0-3"]
    assert words[-3:] == ["--methods", "rta,stp:at=400,late=5", "--skip-missing"]


def test_five_settings_of_each_chosen_method_come_from_the_protocol_of_curves() -> None:
    asked = [*USUAL[:8], ["stp", "amg"], "", True, False]
    methods = read_form(asked).methods
    assert len(methods) == 10 and {text.partition(":")[0] for text in methods} == {"stp", "amg"}
    assert set(methods) < set(load_protocol("tradeoff").methods)


def test_a_protocol_brings_its_methods_plain_and_spelled() -> None:
    for name in ("standard", "jain-1", "membench"):
        keys, specs = split_stated(name)
        stated = load_protocol(name).methods
        assert sorted([*keys, *read_form([*USUAL[:8], [], specs, False, False]).methods]) == sorted(
            stated
        )


def test_a_view_has_rows_intervals_the_papers_rows_and_the_files_that_are_there(home) -> None:
    view = make_view(ID)
    assert [row["label"] for row in view["rows"]] == ["cfg", "published: none", "stp:at=400"]
    assert view["rows"][0]["values"]["copied"]["high"] == 0.8
    assert [row["key"] for row in view["rows"]] == ["cfg", "cfg", "stp"]
    assert view["columns"][0]["better"] == "low"
    assert view["left_out"] == ["No clip: not here"]
    assert dict(view["files"]) == {
        "CSV": f"/memviz-files/evaluations/{ID}/table.csv",
        "JSON": f"/memviz-files/evaluations/{ID}/evaluation.json",
    }
    json.dumps(view, allow_nan=False)


def test_two_evaluations_stand_in_one_table_and_can_be_told_apart(home) -> None:
    view = make_view(ID, OTHER)
    assert len(view["rows"]) == 6
    assert {row["evaluation"] for row in view["rows"]} == {ID, OTHER}
    assert len({row["of"] for row in view["rows"]}) == 2
    assert len(make_view(ID, ID)["rows"]) == 3


def test_a_row_opens_its_worst_copies_first(home) -> None:
    view = pictures_view(ID, 0)
    assert [picture["similarity"] for picture in view["pictures"]] == [0.9, 0.2]
    assert view["pictures"][0]["src"].endswith(f"{ID}/pictures/1.png")
    for place in ((ID, 1), (ID, 2), (ID, -1), ("../runs", 0)):
        with pytest.raises(InputError):
            pictures_view(*place)


def test_a_pressed_picture_is_asked_for_again_with_all_signals(home) -> None:
    asked = handlers.ask_again(ID, 0, 0)
    assert asked["prompts"] == ["a fox 1"] and asked["seeds"] == [1]
    assert asked["methods"] == ["cfg"] and asked["signals"] == [*COSTLY]
    assert (asked["steps"], asked["model"], asked["descriptor"]) == (4, "demo", "demo")
    with pytest.raises(InputError):
        handlers.ask_again(ID, 0, 2)


@pytest.mark.parametrize("data", [None, {}, {"evaluation": ID}, {"evaluation": ID, "row": "x"}, []])
def test_an_event_of_another_shape_is_a_sentence(data: object) -> None:
    with pytest.raises(InputError, match="Load the page again"):
        handlers.read_place(data)


def test_what_is_gone_is_a_note_and_nothing_moves_where_nothing_happened(home) -> None:
    assert "not here any more" in handlers.look("20200101-000000-0123456789abcdef", "")[0]["note"]
    first = handlers.look(ID, "")
    again = handlers.look(ID, "", first[1])
    assert first[0]["id"] == ID and not any(isinstance(value, dict) and "id" in value
                                            for value in again)  # fmt: skip


def test_the_card_says_what_is_missing_with_size_and_license() -> None:
    need = {"part": "clip", "what": "CLIP <b>", "size": "1 GB", "license": "MIT", "url": ""}
    plan = {"methods": 2, "prompts": 3, "pictures": 12, "ready": 4, "seconds": 100.0,
            "bytes": 10**6, "free_bytes": 10**9, "columns": ["copied"], "missing": [need],
            "may_start": False}  # fmt: skip
    told = render_card([plan, plan])
    assert "CLIP &lt;b&gt; (1 GB, MIT)" in told and "24: 2 methods" in told
    assert "3 min" in told and "Not with what is here" in told
    assert "too small" in render_card([plan | {"free_bytes": 10}])

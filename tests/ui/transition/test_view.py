"""What the Transition tab shows of a run, and what its handle asks for."""

import json
from contextlib import closing

import pytest
from PIL import Image

from memviz.cli import parser
from memviz.cli import sweep as verb
from memviz.comparison import sweep
from memviz.comparison.compare import compare
from memviz.data.prompts import Prompt
from memviz.guidance.base import Observation
from memviz.guidance.registry import METHODS
from memviz.guidance.spec import MethodSpec
from memviz.runs import store
from memviz.ui.compare import view as compare_view
from memviz.ui.transition import detect_panel, form, handlers, methods_panel, saliency_panel
from memviz.ui.transition import view as views
from tests.support import world
from tests.support.records import cell_record


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    small = world.build(tmp_path_factory.mktemp("world"))
    with closing(
        compare(small.ask(methods=["stp:at=300", "stp:at=700"], seeds=[0, 1], keep=True))
    ) as made:
        *_, last = made
    return store.read(last.snapshot().record.id)


def test_a_view_is_plain_json(swept):
    view = views.view(swept)
    assert json.loads(json.dumps(view, allow_nan=False)) == view


def test_the_map_has_a_cell_for_each_value_and_seed(swept):
    view = views.view(swept)
    assert view["sweep"]["values"] == [300, 700]
    assert [row["seed"] for row in view["sweep"]["rows"]] == [0, 1]
    for row in view["sweep"]["cells"]:
        assert [view["cells"][n]["name"] for n in row] == ["STP, at 300", "STP, at 700"]
    assert {s["seed"] for s in view["spread"]} == {0, 1}
    assert [p["name"] for p in view["tradeoff"]] == ["STP, at 300", "STP, at 700"]


def test_every_recorded_signal_is_a_curve_with_its_meaning(swept):
    view = views.view(swept)
    assert {"magnitude", "magnitude_mean", "one_step", "agreement"} <= set(view["signals"])
    for key in view["signals"]:
        assert view["signals"][key]["label"] and len(view["cells"][0]["trace"][key]) == 4


def test_attention_is_shown_token_by_token_and_the_bright_ending_as_a_mask(tmp_path):
    small = world.build(tmp_path)
    ask = small.ask(methods=["cfg", "cwr"], signals=["attention_entropy", "masked_magnitude"])
    with closing(compare(ask)) as made:
        *_, last = made
    run = store.read(last.snapshot().record.id)
    view = views.view(run)
    assert json.loads(json.dumps(view, allow_nan=False)) == view
    for cell in view["cells"]:
        names = cell["tokens"]
        assert names[0] == "<|startoftext|>" and names[-1] == "<|endoftext|>"
        assert "".join(names[1:-1]) == (cell["prompt_read"] or cell["prompt"]).replace(" ", "")
        steps = view["attention"][str(cell["cell"])]
        assert [len(shares) for shares in steps] == [len(names) + 1] * 4
        assert [sum(shares) for shares in steps] == pytest.approx([1] * 4, abs=0.02)
        assert Image.open(run.folder / cell["mask"]).size == (8, 8)
    shown = compare_view.view(run)["cells"]
    assert shown[0]["prompt_read"] is None and shown[1]["prompt_read"] != world.PROMPT


def test_each_cell_tells_where_every_method_would_have_switched(swept):
    found = views.view(swept)["switches"]["0"]
    rows = views.by_cell(swept)[0]
    seen = [Observation(r["t"], {"magnitude": r["magnitude"]}) for r in rows]
    for key, step in found.items():
        change = METHODS[key].guidance.transition(seen)
        assert step == (change.step if change else None)


def test_the_command_makes_the_run_again(swept):
    text = views.command(swept.record)
    assert text.startswith("python -m memviz compare") and "stp:early=0,late=7.5,at=300" in text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cfg:scale=4", "stp:early=0,late=4,at=420"),
        ("stp:early=-1,late=5,at=700", "stp:early=-1,late=5,at=420"),
        ("dtp:late=3", "stp:early=0,late=3,at=420"),
        ("og:early=-2,late=6", "og:early=-2,late=6,at=420"),
    ],
)
def test_the_handle_moves_the_transition_and_nothing_else(before, after):
    assert MethodSpec.parse(views.what_if(before, 420)) == MethodSpec.parse(after)


def test_a_remedy_has_no_transition_to_move():
    with pytest.raises(ValueError, match="transition to move"):
        views.what_if("wen", 420)


def test_the_handle_goes_on_from_the_kept_cell(swept):
    run, number, ask = handlers.moved({"run": swept.record.id, "cell": 3, "at": 500})
    assert ask.since == f"{run.record.id}:{number}" and ask.seeds == [1]
    assert ask.methods[0].guidance.switch.at == 500


def test_what_the_controls_ask_for():
    asked = {"prompt": "a fox", "axis": "at", "values": "200:600:200", "across": "", "others": "",
             "seeds": "0, 1", "method": "stp", "steps": 10, "model": "demo", "keep": True,
             "probe": False, "signals": []}  # fmt: skip
    values = [asked[name] for name in handlers.NAMES]
    made = handlers.sweep_ask(*values)
    assert made.keep and [m.text for m in made.methods] == [f"stp:at={t}" for t in (200, 400, 600)]
    both = asked | {"across": "early", "others": "-2,0", "probe": True, "signals": ["sharpness"]}
    values2 = [both[name] for name in handlers.NAMES]
    made = handlers.sweep_ask(*values2)
    assert (
        made.methods[0].key == "cfg" and len(made.methods) == 7 and made.signals == ("sharpness",)
    )
    args = parser().parse_args(["sweep", *handlers.words(*values2)])
    assert verb.asked(args) == made
    with pytest.raises(ValueError, match="same parameter"):
        handlers.sweep_ask(*[(asked | {"across": "at"})[name] for name in handlers.NAMES])
    many = handlers.seeds_ask(*values)
    assert [m.text for m in many.methods] == ["stp"] and list(many.seeds) == [*range(16)]


@pytest.mark.parametrize("method", [method for _, method in form.CHOICES])
def test_every_method_brings_its_own_menus_and_values(method):
    columns, rows = form.offered(method, "demo", "", "")
    names = [each.name for each in sweep.list_axes(MethodSpec.parse(method).guidance)]
    assert [name for _, name in columns.choices] == names and columns.value == names[0]
    assert [name for _, name in rows.choices] == ["", *names] and rows.value == ""
    for name in names:
        box = form.usual(name, method, "demo")
        asked = sweep.request_sweep("a fox", {name: sweep.parse_values(box.value)}, method=method)
        assert len(asked.methods) > 1 and box.info


def test_what_was_chosen_stays_where_the_new_method_has_it_too():
    columns, rows = form.offered("dtp:late=5", "demo", "early", "late")
    assert (columns.value, rows.value) == ("early", "late")
    assert {type(menu) for menu in form.offered("dt", "demo", "at", "")} == {dict}
    assert not form.usual("", "dtp", "demo").visible


def test_an_interval_needs_three_pictures():
    cells = [cell_record(similarity=value) for value in (1, 2, 3)]
    assert views.estimate(cells[:2], "similarity") == {"mean": 1.5, "low": None, "high": None}
    found = views.estimate(cells, "similarity")
    assert 1 <= found["low"] < found["mean"] == 2 < found["high"] <= 3
    assert views.estimate([*cells, cell_record()], "similarity") is None


def test_words_and_prompts_are_only_ever_text():
    from memviz.detection.token_saliency import Word

    page = saliency_panel.shaded([Word("<b>", 1.0)])
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert saliency_panel.without("one two three", 1) == "one three"


def test_lists_of_prompts_come_from_the_box_or_a_file(tmp_path):
    assert detect_panel.asked("one\n\ntwo", None) == [Prompt("one"), Prompt("two")]
    (tmp_path / "a.txt").write_text("three")
    assert detect_panel.asked("one", str(tmp_path / "a.txt")) == [Prompt("three")]
    with pytest.raises(ValueError, match="0 prompts"):
        detect_panel.asked("", None)


def test_the_scores_are_shown_with_their_roc():
    from memviz.detection.roc import told

    result = {
        "band": "A band.",
        "readings": {"k1_n1": told([2, 3], [0, 1]) | {"hard": None}},
        "prompts": [
            {"prompt": "<i>", "label": None, "scores": {"k1_n1": 2.0}, "verdict": "No band"}
        ],
    }
    page = detect_panel.page(result)
    assert "&lt;i&gt;" in page and "Score, 1 step" in page
    (drawn,) = detect_panel.curves(result, "a command")["readings"]
    assert "AUC 1.000" in drawn["words"] and drawn["roc"]["tpr"][-1] == 1
    assert detect_panel.curves(result | {"readings": {"k1_n1": None}}, "")["readings"] == []


def test_the_table_of_remedies_names_every_measured_method():
    found = methods_panel.result()
    page = methods_panel.table()
    assert (
        "Not measured yet" in page
        if found is None
        else all(METHODS[key].label in page for key in found["rows"])
    )


def test_a_run_in_progress_shows_its_newest_estimates(tmp_path):
    small = world.build(tmp_path)
    with closing(compare(small.ask(methods=["stp:at=300", "stp:at=700"]))) as made:
        view = handlers.look(next(made))
    assert json.loads(json.dumps(view, allow_nan=False)) == view
    assert view["live"] and view["cells"][0]["preview"].startswith("data:image/webp")
    assert 0 <= view["cells"][0]["similarity"] <= 1

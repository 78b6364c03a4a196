"""The UI without a browser: words, views, the form, permalinks, the page itself."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from memviz.runs import store
from memviz.runs.record import CellState, RequestRecord
from tests.support import fixture_run
from tests.support.records import cell_record

gr = pytest.importorskip("gradio")

from memviz.errors import MemvizError  # noqa: E402
from memviz.guidance.registry import METHODS  # noqa: E402
from memviz.ui.compare import form, view  # noqa: E402
from memviz.ui.compare import tab as compare_tab  # noqa: E402
from memviz.ui.shared import assets, controls, encode, messages, sentences, start_run  # noqa: E402
from memviz.ui.shared.live import Live  # noqa: E402

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    return fixture_run.make(tmp_path, seeds=(0,), steps=12)


@pytest.fixture
def saved(folder):
    return view.view(store.open_folder(folder))


def cell(method, kind, similarity, number=17):
    match = {"id": number, "caption": "", "similarity": similarity, "image": ""}
    return cell_record(
        method=method, kind=kind, verdict=kind, similarity=similarity, matches=[match]
    )


def test_the_result_line_names_the_copy_and_those_that_did_not():
    cells = [cell("cfg", "copied", 0.97), cell("stp", "none", 0.4)]
    assert sentences.result_line(cells) == "CFG copied training image #17 (0.97). STP did not."


def test_the_result_line_counts_pictures():
    cells = [cell("cfg", "copied", 0.97), cell("cfg", "none", 0.5)]
    said = sentences.result_line(cells)
    assert said == "CFG copied training image #17 in 1 of 2 pictures (0.97)."


def test_the_result_line_without_a_copy_says_among_how_many():
    cells = [cell("cfg", "none", 0.52)]
    expected = "No copy found among 10,000 training images: the highest similarity is 0.52."
    assert sentences.result_line(cells, 10_000) == expected


def test_the_result_line_of_a_close_call():
    cells = [cell("cfg", "close", 0.75), cell("og", "none", 0.3)]
    assert sentences.result_line(cells) == "CFG came close. OG stayed clear."


@pytest.mark.parametrize(
    ("kind", "step", "said"),
    [
        ("static", 23, "guidance on at step 23 (t=540)"),
        ("minimum", 23, "guidance on at step 23 (t=540), after the first dip"),
        ("fallback", 23, "no minimum: fallback at step 23 (t=540)"),
        ("none", None, "guidance never switched on"),
    ],
)
def test_where_guidance_came_on(kind, step, said):
    found = {"transition_kind": kind, "transition_step": step, "transition_timestep": 540}
    assert sentences.switch(cell_record(spec="stp", **found)) == said


def test_where_guidance_came_on_says_nothing_untrue():
    assert sentences.switch(cell_record(spec="cfg")) == "guided from the first step"
    assert sentences.switch(cell_record(spec="dtp"), over=False) == "guidance not on yet"


def test_a_view_is_json_with_a_curve_per_cell(saved):
    json.dumps(saved, allow_nan=False)
    assert {c["method"] for c in saved["cells"]} == set(fixture_run.METHODS)
    assert all(len(c["trace"]["magnitude"]) == 12 for c in saved["cells"])
    assert saved["result"].startswith("CFG copied training image #17")


def own_scripts() -> str:
    """All modules of the page but plotly."""
    own = [text for name, text in assets.scripts().items() if not name.startswith("vendor/")]
    return b"".join(own).decode()


def test_a_view_holds_no_markup_of_its_own(saved):
    """The prompt stays the text it was; the browser makes a text node of it."""
    assert saved["prompts"] == ["vintage disc poster with <script>alert(1)</script>"]
    assert "innerHTML" not in own_scripts()


def test_a_live_view_carries_previews_and_claims_nothing(folder):
    record = store.open_folder(folder).record.model_copy(update={"state": CellState.RUNNING})
    table = pq.read_table(folder / "trace.parquet")
    table = table.filter([s < 5 for s in table["step"].to_pylist()])
    previews = [fixture_run.picture(1), None, None, None]
    live = view.view(store.Run(folder, record, table), previews, live=True)
    assert live["step"] == 5 and live["summaries"] == {}
    assert live["cells"][0]["preview"].startswith("data:image/webp;base64,")
    assert live["cells"][1]["preview"] is None


def test_numbers_that_are_none_become_nothing():
    assert encode.number(float("nan")) is None and encode.number(None) is None
    assert encode.number(0.123456) == 0.1235


def test_every_method_has_a_look_of_its_own():
    looks = encode.methods(METHODS)
    assert len({(look["symbol"], look["dash"]) for look in looks.values()}) == len(METHODS)


@pytest.mark.parametrize(
    ("text", "found"), [("0, 1", [0, 1]), ("3", [3]), ("0-3", [0, 1, 2, 3]), ("-1", [-1]), ("", [])]
)
def test_seeds(text, found):
    assert controls.seeds(text) == found


@pytest.mark.parametrize("text", ["one", "1.5", "0, <b>", "1-x"])
def test_seeds_that_are_none_get_a_sentence(text):
    with pytest.raises(MemvizError, match="Write whole numbers, as"):
        controls.seeds(text)


def test_a_spec_is_written_as_on_the_command_line():
    assert form.spec("stp", {"early": 0.0, "late": 7.5, "at": 500}) == "stp:early=0,late=7.5,at=500"


def test_the_form_has_every_knob_of_every_method_and_reads_back_what_it_shows():
    with gr.Blocks():
        tab = compare_tab.build(Live())
    keys = {key for key, _ in tab.form.knobs}
    assert keys == set(METHODS)
    values = [field.value for field in tab.form.fields]
    asked = form.read(tab.form, ["a fox", *values[1:]])
    assert asked["prompts"] == ["a fox"]
    assert asked["seeds"] == form.DEFAULTS["seeds"]
    several = form.read(tab.form, [" a fox\n\nan owl \r\na fox\n", *values[1:]])
    assert several["prompts"] == ["a fox", "an owl"]
    assert form.read(tab.form, [" \n ", *values[1:]])["prompts"] == [""]
    for one in (asked, several):
        assert form.read(tab.form, form.values(tab.form, RequestRecord.model_validate(one))) == one


def test_only_chosen_methods_show_their_parameters():
    with gr.Blocks():
        fields = compare_tab.build(Live()).form
    groups = [["cfg"], ["wen"], *[[]] * (len(fields.choices) - 2)]
    shown = dict(zip(fields.panels, fields.show_panels(*groups), strict=True))
    assert {key for key, panel in shown.items() if panel.visible} == {"cfg", "wen"}
    assert sorted(key for keys in form.group_methods().values() for key in keys) == sorted(METHODS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9])
def test_a_scale_that_is_no_number_gets_a_sentence(value):
    asked = {"prompts": ["a fox"], "methods": [form.spec("cfg", {"scale": value})]}
    with pytest.raises(MemvizError, match=r"give a number from -50 to 50\.$"):
        start_run.work(asked)


def test_messages_are_text():
    assert messages.notice("<img src=x>") == (
        '<p class="mv-message" role="alert">&lt;img src=x&gt;</p>'
    )


def test_inner_errors_are_not_shown_to_people():
    assert "secret" not in messages.sentence(RuntimeError("secret"))
    assert messages.sentence(MemvizError("Type a prompt.")) == "Type a prompt."


def test_an_unknown_run_in_the_address_opens_the_example_and_says_so():
    for wanted in ("20250101-120000-ffffffffffffffff", "../../etc/passwd", "<b>"):
        _, message = compare_tab.find(wanted)
        assert message.startswith("There is no run at this address")


def steps_of(count, closed):
    try:
        yield from range(count)
    finally:
        closed.append(True)


def a_view(step):
    return {"id": "r", "step": step}


def test_a_comparison_goes_on_without_anyone_watching():
    live, closed = Live(), []
    ticket = live.start(lambda: steps_of(5, closed), a_view)
    live.pool.shutdown()
    assert ticket.done and ticket.run_id == "r" and closed == [True]
    assert live.find("r") is None
    assert list(ticket.watch()) == []


def test_stop_closes_the_work_and_ends_the_watching():
    live, closed = Live(), []
    ticket = live.start(lambda: steps_of(10**9, closed), a_view)
    watching = ticket.watch()
    assert next(watching)["id"] == "r" and live.find("r") is ticket
    assert live.stop(ticket.token)
    for _ in watching:
        pass
    assert closed == [True]
    assert not live.stop(ticket.token)


def test_an_error_reaches_whoever_watches():
    def broken():
        raise ValueError("There is no model x.")
        yield

    ticket = Live().start(broken, a_view)
    assert list(ticket.watch()) == []
    assert str(ticket.error) == "There is no model x."


@pytest.mark.parametrize(
    "asked", [{"prompts": [""]}, {"prompts": ["a"], "steps": 0}, {"prompts": ["a"], "model": "x"}]
)
def test_a_question_is_checked_before_anything_is_loaded(asked):
    with pytest.raises(MemvizError, match=r'[."]$'):
        start_run.work(asked)


def test_the_page_is_built_without_torch():
    code = "import sys; from memviz.ui import app; app.build(); print('torch' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.strip() == "False"


def test_only_the_named_endpoints_are_public():
    from memviz.ui import app
    from memviz.ui.endpoints import NAMES

    config = app.build().get_config_file()
    public = [d for d in config["dependencies"] if d["api_visibility"] != "private"]
    assert sorted(d["api_name"] for d in public) == sorted(NAMES)


def test_the_page_asks_no_other_host():
    from memviz.ui import app

    sources = own_scripts() + "".join(p.read_text() for p in app.STYLES) + str(app.theme().__dict__)
    hosts = set(re.findall(r"https?://([\w.]+)", sources))
    assert hosts <= {"www.w3.org"}  # the name of SVG, not an address that is fetched


def test_a_saved_run_can_be_chosen_at_home_only(folder, monkeypatch):
    from memviz.ui.transition import tab as transition_tab

    monkeypatch.setattr(store, "listed", lambda: [store.open_folder(folder)])
    assert folder.name in dict(transition_tab.choices()).values()
    for name, value in (("SPACE_ID", "someone/memviz"), ("GRADIO_SERVER_NAME", "0.0.0.0")):
        with monkeypatch.context() as public:
            public.setenv(name, value)
            assert folder.name not in dict(transition_tab.choices()).values()


def test_the_pull_is_told_at_the_first_step_and_over_all():
    cells = [cell_record(number=n, method=key) for n, key in enumerate(("cfg", "stp"))]
    traces = {0: {"magnitude": [3.0, 1.0]}, 1: {"magnitude": [1.0, None]}}  # one is live
    said = sentences.magnitude_words(cells, traces, {"low": [0, 0], "high": [2, 2]})
    assert "pulls 1 of 2 pictures harder than 95 % of ordinary prompts do (above 2.00)" in said
    assert said.endswith("above their band: CFG 50 %, STP 0 %.")
    assert "No band" in sentences.magnitude_words(cells, traces, None)

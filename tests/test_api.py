"""The public API: what a notebook needs, from `import memviz as mv`, and the README's own lines."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import memviz as mv
from memviz.comparison.compare import compare as compare_steps
from memviz.comparison.request import ComparisonRequest
from tests.support import world

ROOT = Path(__file__).parents[1]
PROMPT = "a fox and a <b>cactus</b>"


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A model and a detector that are no demo."""
    made = world.build(tmp_path_factory.mktemp("api"))
    detector = mv.load_detector(str(made.corpus), str(made.descriptor))
    return mv.load_model(str(made.model)), detector


@pytest.fixture(scope="module")
def run(parts, tmp_path_factory):
    model, detector = parts
    methods = {
        "CFG": mv.Constant(2),
        "mine": mv.TwoPhase(early=0, late=5, switch=mv.FirstMinimum(latest=400, rise=0.1)),
    }
    folder = tmp_path_factory.mktemp("api") / "run"
    return mv.compare(
        model, PROMPT, methods, range(2), detector=detector, steps=4, folder=folder, title="Mine"
    )


def test_every_public_name_is_there_and_importing_loads_nothing_heavy():
    assert all(getattr(mv, name) is not None for name in mv.__all__)
    assert set(mv.__all__) <= set(dir(mv))
    code = "import sys, memviz; print({'torch', 'pandas', 'plotly'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mv.nothing  # noqa: B018


def test_results_have_a_row_per_cell_and_traces_one_per_step(run):
    assert run.record.title == "Mine" and run.record.state == "done"
    cells = [("CFG", 0), ("mine", 0), ("CFG", 1), ("mine", 1)]
    assert [*zip(run.results["method"], run.results["seed"], strict=True)] == cells
    assert run.results["similarity"].between(-1, 1).all()
    assert run.results["spec"][1].startswith("mine=dtp:early=0,late=5")
    trace = run.trace
    assert len(trace) == 4 * 4 and (trace["prompt"] == PROMPT).all()
    assert trace.groupby("cell")["step"].max().eq(3).all()
    assert trace.notna().any().all()


def test_guidance_values_make_the_pictures_that_their_spelling_makes(parts, run, tmp_path):
    model, detector = parts
    spelled = ["CFG=cfg:scale=2", "mine=dtp:early=0,late=5,latest=400,rise=1"]
    other = mv.compare(
        model, [PROMPT], spelled, range(2), detector=detector, steps=4, folder=tmp_path / "run"
    )
    assert other.trace["magnitude"].equals(run.trace["magnitude"])
    assert other.image(1).tobytes() == run.image(1).tobytes()


def test_what_is_loaded_is_used_and_not_loaded_by_name(parts, tmp_path):
    model, detector = parts
    request = ComparisonRequest(["a fox"], steps=2, model="nobody-has-this", corpus="nowhere")
    *_, last = compare_steps(request, tmp_path / "run", model=model, detector=detector)
    assert last.snapshot().record.model.hash == model.hash


def test_a_run_without_a_detector_is_not_judged(parts, tmp_path):
    model, _ = parts
    run = mv.compare(model, "a fox", ["cfg"], steps=2, folder=tmp_path / "run")
    assert run.record.corpus is None and run.results["similarity"].isna().all()
    assert [*run.results["verdict"]] == ["No corpus"]


def test_the_figure_has_a_curve_per_cell_and_refuses_what_was_not_recorded(run):
    figure = run.figure("cosine")
    assert [curve.name for curve in figure.data] == [
        "CFG, seed 0", "mine, seed 0", "CFG, seed 1", "mine, seed 1"
    ]  # fmt: skip
    first = run.trace[run.trace["cell"] == 0]
    assert [*figure.data[0].y] == pytest.approx([*first["cosine"]])
    with pytest.raises(mv.InputError, match=r"no curve of 'sharpness'\. It has magnitude"):
        run.figure("sharpness")


def test_a_notebook_shows_pictures_and_escapes_what_was_typed(run):
    page = run._repr_html_()
    assert page.count("<img") == 8  # each picture and its nearest training image
    assert "<b>cactus" not in page and "&lt;b&gt;cactus" in page


def test_a_sweep_varies_a_setting(parts, tmp_path):
    model, detector = parts
    values = {"at": [300, 600]}
    run = mv.sweep(model, "a fox", values, detector=detector, steps=3, folder=tmp_path / "run")
    assert [re.search(r"at=(\d+)", spec)[1] for spec in run.results["spec"]] == ["300", "600"]


def test_detect_scores_prompts_and_says_how_well_it_tells(parts):
    model, _ = parts
    labels = {"a fox": "memorized", "a cactus": "ordinary", "an owl": None}
    table = mv.detect(model, labels, steps_used=(1, 2), images=(1, 2), steps=4)
    assert [*table["prompt"]] == [*labels]
    assert {"k1_n1", "k1_n2", "k2_n1", "k2_n2"} <= set(table)
    one = mv.detect(model, ["a fox"], steps_used=(1,), images=(1,), steps=4)
    assert one["k1_n1"][0] == table["k1_n1"][0]
    assert "auc" in table.attrs["readings"]["k1_n1"]


@pytest.mark.slow
def test_the_lines_of_the_readme_run(tmp_path):
    text = (ROOT / "README.md").read_text("utf-8")
    blocks = [b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "as mv" in b]
    assert len(blocks) == 1 and len(blocks[0].splitlines()) <= 12
    code = f"{blocks[0]}\nprint(len(run.results), run.record.state)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.stdout.split()[-2:] == ["4", "done"], done.stderr

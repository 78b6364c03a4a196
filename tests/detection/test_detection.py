"""Bands, scores, verdicts and their quality, against scikit-learn and slow direct computations."""

import json
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import auc, roc_auc_score, roc_curve

from memviz import resources
from memviz.cli import calibrate
from memviz.data import prompts
from memviz.data.prompts import Prompt
from memviz.demo import scenes
from memviz.detection import calibrate as detection_calibrate
from memviz.detection import reference_bands, roc, token_saliency
from memviz.detection.scores import Detection, detect
from memviz.guidance.transition import Constant
from memviz.models.schedulers import scheduler
from memviz.sampling.loop import sample
from memviz.sampling.noise import noise
from memviz.sampling.types import Request
from tests.support import tiny


@pytest.fixture(scope="module")
def model(tiny_model):
    return resources.load_model(str(tiny_model))


SCORES = np.random.default_rng(0)
YES, NO = SCORES.normal(1, 1, 60).round(1), SCORES.normal(0, 1, 240).round(1)  # with ties


def test_roc_and_auc_are_scikit_learns():
    labels, scores = np.r_[np.ones(60), np.zeros(240)], np.r_[YES, NO]
    found, (fpr, tpr, _) = roc.told(YES, NO), roc_curve(labels, scores)
    assert found["auc"] == roc_auc_score(labels, scores)
    assert auc(found["roc"]["fpr"], found["roc"]["tpr"]) == pytest.approx(auc(fpr, tpr))
    low, high = found["auc_interval"]
    assert low < found["auc"] < high < low + 0.2


def test_both_readings_of_tpr_at_one_percent():
    fpr, tpr = np.array([0, 0.002, 0.012, 0.5, 1]), np.array([0, 0.4, 0.7, 0.9, 1])
    assert roc.below(fpr, tpr) == 0.4  # never above 1 %
    assert roc.closest(fpr, tpr) == 0.7  # 1.2 % is nearer than 0.2 %


def test_a_band_is_the_percentiles_of_every_step():
    rows = {"magnitude": [[float(i), 2.0 * i] for i in range(101)],
            "x0_change": [[float("nan"), float(i)] for i in range(101)],
            "agreement": [[float("nan")] * 2] * 101}  # fmt: skip
    found = reference_bands.limits(rows)
    assert found["magnitude"] == {"low": [5, 10], "high": [95, 190]}
    assert found["magnitude_mean"]["high"] == [95, 142.5]
    assert found["x0_change"]["low"] == [5, 5] and "agreement" not in found


def test_a_measured_band_is_found_for_its_settings_alone(model):
    texts = [f"thing {i}" for i in range(6)]
    made = detection_calibrate.calibrate(
        model, texts, steps=4, extra=["attention_entropy"], least=6
    )
    found = reference_bands.find(model, "ddim", 4, 7.5)
    signals = found.of("anything", "at all").signals
    assert {"magnitude", "magnitude_mean", "attention_entropy"} <= set(signals)
    steps = sample(model.pipe, [Request(p, 0, Constant()) for p in texts],
                   scheduler(model.pipe, "ddim", 4))  # fmt: skip
    rows = np.array([s.signals["magnitude"] for s in steps])
    expected = np.percentile(rows, 95, axis=1)
    assert signals["magnitude"]["high"] == pytest.approx(expected.tolist(), rel=1e-3)
    assert json.loads(Path(made["file"]).read_text())["key"]["model"] == model.hash
    other = reference_bands.find(model, "ddim", 5, 7.5)
    assert not other.of("thing 1").signals
    assert "does not apply" in other.note("thing 1") and "5 steps" in other.note("thing 1")


def test_a_band_holds_for_its_spacing_and_size_alone(model):
    texts = [f"thing {i}" for i in range(4)]
    grid = {"spacing": "linspace", "size": 48}
    detection_calibrate.calibrate(model, texts, steps=7, least=4, **grid)
    found = reference_bands.find(model, "ddim", 7, 7.5, "linspace", 48)
    assert found.of("thing").signals and "linspace timesteps, 48 px" in found.words
    for other in ((), ("linspace",), ("", 48), ("trailing", 48), ("linspace", 64)):
        assert not reference_bands.find(model, "ddim", 7, 7.5, *other).of("thing").signals
    usual = reference_bands.key(model, "ddim", 7, 7.5)
    assert reference_bands.key(model, "ddim", 7, 7.5, "leading", 32) == usual


def test_a_band_in_another_unit_of_the_magnitude_is_refused(model, monkeypatch):
    texts = [f"thing {i}" for i in range(4)]
    detection_calibrate.calibrate(model, texts, steps=2, least=4)
    assert reference_bands.find(model, "ddim", 2, 7.5).of("thing").signals
    config = model.pipe.scheduler.config
    old = reference_bands.key(model, "ddim", 2, 7.5).unit
    new = {"epsilon": "v_prediction", "v_prediction": "epsilon"}[old]
    monkeypatch.setattr(model.pipe.scheduler, "_internal_dict", type(config)(
        {**config, "prediction_type": new}))  # fmt: skip
    found = reference_bands.find(model, "ddim", 2, 7.5)
    assert not found.of("thing").signals
    words = [reference_bands.UNITS[unit] for unit in (old, new)]
    assert all(f"magnitude of {word}" in found.note("thing") for word in words)


def test_a_shipped_band_that_does_not_say_its_unit_is_one_of_epsilon(tmp_path):
    told = {"model": "h", "scheduler": "ddim", "steps": 2, "low": [0, 0], "high": [1, 1],
            "runs": 9, "kind": "prompts", "like": ".*"}  # fmt: skip
    bands = [told, told | {"unit": "v_prediction"}]
    (tmp_path / "memviz.json").write_text(json.dumps({"bands": bands}))
    found = reference_bands.shipped(SimpleNamespace(hash="h", folder=tmp_path, path=str(tmp_path)))
    assert [key.unit for key in found] == ["epsilon", "v_prediction"]


def test_bands_of_several_kinds_are_kept_side_by_side(model):
    for kind, like in (("cats", "cat .*"), ("prompts", ".*"), ("dogs", "dog .*")):
        texts = [f"{kind[:3]} {i}" for i in range(4)]
        detection_calibrate.calibrate(model, texts, steps=3, least=4, kind=kind, like=like)
    found = reference_bands.find(model, "ddim", 3, 7.5)
    asked = ("cat 9", "Dog 9", "cow")
    assert [found.of(p).kind for p in asked] == ["cats", "dogs", "prompts"]
    assert found.of(*asked).kind == "prompts"  # a band of any prompt comes last, not first


def test_control_prompts_must_be_of_the_kind_that_is_named(model):
    with pytest.raises(ValueError, match=r"1 of 2 control prompts are not .* 'cat 1'"):
        detection_calibrate.calibrate(
            model, ["dog 1", "cat 1"], least=2, kind="dogs", like="dog .*"
        )


def test_the_demo_is_calibrated_on_titles_and_plain_captions_apart():
    asked = calibrate.controls(Namespace(model="demo", prompts=None, kind=None, like=None))
    assert [kind["kind"] for kind, _ in asked] == ["titles", "plain captions"]
    for kind, texts in asked:
        assert len(set(texts)) == calibrate.CONTROLS
        assert all(reference_bands.Band({}, 1, **kind).holds(text) for text in texts)


def test_a_kind_needs_its_form_and_a_form_that_can_be_read():
    wanted = Namespace(model="demo", prompts=Path("some.txt"), kind="titles", like=None)
    with pytest.raises(ValueError, match="give both or none"):
        calibrate.controls(wanted)
    with pytest.raises(ArgumentTypeError, match="no regular expression"):
        calibrate.pattern("(")


def test_prompts_have_the_band_of_their_own_kind():
    titles, plain = "retro fox mug with owl", "A fox on a red background"
    first = reference_bands.Band(
        {"magnitude": {"low": [1], "high": [2]}}, 5, "titles", scenes.TITLE
    )
    found = reference_bands.Found(
        [first, reference_bands.Band({}, 7, "plain captions", scenes.PLAIN)], "ddim"
    )
    assert found.of(titles, f" {titles} ").range("magnitude", 0) == (1, 2)
    assert found.note(plain) == "Band of 7 runs of ordinary plain captions (ddim)."
    assert found.of("a fox") is reference_bands.NONE and "not every prompt" in found.note(
        titles, "a fox"
    )
    assert found.of(titles, plain) is reference_bands.NONE and "in common" in found.note(
        titles, plain
    )
    assert reference_bands.NONE.range("magnitude", 0) is None


def test_the_demo_s_own_captions_are_of_one_kind_each():
    for group, texts in prompts.demo().items():
        like, other = scenes.TITLE, scenes.PLAIN
        if group in ("heldout_plain", "heldout_single"):
            like, other = other, like
        assert all(reference_bands.Band({}, 1, "", like).holds(text) for text in texts)
        assert not any(reference_bands.Band({}, 1, "", other).holds(text) for text in texts)


def test_too_few_control_prompts_are_refused(model):
    with pytest.raises(ValueError, match="at least 100 control prompts, got 1"):
        detection_calibrate.calibrate(model, ["one"], steps=4)


def test_a_score_is_the_mean_magnitude_of_the_first_steps(model):
    texts = [("a fox", "memorized"), ("two cats", "ordinary"), ("a cow", "hard")]
    asked = Detection([Prompt(*t) for t in texts], model.name, 4, used=(1, 3, 0), images=(1, 2))
    found = detect(asked, lambda words: None)
    requests = [Request("a fox", s, Constant()) for s in (0, 1)]
    rows = [s.signals["magnitude"] for s in sample(model.pipe, requests,
            scheduler(model.pipe, "ddim", 4))]  # fmt: skip
    scores = found["prompts"][0]["scores"]
    assert scores["k1_n1"] == pytest.approx(rows[0][0], abs=1e-3)
    assert scores["k3_n2"] == pytest.approx(np.mean(rows[:3]), abs=1e-3)
    assert scores["all_n2"] == pytest.approx(np.mean(rows), abs=1e-3)
    assert found["readings"]["k1_n1"]["memorized"] == 1
    assert found["readings"]["k1_n1"]["hard"]["ordinary"] == 1


def test_no_more_steps_are_made_than_are_used(model, monkeypatch):
    calls, plain = [], model.pipe.unet.forward
    monkeypatch.setattr(model.pipe.unet, "forward",
                        lambda *a, **k: calls.append(1) or plain(*a, **k))  # fmt: skip
    detect(Detection([Prompt("a fox")], model.name, 8, used=(2,), images=(1,)), lambda words: None)
    assert len(calls) == 2


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(ValueError, match="steps-used"):
        Detection([Prompt("a")], steps=4, used=(5,))
    with pytest.raises(ValueError, match="images"):
        Detection([Prompt("a")], images=(0,))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "one\n\n two \n"),
        ("a.jsonl", '{"caption": "one", "index": 3, "url": "x"}\n{"caption": "two"}\n'),
        ("a.csv", "prompt\none\ntwo\n"),
        ("nemo.csv", "Caption;URL;type\none;x;VM\ntwo;y;TM\n"),
        ("a.json", '["one", "two"]'),
    ],
)
def test_lists_of_prompts_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert [p.text for p in prompts.read(tmp_path / name)] == ["one", "two"]


def test_labels_are_read(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"caption": ["one", "two"], "label": [1, 0]}), file)
    assert [p.label for p in prompts.read(file)] == ["memorized", "ordinary"]
    (tmp_path / "a.json").write_text('{"duplicated": ["one"], "swapped": ["two"], "other": ["x"]}')
    assert [p.label for p in prompts.read(tmp_path / "a.json")] == ["memorized", "hard"]


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", "x\n1\n"), ("a.jsonl", "{"), ("a.txt", ""), ("b.json", "3")]
)
def test_what_is_no_list_of_prompts_gets_a_sentence(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=r"\.$"):
        prompts.read(tmp_path / name)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_saliency_is_the_slope_of_the_magnitude_by_each_token(prediction):
    pipe = tiny.pipeline(prediction=prediction)
    pipe.unet.double(), pipe.text_encoder.double()
    schedule = scheduler(pipe, "ddim", 4)
    found = token_saliency.tokens(pipe, schedule, "ab c").double()
    t, x = schedule.timesteps[0], noise(pipe, [0]).double()
    with torch.no_grad():
        text = [pipe.encode_prompt([p], "cpu", 1, False)[0] for p in ("", "ab c")]
        low = pipe.unet(x, t, text[0]).sample
        slope = torch.zeros(text[1].shape[2])
        for i in range(len(slope)):  # one token, every direction
            step = torch.zeros_like(text[1])
            step[0, 2, i] = 1e-5
            up, down = (pipe.unet(x, t, text[1] + s * step).sample for s in (1, -1))
            slope[i] = ((up - low).norm() - (down - low).norm()) / 2e-5
    assert float(found[2]) == pytest.approx(float(slope.norm()), rel=1e-3)


def test_words_have_the_saliency_of_their_tokens():
    pipe = tiny.pipeline()
    values = token_saliency.tokens(pipe, scheduler(pipe, "ddim", 4), "ab c").tolist()
    found = token_saliency.words(pipe, scheduler(pipe, "ddim", 4), "ab c")
    parts = [max(values[1:3]), values[3]]
    assert [w.text for w in found] == ["ab", "c"]
    assert [w.saliency for w in found] == pytest.approx([p / max(parts) for p in parts], abs=1e-3)

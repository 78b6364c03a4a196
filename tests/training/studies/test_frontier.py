"""The frontier of IET-AGC and its controls, on the smallest world, with equal samples."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from memviz.cli import main
from memviz.data import corpus as corpora
from memviz.errors import InputError
from memviz.io import paths
from memviz.training.data.entries import count_entries, hold_out
from memviz.training.studies import iet_agc_frontier as study
from memviz.training.trainer import Run
from tests.support import fine_tuning, world


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return world.build(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def plan(small):
    base = fine_tuning.config(small, probes="none", hold_out=2, save_every=0, keep=1)
    return study.Plan(
        base,
        duplicated=["picture 0", "picture 1", "picture 2"],
        unseen=["nothing of the kind"],
        steps=(5, 10),
        choosing=(0,),
        reporting=(1,),
        seeds=(0, 1),
        arms=("plain", "agc", "random skip", "mixed"),
        denoising_steps=2,
    )


@pytest.fixture(scope="module")
def traced(plan, tmp_path_factory):
    """The frontier made in stretches that end in the middle of trainings, and its folder."""
    out = tmp_path_factory.mktemp("frontier")
    for _ in range(20):
        calls = iter([False] * 29)
        try:
            return study.trace_frontier(plan, out, print, partial(next, calls, True)), out
        except study.Stopped:
            continue
    pytest.fail("the stretches do not come to an end")


def test_every_arm_has_a_point_wherever_plain_training_ends(traced, plan):
    points = {(p["arm"], p["steps"]): p for p in traced[0]["points"]}
    lengths = ("plain", "agc", "random skip")
    assert set(points) == {(a, n) for a in lengths for n in plan.steps} | {("mixed", 10)}
    for (_, steps), point in points.items():
        assert point["samples"] == steps * plan.base.batch_size
        assert 0 <= point["copied"]["low"] <= point["copied"]["high"] <= 1
        assert point["loss_unseen"] > 0 and point["loss_once"] > 0
    assert points["plain", 10]["loss_unseen"] != points["plain", 5]["loss_unseen"]


def test_stretches_end_where_an_unbroken_run_does(traced, plan, tmp_path):
    quick = replace(plan, arms=("plain",), steps=(5,))
    whole = study.trace_frontier(quick, tmp_path, print)["points"][0]
    (same,) = (p for p in traced[0]["points"] if (p["arm"], p["steps"]) == ("plain", 5))
    assert whole == same


def test_what_is_finished_is_read_and_only_weights_are_kept(traced, plan):
    result, out = traced
    again = study.trace_frontier(plan, out, pytest.fail, lambda: True)
    assert again == result == json.loads((out / "frontier.json").read_text())
    assert not [*out.glob("*/run")] and (out / "plain-10-seed0" / "weights.pt").is_file()


def test_the_placebo_skips_as_much_as_agc(traced, plan):
    out = traced[1]
    asked = json.loads((out / "random_skip-10-seed1/figures.json").read_text())["asked"]["config"]
    agc = json.loads((out / "agc-ratio1.25-10-seed1/figures.json").read_text())
    assert asked["random_skip"] == agc["skipped"] and asked["mode"] == "plain"


def test_a_random_skip_skips_its_share_and_changes_nothing_where_it_is_off(small, tmp_path):
    config = fine_tuning.config(small, mode="plain", probes="none", batch_size=32, save_every=0)
    weights = {}
    for share in (0.0, 0.5):
        run = Run(replace(config, random_skip=share), tmp_path / str(share), print)
        list(run.training.ticks())
        seen, skipped = run.training.seen()["pictures"].sum(1).tolist()
        assert skipped / seen == pytest.approx(share, abs=0.1)
        weights[share] = torch.cat([w.flatten() for w in run.student.values()])
    assert not torch.equal(weights[0.0], weights[0.5])


def test_the_loss_is_that_of_the_same_noise_each_time(small, tmp_path):
    run = Run(fine_tuning.config(small, probes="none", hold_out=3), tmp_path, print)
    held = np.flatnonzero(run.data.times == 0)
    first, state = study.denoising_loss(run.student, run.data, held), torch.get_rng_state()
    assert len(first) == 3 and (first == study.denoising_loss(run.student, run.data, held)).all()
    assert torch.equal(state, torch.get_rng_state())


def test_pictures_held_out_are_the_same_for_every_seed_and_trained_on_by_none(small):
    corpus = corpora.load(small.corpus)
    found = [count_entries(fine_tuning.config(small, hold_out=2, seed=s), corpus) for s in (0, 5)]
    assert (found[0] == found[1]).all() and (found[0] == 0).sum() == 2
    repeated = np.array([9, 1, 1])
    assert (hold_out(repeated, 2) == [9, 0, 0]).all() and (repeated == [9, 1, 1]).all()
    with pytest.raises(InputError, match="only 2 pictures count once"):
        hold_out(repeated, 3)


def test_every_setting_sees_as_many_samples_as_plain_training():
    plan = study.demo_plan()
    for arm, steps in study.plan_points(plan):
        for settings in study.ARMS[arm]:
            config = plan.config(arm, steps, 0, settings)
            assert config.steps == steps and config.hold_out == study.HELD_OUT
    assert plan.config("deduplicated", 300, 0, {}).weights == ""


def test_settings_are_chosen_by_copies_at_equal_learning():
    def figures(loss, copied):
        return {"loss_unseen": {"mean": loss}, "copied": {"mean": copied}}

    plain = [figures(0.3, 0.0), figures(0.1, 0.8)]
    assert study.mean_excess([figures(0.2, 0.4)], plain) == pytest.approx(0)
    learned_less = study.mean_excess([figures(0.3, 0.0)], plain)
    learned_as_much = study.mean_excess([figures(0.1, 0.4)], plain)
    assert learned_as_much == pytest.approx(-0.4) and learned_less == pytest.approx(0)


def test_the_table_has_a_line_for_each_point(traced):
    lines = study.frontier_table(traced[0]).splitlines()
    assert len(lines) == 2 + len(traced[0]["points"])
    assert len({line.count("|") for line in lines}) == 1


def test_the_frontier_takes_no_settings_of_one_training(capsys):
    assert main(["reproduce", "iet-agc-frontier", "--ratio", "2"]) == 2
    assert "chooses its own settings" in capsys.readouterr().err


def test_the_short_frontier_chooses_nothing_and_trains_the_others_at_one_length():
    plan = study.short_plan([1])
    points = list(study.plan_points(plan))
    assert [p for p in points if p[0] == "plain"] == [("plain", n) for n in (300, 500, 800)]
    assert {steps for arm, steps in points if arm != "plain"} == {800}
    assert all(len(plan.settings[arm]) == 1 for arm in plan.arms) and plan.choosing == ()


def test_the_page_shows_the_points_that_ship():
    shipped = json.loads(study.results_file().read_text("utf-8"))
    page = paths.page("training.md").read_text("utf-8")
    assert study.refresh(page, shipped) == page
    assert len(shipped["points"]) == len(list(study.plan_points(study.short_plan([1]))))

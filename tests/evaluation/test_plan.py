"""What an evaluation would do, and the single pictures behind its rows."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from memviz.errors import InputError
from memviz.evaluation import job, store
from memviz.evaluation.cells import read_cells
from memviz.evaluation.evaluate import Evaluation, demo_twin, evaluate
from memviz.evaluation.plan import plan_evaluation
from memviz.evaluation.protocols import load_protocol
from tests.support import world
from tests.support.command_line import call


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    tiny = world.build(tmp_path_factory.mktemp("world"))
    places = (str(tiny.model), str(tiny.corpus), str(tiny.descriptor))
    protocol = demo_twin(load_protocol("standard"), *places)
    return Evaluation(protocol, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def done(asked: Evaluation) -> list:
    return [*evaluate(asked)]


def test_a_method_is_judged_before_the_next_is_made(done: list) -> None:
    stages = [*dict.fromkeys(step.stage for step in done)]
    assert stages == ["making cfg", "looking at cfg", "making stp", "looking at stp", "done"]


def test_the_pictures_of_a_row_come_worst_first_and_give_its_mean(
    asked: Evaluation, done: list
) -> None:
    saved = store.read_evaluation(asked.out)
    assert saved is not None
    for row in saved.result["rows"]:
        cells = read_cells(saved.folder, row)
        found = [cell.sim for cell in cells if cell.sim is not None]
        assert found == sorted(found, reverse=True) and len(found) == row["pictures"] == 4
        assert sum(found) / 4 == pytest.approx(row["values"]["sim_mean"]["mean"], abs=2e-4)
        assert all((saved.folder / cell.file).is_file() for cell in cells)
        assert {cell.seed for cell in cells} == {0, 1}
        assert all(0 <= cell.nearest < 7 for cell in cells if cell.nearest is not None)


def test_a_row_whose_pictures_were_not_kept_or_that_points_elsewhere_has_none(
    asked: Evaluation, done: list
) -> None:
    for place in ("", "cells/none.json", "../out.json", "evaluation.json"):
        with pytest.raises(FileNotFoundError):
            read_cells(asked.out, {"cells": place})


def test_a_plan_counts_what_is_there_and_times_the_rest(asked: Evaluation, done: list) -> None:
    plan = plan_evaluation(asked)
    assert (plan.prompts, plan.pictures, plan.ready, plan.seconds) == (2, 8, 8, 0.0)
    assert plan.may_start and not plan.missing
    more = plan_evaluation(replace(asked, protocol=replace(asked.protocol, seeds=(0, 1, 2))))
    assert (more.pictures, more.ready) == (12, 0)
    assert more.seconds is not None and more.seconds > 0
    assert more.bytes is not None and more.bytes > 12 * 100  # no PNG of 32 pixels is smaller


def test_a_plan_names_what_is_missing_instead_of_failing(tmp_path: Path) -> None:
    asked = Evaluation(load_protocol("jain-4"), tmp_path)
    plan = plan_evaluation(asked)
    assert [need.part for need in plan.missing][:2] == ["model", "prompts"]
    assert not plan.may_start and plan.seconds is None
    told = call("evaluate", "--protocol", "jain-4", "--dry-run", "--out", tmp_path / "none")
    assert told.returncode == 0 and "Missing, model: " in told.stdout
    assert not (tmp_path / "none").exists()


def test_a_job_keeps_the_prompts_it_was_given_in_its_own_folder(
    jobs_home: Path, tmp_path: Path
) -> None:
    upload = tmp_path / "mine.txt"
    upload.write_text("a fox\n")
    begun = job.start_evaluation(["--protocol", "none.toml"], "mine", "", upload)
    upload.unlink()
    folder = store.list_evaluations()[0]
    assert (folder / "prompts.txt").read_text() == "a fox\n"
    assert job.find_job(folder) is not None and begun.command[-1] == str(folder)
    with pytest.raises(InputError):
        store.find_evaluation("../jobs")
    assert store.read_evaluation(folder) is None
    (folder / "evaluation.json").write_text(json.dumps({"state": "done"}))
    with pytest.raises(InputError, match="has no 'created'"):
        store.read_evaluation(folder)

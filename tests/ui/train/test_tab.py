"""What the Train tab makes of a config, of a job's events and of a visitor; no browser here."""

import json
import os
import sys
from dataclasses import fields
from shutil import copytree

import gradio as gr
import pytest
from PIL import Image

from memviz import jobs
from memviz.cli import parser
from memviz.errors import MemvizError
from memviz.jobs import Job, files
from memviz.models import loading
from memviz.training import job as training_job
from memviz.training.config import PRESETS, Config
from memviz.ui.compare import two_models
from memviz.ui.shared import access
from memviz.ui.shared.thumbs import Thumbs
from memviz.ui.train import form, handlers, plan_card
from memviz.ui.train import jobs as train_jobs
from memviz.ui.train.history import History, thinned
from memviz.ui.train.view import view
from tests.support import processes, samples

START = {"event": "start", "steps": 40, "samples": 320, "pictures": 9, "members": 4, "mode": "iet"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path))
    train_jobs.history.cache_clear()
    return tmp_path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished process that was a job, begun once."""
    asked = [sys.executable, "-c", "", "--corpus", "demo-10k", "--out", "{job}/out"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMVIZ_HOME", str(tmp_path_factory.mktemp("finished")))
        job = jobs.start("train", asked, "My fox")
    processes.until(lambda: job.state().over)
    return job


@pytest.fixture
def job(home, finished):
    """A copy of it in the test's own home; tests write its events themselves."""
    copytree(finished.folder, jobs.root() / finished.id)
    return jobs.find(finished.id)


def tell(job: Job, *rows: dict) -> None:
    for number, row in enumerate(rows):
        files.append_line(job.folder / "metrics.jsonl", {"time": 100.0 + number, **row})


def steps(*numbers: int) -> list[dict]:
    return [{"event": "step", "step": n, "round": 1, "member": 0, "loss": 1 / n} for n in numbers]


def gate(step: int, rnd: int) -> dict:
    shares = [None] * 19 + [0.5]
    place = {"event": "gate", "step": step, "round": rnd}
    return {**place, "skipped": 0.25, "skipped_by_t": shares, "bank_by_t": shares}


def probe(rnd: int, copied: float, stop: int | None = None) -> dict:
    figures = {"copied": copied, "similarity_mean": 0.5, "magnitude": 1.0, "alignment": None}
    shown = {"group": "duplicated", "seed": 0, "similarity": 0.9, "match": 3}
    pictures = [{**shown, "prompt": f"fox {i}", "file": f"probes/{rnd}/{i}.png"} for i in range(9)]
    place = {"event": "probe", "step": 10 * rnd, "round": rnd, "member": None}
    found = {"stop_here": stop, "copying_from": None if stop is None else 10 * (stop + 1)}
    return {**place, **found, "groups": {"duplicated": figures}, "pictures": pictures}


def fixed(rnd: int, held_out: float | None) -> dict:
    place = {"event": "fixed_loss", "step": 10 * rnd, "round": rnd, "member": None}
    return {**place, "held_out": held_out, "seen": 0.25}


def drawn(history: History) -> dict:
    return view(history.read(), lambda name: f"/{name}", lambda number: None)


def values(**changes: object) -> list:
    return [*(PRESETS["demo"].config().to_json() | changes).values()]


def test_the_loss_at_fixed_noise_stands_beside_the_loss(job):
    tell(job, START, fixed(0, None), *steps(1, 2), fixed(1, None))
    found = drawn(History(job))
    assert found["fixed_loss"] == {"seen once, fixed noise": {"x": [0, 10], "y": [0.25, 0.25]}}
    tell(job, fixed(2, 0.5))
    found = drawn(History(job))
    assert found["fixed_loss"]["held out, fixed noise"] == {"x": [20], "y": [0.5]}
    assert "0.500 held out" in found["said"]["loss"]


def test_a_round_to_stop_at_that_was_judged_in_mid_schedule_says_so(job):
    tell(job, START, probe(0, 0.0), probe(1, 0.0) | {"mid_schedule": True}, probe(2, 0.9, stop=1))
    found = drawn(History(job))
    assert found["rounds"][1]["name"] == "after round 1, in mid-schedule"
    assert "train anew with --rounds 1" in found["said"]["probes"]["copied"]
    tell(job, START, probe(0, 0.0), probe(1, 0.0), probe(2, 0.9, stop=1))
    assert "anew" not in drawn(History(job))["said"]["probes"]["copied"]


def test_a_training_of_another_program_is_watched_as_a_job(home, monkeypatch):
    begun = []
    monkeypatch.setattr(jobs, "start", lambda *asked: begun.append(asked))
    (home / "run").mkdir()
    train_jobs.watch(str(home / "run"), values(model="demo", probe_prompts=3, lr=0.5))
    kind, argv, title, _ = begun[0]
    assert (kind, title) == ("watch", "run, watched")
    asked = parser().parse_args(argv[argv.index("memviz") + 1 :])
    assert (asked.base, asked.corpus, asked.probe_prompts) == ("demo", "demo-10k", 3)
    assert asked.folder == home / "run" and asked.out == home / "run/memviz-watch"
    for folder, sentence in (("", "There is no folder"), (str(home / "x"), "is no folder")):
        with pytest.raises(MemvizError, match=sentence):
            train_jobs.watch(folder, values())


def test_a_watched_training_is_drawn_like_one_of_our_own(job):
    first = probe(0, 0.0) | {"saved": ""}
    tell(job, {"event": "start", "follows": "run", "prompts": 9}, first)
    tell(job, probe(1, 0.5, stop=0) | {"saved": "fox-step00000500.safetensors", "step": 500})
    found = drawn(History(job))
    assert found["progress"]["size"] == "each state that run saves, 9 prompts"
    assert found["rounds"][1]["name"] == "at step 500 (fox-step00000500.safetensors)"
    assert found["probes"]["duplicated"]["x"] == [0, 500] and found["stop_step"] == 0


def test_a_corpus_of_ones_own_takes_the_demo_preset_and_what_cannot_be_does_not_start(home):
    for i in range(20):
        samples.smooth(i, (8, 8)).save(home / f"{i}.png")
    asked = values(corpus=str(home))
    with pytest.raises(MemvizError, match="Leave --weights empty"):
        train_jobs.start("", asked)
    assert handlers.suit(*asked) == ["", "", 0, 2]
    assert jobs.listing() == []


def test_a_check_that_finds_an_obstacle_holds_the_start_back(home, monkeypatch):
    def refuse(values):
        yield "reading"
        raise MemvizError("There is no such thing.")

    monkeypatch.setattr(train_jobs, "plan", refuse)
    *_, (words, start) = handlers.check(True, *values())
    assert "There is no such thing. Start is held back" in words and start.interactive is False
    small = plan(disk_mb=10, disk_free_mb=5)
    monkeypatch.setattr(train_jobs, "plan", lambda values: iter([small]))
    assert [*handlers.check(True, *values())][-1][1].interactive is False
    command, start, card = handlers.change(*values())
    assert start.interactive and "memviz train" in command and card == ""
    assert handlers.change(*values(ratio=0.5))[1].interactive is False


@pytest.mark.parametrize("key", PRESETS)
def test_every_preset_goes_through_the_form_unchanged(key):
    asked = PRESETS[key].config()
    assert form.config([*asked.to_json().values()]) == asked


def test_number_boxes_may_give_whole_numbers_as_floats_and_empty_texts_as_nothing():
    asked = form.config(values(rounds=7.0, lr=1, probes=None))
    assert (asked.rounds, asked.lr, asked.probes) == (7, 1.0, "")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rounds": None}, "--rounds is empty"),
        ({"ratio": 0.5}, "--ratio"),
        ({"mode": "x"}, "--mode"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        form.config(values(**change))


def test_the_form_has_a_control_for_every_setting_in_order():
    with gr.Blocks(analytics_enabled=False):
        controls = form.build()
    assert [*controls] == [setting.name for setting in fields(Config)]
    assert form.config([c.value for c in controls.values()]) == PRESETS["demo"].config()


def test_the_command_is_the_one_a_person_would_type():
    told = handlers.spelled(*values(flip=True))
    assert told.startswith("python -m memviz train --model demo-pretrained --corpus demo-10k")
    assert "--flip" in told and told.endswith("--out MY-MODEL")
    assert "--mode is" in handlers.spelled(*values(mode="magic"))


def test_a_view_of_a_job_that_has_just_begun_is_empty_but_whole(job):
    seen = drawn(History(job))
    assert seen["state"] == "done" and seen["title"] == "My fox"
    assert seen["loss"] == {"x": [], "y": []} and seen["probes"] == {} and seen["gates"] == []
    json.dumps(seen)


def test_a_view_has_curves_pictures_and_words(job):
    tell(job, START, probe(0, 0.0), *steps(*range(2, 12, 2)), gate(10, 1), probe(1, 0.5, stop=0))
    seen = drawn(History(job))
    assert seen["loss"]["x"] == [2, 4, 6, 8, 10] and seen["loss"]["y"][0] == 0.5
    assert seen["probes"]["duplicated"]["copied"] == [0.0, 0.5]
    assert [len(r["pictures"]) for r in seen["rounds"]] == [4, 4]
    assert seen["rounds"][1]["pictures"][0]["src"] == "/probes/1/0.png"
    words = seen["said"]["probes"]
    assert words["copied"].startswith("Copied after round 1: 50 % of the prompts shown often.")
    assert words["similarity_mean"] == "Similarity after round 1: 0.50 of the prompts shown often."
    assert "an unknown mean" in words["alignment"] and words.keys() == seen["measures"].keys()
    assert "most at timesteps 950 to 999 (50 %)" in seen["said"]["gate"]
    assert seen["progress"]["left"].startswith("about ")


@pytest.mark.parametrize(
    ("stop", "words"), [(1, "after round 1: stop there"), (0, "even the first")]
)
def test_the_round_to_stop_at_is_marked(job, stop, words):
    within = probe(2, 0.5) | {"member": 3, "step": 25}
    tell(job, START, probe(0, 0.0), probe(1, 0.5 - 0.5 * stop), within, probe(3, 0.5, stop=stop))
    seen = drawn(History(job))
    assert words in seen["said"]["probes"]["copied"] and seen["stop_step"] == 10 * stop
    assert [r["name"] for r in seen["rounds"]] == [
        "before training", "after round 1", "at step 25, round 2, member 4", "after round 3",
    ]  # fmt: skip


def test_a_sweep_over_rounds_is_a_view_too(job):
    tell(job, {"event": "start", "steps": 30, "looks": 4, "prompts": 12}, probe(0, 0.0))
    told = drawn(History(job))["progress"]
    assert told["size"] == "4 looks at 12 prompts" and told["steps"] == 30 and told["left"] is None


def test_a_failure_says_first_what_the_trainer_said(home):
    job = jobs.start("train", [sys.executable, "-c", "raise SystemExit('No such fox.')"])
    processes.until(lambda: job.state().over)
    seen = drawn(History(job))
    assert seen["words"].startswith("No such fox. It failed (exit 1).") and seen["over"]


def test_only_a_training_that_saved_rounds_can_be_swept(job):
    assert not train_jobs.sweepable(job)
    tell(job, START, {"event": "saved", "step": 10, "round": 1, "folder": "rounds/0001"})
    assert train_jobs.sweepable(job)
    sense = [button.interactive for button in handlers.buttons(job)[: len(handlers.ACTIONS)]]
    assert sense == [False, False, True, True]


def test_after_a_resume_what_came_after_the_checkpoint_is_forgotten(job):
    history = History(job)
    tell(job, START, probe(0, 0.0), *steps(2, 4, 6))
    assert drawn(history)["progress"]["step"] == 6
    tell(job, START | {"resumed_at": 4}, *steps(6, 8))
    assert drawn(history)["loss"]["x"] == [2, 4, 6, 8]
    assert len(drawn(history)["rounds"]) == 1
    tell(job, START | {"resumed_at": 0}, probe(0, 0.0))
    assert drawn(history)["loss"]["x"] == [] and len(drawn(history)["rounds"]) == 1


def test_the_time_that_is_left_has_a_spread(job):
    rows = [{"step": n, "event": "step", "loss": 1.0, "time": float(n)} for n in range(10)]
    rows += [{"step": n, "event": "step", "loss": 1.0, "time": 3.0 * n - 18} for n in range(10, 20)]
    tell(job, START | {"time": 0.0}, *rows)
    likely, best, worst = History(job).read().remaining()
    assert best == pytest.approx(21) and worst == pytest.approx(63) and best < likely < worst


def test_a_long_loss_is_thinned_to_its_means():
    rows = [{"step": n, "loss": float(n % 2)} for n in range(10_000)]
    curve = thinned(rows, "step", "loss")
    assert len(curve["x"]) <= 600 and curve["x"][-1] == 9_999
    assert all(0.4 < y < 0.6 for y in curve["y"])


def test_a_look_changes_nothing_where_nothing_happened(job):
    tell(job, START)
    first = handlers.look(True, job.id)
    assert first[0]["id"] == job.id
    again = handlers.look(True, job.id, first[1])
    assert len(again) == len(first) and all(a == gr.skip() for a in again)
    tell(job, *steps(2))
    assert handlers.look(True, job.id, first[1])[0]["loss"]["x"] == [2]


def test_a_job_that_was_removed_is_a_sentence(home):
    assert "No job" in handlers.look(True, "20260102-030405-0123456789abcdef")[0]["note"]


def test_nothing_is_shown_or_started_for_a_stranger(job):
    assert "id" not in handlers.look(False, job.id)[0]
    message, *rest = handlers.careful(handlers.begin, 3)(False, "", *values())
    assert "owner" in message and rest == [gr.skip(), gr.skip()]
    assert [*handlers.check(False, *values())] == []
    assert jobs.listing() == [job]


@pytest.mark.parametrize(
    ("variable", "value", "open"),
    [
        ("SPACE_ID", "me/app", True),
        ("GRADIO_SERVER_NAME", "0.0.0.0", True),
        ("GRADIO_SERVER_NAME", "127.0.0.1", False),
    ],
)
def test_a_page_that_others_reach_is_public(monkeypatch, variable, value, open):
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    assert not access.public()
    monkeypatch.setenv(variable, value)
    assert access.public() == open


def test_only_a_long_token_opens(monkeypatch):
    monkeypatch.delenv(access.VARIABLE, raising=False)
    assert not access.knows("")
    monkeypatch.setenv(access.VARIABLE, "short")
    assert not access.knows("short")
    monkeypatch.setenv(access.VARIABLE, "correct horse battery")
    assert access.knows("correct horse battery") and not access.knows("correct horse")


def events(monkeypatch, token: str) -> int:
    from memviz.ui.app import build

    monkeypatch.setenv("SPACE_ID", "me/app")
    monkeypatch.setenv(access.VARIABLE, token)
    return len(build().fns)


def test_on_a_public_page_without_a_token_no_handler_exists(monkeypatch):
    assert events(monkeypatch, "") < events(monkeypatch, "correct horse battery")


def test_small_pictures_come_from_the_jobs_folder_only(home, tmp_path):
    out = tmp_path / "job" / "out"
    (out / "probes").mkdir(parents=True)
    Image.new("RGB", (400, 400)).save(out / "probes" / "0.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "job" / "secret.png")
    small = Thumbs("20260102-030405-0123456789abcdef", out, "demo-10k")
    address = small.probe("probes/0.png")
    made = tmp_path / "thumbs" / small.job_id / "probes-0.png.webp"
    assert address.endswith(made.name) and Image.open(made).size == (192, 192)
    assert small.probe("../secret.png") is None and small.probe("probes/1.png") is None
    assert small.trained("0") and small.trained("999999") is None


def test_a_finished_training_is_in_the_model_list_at_once(job):
    assert not loading.registered()
    made = job.folder / "out" / "model"
    made.mkdir(parents=True)
    training_job.register_model(jobs.JobContext(job.folder), made)
    (name,) = loading.registered()
    assert name == f"my-fox-{job.id[-4:]}" and loading.find(name).places == (str(made),)
    made.rmdir()
    assert not loading.registered()  # its job was removed with its files


def test_two_runs_become_one_view_with_a_side_each():
    cell = {"cell": 0, "prompt": "fox", "method": "cfg", "image": "images/0.png", "sheet": None}
    cell |= {"seed": 0}
    cell |= {"match": {"image": "matches/0.png"}, "matches": [{"image": "matches/0.png"}]}
    one = {"id": "a", "cells": [cell], "result": "Copied.", "summaries": {"magnitude": "High."}}
    one |= {"facts": [("Model", "demo"), ("Steps", "50")], "steps": 50, "tile": 64}
    one |= {"base": "/memviz-files/examples/a/"}
    after = one | {"id": "b", "result": "Clean.", "base": "/memviz-files/runs/b/"}
    both = two_models.merged(one, after)
    assert [(c["cell"], c["method"]) for c in both["cells"]] == [(0, "before"), (1, "after")]
    assert both["cells"][0]["image"] == "../../examples/a/images/0.png"
    assert both["cells"][1]["matches"][0]["image"] == "./matches/0.png"
    assert both["result"] == "Before: Copied. After: Clean." and both["with"] == "a"
    assert both["facts"] == [("Before", "demo"), ("After", "demo"), ("Steps", "50")]


def plan(**changes: object) -> dict:
    """As `train --dry-run --json` prints it."""
    counts = {"pictures": 10_000, "entries": 10_000, "steps": 320, "samples": 10_240, "members": 4}
    copies = {"groups_of_copies": 2, "pictures_in_them": 5, "most_copies_of_one": 300}
    costs = {"seconds_per_step": 0.5, "seconds_of_training": 160, "looks": 5, "memory_mb": 900}
    disk = {"disk_mb": 300, "disk_free_mb": 9_000, "cache_mb": 90, "device": "cpu"}
    more = {"seconds_of_looks": 50, "busy": 0.1, "gpu_memory_mb": None, "gpu_total_mb": None}
    return counts | copies | costs | disk | more | changes


def test_the_card_tells_the_gpus_memory_and_a_busy_machine():
    shown = plan_card.card(plan(gpu_memory_mb=15_000, gpu_total_mb=24_000))
    assert "15.0 GB of the GPU&#39;s 24.0 GB" in shown and "parked members included" in shown
    assert "5 looks at the watched prompts, about 50 s" in shown and "busy" not in shown
    assert "Other programs take 60% of the processors now" in plan_card.card(plan(busy=0.6))


def test_the_card_tells_what_it_would_take_and_what_stands_against_it():
    shown = plan_card.card(plan())
    assert "10,000" in shown and "5 files in 2 groups" in shown and "3 min" in shown
    assert "alert" not in shown
    assert "disk is too small" in plan_card.card(plan(disk_mb=10_000))
    assert "of memory" in plan_card.card(plan(memory_mb=1e9))


def test_a_plan_that_fails_says_the_trainers_own_sentence(home, monkeypatch):
    monkeypatch.chdir(home)  # an app may be started anywhere
    asked = values(corpus="/nowhere")
    with pytest.raises(ValueError, match=r"No such corpus: /nowhere"):
        [*train_jobs.plan(asked)]


def test_a_start_without_a_corpus_is_refused(home):
    with pytest.raises(ValueError, match="no corpus"):
        train_jobs.start("", values(corpus=""))
    assert not os.path.exists(jobs.root())

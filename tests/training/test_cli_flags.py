"""The command line of a fine-tuning: every setting a flag, read back the same; the plan."""

import argparse
import json

import pytest

from memviz import jobs
from memviz.cli import main
from memviz.training import cli_flags, dry_run
from memviz.training.config import PRESETS, Config
from tests.support import fine_tuning, world


def parsed(*words):
    parser = argparse.ArgumentParser()
    cli_flags.add(parser)
    return Config(**cli_flags.given(parser.parse_args(words)))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_words_of_a_config_make_it_again(preset):
    config = PRESETS[preset].config(corpus="some folder", center_crop=False, lr=1.5e-7)
    assert parsed(*cli_flags.words(config)) == config


def test_only_what_is_not_the_default_is_spelled_out():
    assert cli_flags.words(Config()) == []
    assert cli_flags.words(Config(flip=True, center_crop=False)) == ["--no-center-crop", "--flip"]


def test_a_flag_goes_before_its_preset():
    assert parsed("--preset", "demo", "--lr", "0.5") == PRESETS["demo"].config(lr=0.5)


def test_a_wrong_value_is_one_sentence(capsys, tmp_path):
    assert main(["train", "--out", str(tmp_path / "out"), "--shards", "0"]) == 2
    assert capsys.readouterr().err == "--shards is 0; give a whole number from 1 to 64.\n"


def test_settings_other_than_the_folders_are_refused_on_a_resume(capsys, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(Config(corpus="x").to_json()))
    assert main(["train", "--out", str(tmp_path), "--resume", "--lr", "0.1"]) == 2
    assert "was begun with another --lr" in capsys.readouterr().err


def test_a_dry_run_tells_what_it_would_take_and_leaves_no_trace(capsys, tmp_path):
    made = world.build(tmp_path)
    (made.corpus / "copy.png").write_bytes((made.corpus / "0003.png").read_bytes())
    config, out = fine_tuning.config(made, probes="none"), tmp_path / "out"
    assert main(["train", *cli_flags.words(config), "--out", str(out), "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["pictures"] == 8 and plan["groups_of_copies"] == 1 and plan["pictures_in_them"] == 2
    assert plan["steps"] == 12 and plan["samples"] == 24 and plan["members"] == 2
    assert all(plan[k] > 0 for k in ("seconds_per_step", "memory_mb", "disk_mb", "disk_free_mb"))
    assert plan["looks"] == plan["seconds_of_looks"] == 0 and plan["gpu_memory_mb"] is None
    assert not out.exists()


def test_a_dry_run_times_its_looks_and_counts_its_cache(tmp_path):
    config = fine_tuning.config(world.build(tmp_path))
    found = dry_run.plan(config, tmp_path / "out", lambda text: None)
    assert found["looks"] == 3 and found["seconds_per_look"] > 0
    assert found["cache_mb"] * 1e6 == pytest.approx(7 * 4 * 64 * 2 + 8 * 77 * 32 * 2, abs=5e5)
    assert 0 <= found["busy"] <= 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_training_in_the_background_is_a_job_whose_rounds_are_looked_at(
    capsys, tmp_path, monkeypatch
):
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path / "home"))
    config = fine_tuning.config(world.build(tmp_path), probes="none", rounds=1)
    assert main(["train", *cli_flags.words(config), "--background", "--json"]) == 0
    job = jobs.find(json.loads(capsys.readouterr().out)["id"])
    assert main(["jobs", "follow", job.id]) == 0
    assert job.state().name == "done", job.log_tail()
    assert main(["rounds", str(job.folder / "out"), "--seeds", "0"]) == 0
    told = capsys.readouterr().out
    assert "copied, duplicated" in told and "--model" in told


def test_a_training_needs_a_place(capsys):
    assert main(["train", "--preset", "demo"]) == 2
    assert "--out is missing" in capsys.readouterr().err

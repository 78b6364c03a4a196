"""Folders of pictures: their layout, going on after a kill, and sharing the work."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from memviz.data import corpus
from memviz.errors import InputError
from memviz.evaluation.bulk import (
    Bulk,
    Share,
    fill_folder,
    missing_pictures,
    picture_file,
    read_about,
)
from tests.support.command_line import call

PROMPTS = ("a fox", "a cactus", "a\nmoon", "a fox")


@pytest.fixture
def bulk(tiny_model: Path) -> Bulk:
    """Eight pictures in groups of three."""
    return Bulk(PROMPTS, "cfg:scale=3", str(tiny_model), (5, 6), True, steps=2, batch=3)


def pictures(folder: Path) -> dict[str, np.ndarray]:
    return {f.name: np.array(Image.open(f)) for f in (folder / "generations").glob("*.png")}


def same(a: Path, b: Path) -> bool:
    one, other = pictures(a), pictures(b)
    return one.keys() == other.keys() and all(np.array_equal(one[n], other[n]) for n in one)


def test_the_folder_is_laid_out_as_dcr_does(bulk: Bulk, tmp_path: Path) -> None:
    assert [*fill_folder(bulk, tmp_path)] == [0, 3, 6, 8]
    assert (tmp_path / "prompts.txt").read_text() == "a fox\na cactus\na moon\na fox\n"
    read = corpus.load(tmp_path)
    named = dict(zip(read.column("file"), read.captions, strict=True))
    assert named["generations/3.png"] == "a cactus"
    assert named["generations/7.png"] == "a fox"
    assert len(read) == len(bulk) == 8


def test_each_picture_says_how_it_was_made(bulk: Bulk, tmp_path: Path) -> None:
    [*fill_folder(bulk, tmp_path)]
    about = read_about(picture_file(tmp_path, 7))
    assert (about["prompt"], about["seed"]) == bulk.picture(7) == ("a fox", 12)
    assert about["method"].startswith("cfg:scale=3")
    assert about["evaluations"] == 4
    assert "Seed: 12" in Image.open(picture_file(tmp_path, 7)).text["parameters"]


def test_a_prompt_drawn_twice_is_made_from_two_noises(bulk: Bulk, tmp_path: Path) -> None:
    [*fill_folder(bulk, tmp_path)]
    made = pictures(tmp_path)
    assert not np.array_equal(made["0.png"], made["6.png"])
    [*fill_folder(replace(bulk, seeds_by_row=False), tmp_path / "same")]
    made = pictures(tmp_path / "same")
    assert np.array_equal(made["0.png"], made["6.png"])


def test_what_is_there_is_not_made_again_and_the_rest_is_the_same(
    bulk: Bulk, tmp_path: Path
) -> None:
    [*fill_folder(bulk, tmp_path / "whole")]
    steps = fill_folder(bulk, tmp_path / "part")
    assert [next(steps), next(steps)] == [0, 3]
    steps.close()
    picture_file(tmp_path / "part", 1).unlink()
    before = {f: f.stat().st_mtime_ns for f in (tmp_path / "part/generations").iterdir()}
    assert missing_pictures(bulk, tmp_path / "part") == [1, 3, 4, 5, 6, 7]
    assert [*fill_folder(bulk, tmp_path / "part")] == [2, 3, 6, 8]
    assert all(file.stat().st_mtime_ns == then for file, then in before.items())
    assert same(tmp_path / "whole", tmp_path / "part")
    assert [*fill_folder(bulk, tmp_path / "part")] == [8]


def test_two_processes_make_what_one_makes(bulk: Bulk, tmp_path: Path) -> None:
    [*fill_folder(bulk, tmp_path / "one")]
    assert [*fill_folder(bulk, tmp_path / "two", Share(1, 2))] == [0, 3]
    assert [*fill_folder(bulk, tmp_path / "two", Share(0, 2))] == [0, 3, 5]
    assert same(tmp_path / "one", tmp_path / "two")


def test_other_settings_do_not_mix_into_a_folder(bulk: Bulk, tmp_path: Path) -> None:
    [*fill_folder(bulk, tmp_path)]
    for other in (replace(bulk, steps=3, prompts=(*PROMPTS, "b")), replace(bulk, seeds=(1, 2, 3))):
        with pytest.raises(InputError, match="Name another folder"):
            [*fill_folder(other, tmp_path)]
    assert [*fill_folder(replace(bulk, batch=2), tmp_path)] == [8]


def test_pictures_have_the_size_that_was_asked_for(bulk: Bulk, tmp_path: Path) -> None:
    [*fill_folder(replace(bulk, size=64, prompts=PROMPTS[:1]), tmp_path / "64")]
    assert pictures(tmp_path / "64")["0.png"].shape == (64, 64, 3)
    [*fill_folder(bulk, tmp_path / "own")]
    assert pictures(tmp_path / "own")["0.png"].shape == (32, 32, 3)
    with pytest.raises(InputError, match="multiple of 8"):
        replace(bulk, size=20)


WORDS = ("--prompts", "demo:duplicated", "--limit", "8", "--steps", "2", "--seeds", "0,1")


def command(model: Path, out: Path, *more: str) -> list[str]:
    return ["-m", "memviz", "generate", *WORDS, "--model", str(model), "--out", str(out), *more]


def test_the_verb_fills_a_folder_per_method(tiny_model: Path, tmp_path: Path) -> None:
    words = (*WORDS, "--model", tiny_model, "--methods", "cfg,stp:at=500", "--out", tmp_path)
    told = call("generate", *words, "--limit", "2")
    assert told.returncode == 0, told.stderr
    assert f"4 pictures in {tmp_path / 'stp-at-500'}" in told.stdout
    assert len(pictures(tmp_path / "cfg")) == 4
    assert call("generate", *words, "--draw", "42", "--limit", "3").returncode == 2


@pytest.mark.slow
def test_it_goes_on_after_a_kill(tiny_model: Path, tmp_path: Path) -> None:
    words = command(tiny_model, tmp_path / "killed", "--batch", "2", "--steps", "40")
    process = subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE, text=True)
    generations = tmp_path / "killed/generations"
    while process.poll() is None and len([*generations.glob("*.png")]) < 2:
        process.stderr.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {file: file.stat().st_mtime_ns for file in generations.glob("*.png")}
    assert 0 < len(before) < 16
    assert call(*words[2:]).returncode == 0
    assert all(file.stat().st_mtime_ns == then for file, then in before.items())
    assert call(*command(tiny_model, tmp_path / "whole", *words[-4:])[2:]).returncode == 0
    assert same(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.slow
def test_two_launched_processes_make_what_one_makes(tiny_model: Path, tmp_path: Path) -> None:
    launch = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"]
    words = command(tiny_model, tmp_path / "two", "--batch", "3")
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *launch, *words], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert call(*command(tiny_model, tmp_path / "one", "--batch", "3")[2:]).returncode == 0
    assert same(tmp_path / "one", tmp_path / "two")

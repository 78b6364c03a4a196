"""A fine-tuning as real processes: killed, out of disk, and spread over two of them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from memviz.training import cli_flags
from tests.support import fine_tuning, world
from tests.support.fine_tuning import losses
from tests.support.forked import Forked

ROOT = Path(__file__).parents[2]
SCRIPT = str(ROOT / "scripts/train_iet_agc.py")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    small = world.build(tmp_path_factory.mktemp("world"))
    return fine_tuning.config(small, shards=3, probes="none", mode="iet-agc")


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """The unbroken run in one process: its folder and events."""
    out = tmp_path_factory.mktemp("whole") / "out"
    return out, fine_tuning.run(config, out)


def begin(config, folder, *more, **how):
    """Start it as a job would be; its events go to `folder`/metrics.jsonl."""
    return Forked(["train", *words(config, folder, *more)], env(folder), **how)


def words(config, folder, *more):
    return [*cli_flags.words(config), "--out", str(folder / "out"), *more]


def env(folder):
    folder.mkdir(exist_ok=True)
    return os.environ | {"MEMVIZ_JOB": str(folder)}


def ended(process):
    """Exit code and the last line said."""
    said = process.stderr.read()
    return process.wait(), said.strip().splitlines()[-1]


def kept(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def average(out):
    """What the members of the last round began from, in float32."""
    (newest,) = max((out / "checkpoints").iterdir()).glob("0000-average-*.pt")
    return torch.load(newest, weights_only=True)


def weights(out):
    return load_file(out / "model/unet/diffusion_pytorch_model.safetensors")


def test_killed_and_resumed_it_is_the_unbroken_run_bit_for_bit(config, whole, tmp_path):
    process = begin(config, tmp_path)
    assert any(line.startswith("step 11 ") for line in process.stderr)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert ended(begin(config, tmp_path, "--resume"))[0] == 0
    assert losses(kept(tmp_path)) == losses(whole[1])
    one, other = weights(tmp_path / "out"), weights(whole[0])
    assert all(torch.equal(one[name], other[name]) for name in other)
    assert json.loads((tmp_path / "result.json").read_text())["model"] == str(
        tmp_path / "out/model"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_a_checkpoint_and_a_code_of_its_own(config, whole, tmp_path, number):
    process = begin(config, tmp_path)
    assert any(line.startswith("step 3 ") for line in process.stderr)
    process.send_signal(number)
    code, said = ended(process)
    assert code == 128 + number and "go on with --resume" in said
    newest = max((tmp_path / "out/checkpoints").iterdir())
    assert f"step {int(newest.name)};" in said
    assert ended(begin(config, tmp_path, "--resume"))[0] == 0
    assert losses(kept(tmp_path)) == losses(whole[1])


def test_a_full_disk_ends_it_with_a_sentence_and_the_last_checkpoint_whole(config, whole, tmp_path):
    (tmp_path / "stop").touch()
    assert ended(begin(config, tmp_path))[0] == 0  # stops after its first step
    (tmp_path / "stop").unlink()
    before = sorted((tmp_path / "out/checkpoints").rglob("*"))

    code, said = ended(begin(config, tmp_path, "--resume", fsize=2**20))
    assert code == 2 and said.startswith("No checkpoint could be written to")
    assert "it needs " in said
    assert "The last one, 000000001, is whole: make room, then resume." in said
    assert sorted((tmp_path / "out/checkpoints").rglob("*")) == before
    assert ended(begin(config, tmp_path, "--resume"))[0] == 0
    assert losses(kept(tmp_path)) == losses(whole[1])


def test_two_processes_come_to_the_same_as_one(config, whole, tmp_path):
    # --multi_gpu even without one: with --cpu, accelerate starts a single process
    launch = ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2")
    more = ("--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no")
    port = ("--main_process_port", "0")
    command = [sys.executable, *launch, *more, *port, SCRIPT, *words(config, tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=env(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ranks = {p.name[:4] for p in (tmp_path / "out/checkpoints").rglob("*.pt")}
    assert ranks == {"0000", "0001"}  # there really were two
    averages = average(tmp_path / "out"), average(whole[0])
    assert max((a - b).abs().max() for a, b in zip(*averages, strict=True)) <= 1e-5
    one, other = weights(tmp_path / "out"), weights(whole[0])  # stored in half precision
    torch.testing.assert_close(one, other, rtol=2**-10, atol=1e-6)
    mine, theirs = (sorted(losses(events).values()) for events in (kept(tmp_path), whole[1]))
    assert mine == pytest.approx(theirs, abs=1e-5)

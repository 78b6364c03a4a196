"""Training without captions: the loop, its looks by memorization quantity, and what is left."""

import json

import numpy as np
import pytest
import torch

from memviz.cli import main
from memviz.errors import MemvizError
from memviz.models import loading
from memviz.training.config import PRESETS, Config
from memviz.training.unconditional.architecture import is_unconditional
from memviz.training.unconditional.memorization_quantity import (
    measure_distances,
    memorization_quantity,
)
from memviz.training.unconditional.model import UnconditionalModel
from tests.support import fine_tuning, samples
from tests.support.fine_tuning import of

SMALL = {
    "model": "ddpm-tiny", "resolution": 16, "shards": 2, "rounds": 2, "local_steps": 3,
    "batch_size": 2, "lr": 1e-3, "warmup": 2, "log_every": 1, "checkpoint_every": 2,
    "probe_samples": 3, "probe_steps": 2, "save_every": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for i in range(7):
        samples.smooth(i, (20, 16)).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def whole(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    return out, fine_tuning.run(Config(**SMALL, corpus=str(corpus)), out)


def slow_distances(generated, training):
    """The released code's D, one picture after the other."""
    found = []
    for x in generated:
        squared = np.sort([((x - y) ** 2).sum() for y in training])
        found.append(squared[0] / squared[:50].mean())
    return np.array(found)


def test_distances_are_those_of_a_direct_computation_with_50_neighbors():
    rng = np.random.default_rng(0)
    training = rng.random((80, 3, 4, 4), np.float32)
    generated = np.concatenate([rng.random((5, 3, 4, 4), np.float32), training[[7]] + 0.01])
    distances, near = measure_distances(generated, training)
    np.testing.assert_allclose(distances, slow_distances(generated, training), rtol=1e-3)
    assert near[-1] == 7 and distances[-1] < 0.01
    mq = memorization_quantity(distances)
    assert mq["0.15"] == round(1 / 6, 4) and [*mq.values()] == sorted(mq.values())


def test_it_trains_in_the_same_loop_and_is_watched_by_mq(whole):
    out, events = whole
    assert [e["round"] for e in of(events, "probe")] == [0, 1, 2]
    *_, last = of(events, "probe")
    assert last["groups"]["samples"]["copied"] == last["mq"]["0.25"]
    assert len(last["pictures"]) == 3 and {p["match"] for p in last["pictures"]} <= set(range(7))
    assert all((out / p["file"]).is_file() for p in last["pictures"])
    assert [len(e["skipped_by_t"]) for e in of(events, "gate")] == [20, 20]
    assert events[-1] | {"seconds": 0} == {
        "event": "done", "step": 12, "samples": 24, "seconds": 0, "folder": "model",
    }  # fmt: skip
    card = (out / "model/README.md").read_text()
    assert "| 0.25 |" in card and "--model ddpm-tiny" in card


def test_stopped_and_resumed_it_is_the_unbroken_run(corpus, whole, tmp_path):
    config, seen = Config(**SMALL, corpus=str(corpus)), []
    from memviz.training.trainer import train

    for event in train(config, tmp_path / "out", lambda: len([*of(seen, "step")]) >= 7):
        seen.append(event)
    rest = fine_tuning.run(config, tmp_path / "out", resume=True)
    assert rest[0]["resumed_at"] == 7
    assert fine_tuning.losses(seen) | fine_tuning.losses(rest) == fine_tuning.losses(whole[1])


def test_what_it_leaves_goes_on_and_draws_the_same(corpus, whole):
    model = str(whole[0] / "model")
    assert is_unconditional(model) and is_unconditional("ddpm-32")
    assert not is_unconditional("demo")
    config = Config(**{**SMALL, "model": model}, corpus=str(corpus))
    made = UnconditionalModel(config, "cpu")
    one, other = (made.draw(0, 2, 3) for _ in range(2))
    assert one.shape == (2, 3, 16, 16) and torch.equal(one, other)
    assert one.min() >= 0 and one.max() <= 1
    assert not torch.equal(one, made.draw(1, 2, 3))


def test_fifty_steps_are_those_of_the_released_code():
    from diffusers import DDIMScheduler

    grid = DDIMScheduler(steps_offset=1, timestep_spacing="leading")
    grid.set_timesteps(50)
    assert grid.timesteps.tolist() == [*range(981, 0, -20)]


def test_saved_rounds_are_looked_at_again(whole, tmp_path, capsys):
    out, events = whole
    assert main(["rounds", str(out), "--out", str(tmp_path), "--json"]) == 0
    looks = json.loads(capsys.readouterr().out)["looks"]
    before = [*of(events, "probe")]
    assert [look["round"] for look in looks] == [0, 1, 2]
    assert looks[0]["mq"] == before[0]["mq"]


def test_a_prompt_is_not_asked_of_it(whole):
    with pytest.raises(MemvizError, match="takes no prompt, and guidance needs one"):
        loading.load(str(whole[0] / "model"))
    with pytest.raises(MemvizError, match="have no LoRA"):
        UnconditionalModel(Config(**SMALL, lora=2), "cpu")


def test_the_published_preset_is_ten_clients_of_a_hundred_epochs():
    config = PRESETS["cifar10"].config(corpus="x")
    assert (config.shards, config.rounds, config.ratio, config.ema_decay) == (10, 10, 2.0, 0.8)
    assert config.local_steps == 100 * (5_000 // 128) and config.steps == 390_000

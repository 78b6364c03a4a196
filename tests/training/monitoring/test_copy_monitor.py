"""The monitor in a training loop written by hand."""

import json

import pytest
import torch
from torch.nn.functional import mse_loss

from memviz.models import loading
from memviz.training import CopyMonitor
from tests.support import world


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return world.build(tmp_path_factory.mktemp("world"))


def fine_tune(small, out, every):
    """Five steps on noise, as anybody would write them; the losses and what the monitor saw."""
    torch.manual_seed(0)
    pipe = loading.load(str(small.model)).pipe
    unet = pipe.unet.requires_grad_(True).train()
    optimizer = torch.optim.AdamW(unet.parameters(), 1e-3)
    text = pipe.encode_prompt(["a fox", ""], pipe.device, 1, False)[0]
    seen, found = [], []
    if every:
        monitor = CopyMonitor(
            pipe, str(small.corpus), out, every, probe_prompts=1, steps=2,
            descriptor=str(small.descriptor),
        )  # fmt: skip
    for step in range(1, 6):
        noise = torch.randn(2, 4, 8, 8)
        loss = mse_loss(unet(noise, torch.randint(0, 1000, (2,)), text).sample, noise)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        found.append(loss.item())
        if every:
            seen.append(monitor(step))
            assert unet.training
    return found, seen


def test_it_looks_every_few_steps_and_disturbs_nothing(small, tmp_path):
    losses, seen = fine_tune(small, tmp_path / "watched", 2)
    assert [event and event["step"] for event in seen] == [None, 2, None, 4, None]
    assert losses == fine_tune(small, tmp_path, 0)[0]
    rows = (tmp_path / "watched/metrics.jsonl").read_text().splitlines()
    told = [json.loads(row) for row in rows]
    assert [row["step"] for row in told] == [0, 2, 4]
    assert told[0]["groups"] != told[2]["groups"]  # the weights that are trained are looked at
    assert (tmp_path / "watched/memorization.svg").is_file()


def test_it_says_when_copying_began(small, tmp_path):
    pipe = loading.load(str(small.model)).pipe
    how = {"probe_prompts": 1, "steps": 2, "descriptor": str(small.descriptor)}
    monitor = CopyMonitor(pipe, str(small.corpus), tmp_path, **how)
    assert monitor.copying_from is monitor.stop_here is None
    (first,) = monitor.watch.looks
    for number, share in enumerate((0.0, 0.05, 1.0)):
        groups = {name: row | {"copied": share} for name, row in first["groups"].items()}
        look = first | {"step": 500 * number, "round": number, "groups": groups}
        monitor.watch.looks[number:] = [look]
    assert (monitor.copying_from, monitor.stop_here) == (1000, 500)

"""ZeroGPU, with a stand-in for the package that only its Spaces have."""

import importlib
import pickle
import sys
from types import SimpleNamespace

import pytest
import torch

from memviz.models import loading
from memviz.ui.shared import start_run, zero_gpu
from tests.support import world


@pytest.fixture
def lent(monkeypatch):
    """The module as it is on ZeroGPU; what was asked of the package."""
    asked = []

    def gpu(duration):
        return lambda function: (asked.append(duration), function)[1]

    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    importlib.reload(zero_gpu)
    yield asked
    monkeypatch.undo()
    importlib.reload(zero_gpu)


def look(progress):
    return {"id": progress.snapshot().record.id, "step": progress.step}


def test_a_run_on_a_lent_gpu_comes_back_as_plain_views(lent, tmp_path, monkeypatch):
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(loading.LENT, raising=False)
    ask = world.build(tmp_path / "world").ask(corpus="")
    work = start_run.Work(ask, visitor=False)
    assert pickle.loads(pickle.dumps(work)) == work
    made, same = zero_gpu.lend(work, look)
    views = [*map(same, made())]
    assert [view["step"] for view in views][-1] == ask.steps and pickle.dumps(views)
    assert lent == [zero_gpu.estimate_seconds]
    monkeypatch.delenv(loading.LENT)


def test_the_time_asked_for_grows_with_steps_times_pictures_and_has_an_end(lent, tmp_path):
    few, many = (
        start_run.work({"prompts": ["x"], "methods": "cfg", "seeds": range(n), "steps": steps})
        for n, steps in ((2, 10), (16, 50))
    )
    assert zero_gpu.estimate_seconds(few, look) == zero_gpu.LEAST
    assert zero_gpu.LEAST < zero_gpu.estimate_seconds(many, look) <= zero_gpu.MOST


def test_the_demo_and_every_other_machine_spend_no_gpu(lent, monkeypatch):
    demo = start_run.work({"prompts": ["x"], "methods": "cfg"})
    assert zero_gpu.lend(demo, look) == (demo, look)
    monkeypatch.delenv("SPACES_ZERO_GPU")
    other = start_run.Work(demo.ask, visitor=True)
    assert zero_gpu.lend(other, look) == (other, look)


def test_the_cuda_of_a_space_that_was_lent_no_gpu_is_not_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.delenv(loading.LENT, raising=False)
    assert loading._placement(None, None) == ("cpu", torch.float32)

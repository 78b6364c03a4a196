"""The detectors of 2026 against slow direct computations."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from memviz.detection import two_pass
from memviz.detection.curvature_map import curvature, make_maps, score_map
from memviz.detection.two_pass import choose_weights, score_prompts
from memviz.errors import InputError
from memviz.guidance.transition import Constant
from memviz.models.loading import Model
from memviz.models.schedulers import scheduler
from memviz.sampling.loop import sample
from memviz.sampling.noise import noise
from memviz.sampling.types import Request
from tests.support import tiny, world
from tests.support.command_line import call

PROMPTS = ("a fox", "a blue house")


@pytest.fixture(scope="module", params=["epsilon", "v_prediction"])
def model(request, tmp_path_factory) -> Model:
    from memviz.models import loading

    folder = tiny.build(tmp_path_factory.mktemp("model") / "m", prediction=request.param)
    return loading.load(str(folder))


def outputs(pipe, x, t, prompt):
    """Unconditional and conditional, by two calls, as the network gives them."""
    texts = [pipe.encode_prompt([words], "cpu", 1, False)[0] for words in ("", prompt)]
    return [pipe.unet(x, t, text.expand(len(x), -1, -1)).sample for text in texts]


def epsilons(pipe, x, t, prompt):
    """The same in epsilon units."""
    alpha, found = float(pipe.scheduler.alphas_cumprod[t]), outputs(pipe, x, t, prompt)
    if pipe.scheduler.config.prediction_type == "epsilon":
        return found
    return [alpha**0.5 * out + (1 - alpha) ** 0.5 * x for out in found]


@torch.no_grad()
def test_the_two_pass_score_is_norm_and_cosine_of_the_same_noise(model):
    pipe, grid = model.pipe, scheduler(model.pipe, "ddim", 10)
    found = score_prompts(model, PROMPTS, (2.0, 3.0), seeds=(4, 5), steps=10)
    for prompt, score in zip(PROMPTS, found, strict=True):
        values = []
        for seed in (4, 5):
            x = noise(pipe, [seed])
            low, full = outputs(pipe, x, grid.timesteps[0], prompt)
            late, other = epsilons(pipe, x, grid.timesteps[-3], prompt)
            d = (other - late).flatten()
            cosine = (late.flatten() @ d) / (late.norm() * d.norm())
            values.append(2 * float((full - low).norm()) + 3 * float(cosine))
        assert score == pytest.approx(np.mean(values), rel=2e-3, abs=1e-5)


def test_weights_are_a_models_own_or_given():
    assert choose_weights("sd-1.4") == (1, 2) and choose_weights("demo", "1,1") == (1, 1)
    for model, given in (("demo", ""), ("demo", "1"), ("sd-1.4", "1,x"), ("demo", "1,2,3")):
        with pytest.raises(InputError, match="as 1,2"):
            choose_weights(model, given)


def test_detect_adds_the_score_to_its_readings(tmp_path, monkeypatch):
    small = world.build(tmp_path / "world")
    (tmp_path / "p.csv").write_text("prompt,label\na fox,1\na house,0\n")
    words = ["detect", tmp_path / "p.csv", "--model", small.model, "--steps", "4", "--images", "1",
             "--steps-used", "1", "--two-pass"]  # fmt: skip
    told = call(*words, "--weights", "1,2")
    assert told.returncode == 0 and "two_pass" in told.stdout, told.stderr
    told = call(*words)
    assert told.returncode == 2 and "Give two, as 1,2" in told.stderr
    assert two_pass.SEEDS == (42, 51, 53)


@torch.no_grad()
def test_the_map_is_the_squared_difference_of_scores_before_the_last_step(model):
    requests = [Request(PROMPTS[0], seed, Constant(3)) for seed in (0, 1)]
    grid = scheduler(model.pipe, "ddim", 5)
    latents = [step.latents for step in sample(model.pipe, requests, grid)]
    t = grid.timesteps[-2]
    low, full = epsilons(model.pipe, latents[-3], t, PROMPTS[0])
    expected = (full - low).square().sum(1) / (1 - float(grid.alphas_cumprod[t]))
    found = make_maps(model, requests, steps=5)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


@torch.no_grad()
def test_an_earlier_checkpoint_can_be_the_baseline(model):
    requests = [Request(PROMPTS[0], 0, Constant(3))]
    assert float(make_maps(model, requests, steps=5, baseline=model).abs().max()) < 1e-6
    kind = model.pipe.scheduler.config.prediction_type
    earlier = replace(model, pipe=tiny.pipeline(prediction=kind, seed=1), name="earlier")
    assert float(make_maps(model, requests, steps=5, baseline=earlier).max()) > 1e-4
    other = "v_prediction" if kind == "epsilon" else "epsilon"
    odd = replace(model, pipe=tiny.pipeline(prediction=other), name="odd")
    with pytest.raises(InputError, match="prediction type"):
        make_maps(model, requests, steps=5, baseline=odd)
    with pytest.raises(InputError, match="at least 3"):
        make_maps(model, requests, steps=2)


def test_curvature_by_hand():
    difference = torch.tensor([[[[1.0, 0.0]], [[2.0, 3.0]]]])  # (1, 2, 1, 2)
    assert curvature(difference, 0.75).tolist() == [[[20.0, 36.0]]]


def test_a_map_is_scored_at_its_best_threshold():
    mask = np.array([[True, False], [False, False]])
    perfect = score_map(np.array([[9.0, 0.1], [0.2, 0.0]]), mask)
    assert (perfect.iou, perfect.mean_iou, perfect.accuracy) == (1, 1, 1)
    wrong = score_map(np.array([[0.0, 1.0], [1.0, 1.0]]), mask)
    assert wrong.iou == 0.25 and wrong.accuracy == 0.25 and wrong.mean_iou == 0.125
    for bad in (np.ones((2, 2), bool), np.zeros((2, 2), bool), np.ones((1, 2), bool)):
        with pytest.raises(InputError):
            score_map(np.zeros((2, 2)), bad)

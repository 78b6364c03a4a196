"""The loop equals diffusers' own, and each row is what it would be alone."""

from dataclasses import dataclass

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
)

from memviz.errors import InputError, MemvizError
from memviz.guidance.registry import CORE, METHODS
from memviz.guidance.switch import AtTimestep, FirstMinimum
from memviz.guidance.transition import Constant, TwoPhase
from memviz.models.schedulers import scheduler
from memviz.sampling.loop import check_timesteps, sample
from memviz.sampling.noise import noise, noise_hash, own_size
from memviz.sampling.types import Request, ResumeState
from tests.support import tiny

PROMPT = "a fox"


@pytest.fixture(scope="module", params=["epsilon", "v_prediction"])
def pipe(request):
    return tiny.pipeline(prediction=request.param)


def run(pipe, requests, steps=8, name="ddim"):
    return list(sample(pipe, requests, scheduler(pipe, name, steps)))


@pytest.mark.parametrize("name", ["ddim", "dpm", "pndm"])
def test_constant_scale_equals_the_stock_pipeline(pipe, name):
    pipe.scheduler, kept = scheduler(pipe, name, 8), pipe.scheduler
    generators = [torch.Generator().manual_seed(s) for s in (3, 4)]
    stock = pipe(
        [PROMPT] * 2,
        num_inference_steps=8,
        guidance_scale=7.5,
        generator=generators,
        output_type="latent",
    )
    pipe.scheduler = kept
    ours = run(pipe, [Request(PROMPT, s, Constant(7.5)) for s in (3, 4)], name=name)
    torch.testing.assert_close(ours[-1].latents, stock.images, atol=1e-4, rtol=1e-4)


SD_14 = {  # its scheduler_config.json: no spacing is stated
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
}
STOCK = {
    "ddim": DDIMScheduler,
    "dpm": DPMSolverMultistepScheduler,
    "pndm": PNDMScheduler,
    "euler": EulerDiscreteScheduler,
}


@pytest.mark.parametrize("name", STOCK)
@pytest.mark.parametrize("size", [32, 48])
def test_where_no_spacing_is_stated_pictures_equal_those_of_diffusers(name, size):
    pipe = tiny.pipeline()
    pipe.scheduler = PNDMScheduler.from_config(SD_14)
    request = Request(PROMPT, 3, Constant(7.5))
    ours = [*sample(pipe, [request], scheduler(pipe, name, 8), size=size)]
    pipe.scheduler = STOCK[name].from_config(pipe.scheduler.config)
    stock = pipe(
        PROMPT,
        height=size,
        width=size,
        num_inference_steps=8,
        guidance_scale=7.5,
        generator=torch.Generator().manual_seed(3),
        output_type="latent",
    )
    grid = [round(float(t)) for t in pipe.scheduler.timesteps]
    assert [step.t for step in ours] == grid
    torch.testing.assert_close(ours[-1].latents, stock.images, atol=1e-4, rtol=1e-4)


def test_a_size_that_the_latents_do_not_divide_is_refused(pipe):
    assert noise(pipe, [1], 48).shape == (1, 4, 12, 12) and own_size(pipe) == 32
    assert torch.equal(noise(pipe, [1], 32), noise(pipe, [1]))
    with pytest.raises(MemvizError, match="multiple of 4 pixels a side, not 50"):
        noise(pipe, [1], 50)


@pytest.mark.parametrize("name", ["ddim", "dpm", "pndm", "euler"])
def test_a_row_does_not_depend_on_its_batch(pipe, name):
    requests = [
        Request(p, s, m.guidance)
        for m in map(METHODS.get, CORE)
        for p, s in ((PROMPT, 0), ("two cats", 5))
    ]
    together = run(pipe, requests, name=name)[-1].latents
    for row, request in zip(together, requests, strict=True):
        alone = run(pipe, [request], name=name)[-1].latents[0]
        torch.testing.assert_close(row, alone, atol=1e-4, rtol=1e-4)


def test_rows_still_the_same_share_evaluations(pipe):
    requests = [Request(PROMPT, 0, TwoPhase(switch=AtTimestep(at))) for at in (500, 400, 300)]
    steps = run(pipe, requests, steps=10)
    before = [s for s in steps if s.t > 500]
    assert before[-1].evaluations == 2 * len(before)
    assert torch.equal(before[-1].latents[0], before[-1].latents[2])
    assert not torch.equal(steps[-1].latents[0], steps[-1].latents[1])


def test_other_prompts_share_the_unconditional_evaluation(pipe):
    steps = run(pipe, [Request(p, 0, Constant(0)) for p in ("a", "b", "c")], steps=4)
    assert steps[-1].evaluations == 4 * (1 + 3)


def test_scale_zero_ignores_the_prompt(pipe):
    one, other = run(pipe, [Request(p, 0, Constant(0)) for p in ("a fox", "a cow")])[-1].latents
    assert torch.equal(one, other)


def test_scale_one_follows_the_conditional_prediction_alone(pipe):
    generator = torch.Generator().manual_seed(0)
    stock = pipe(
        PROMPT, num_inference_steps=8, guidance_scale=1.0, generator=generator, output_type="latent"
    )
    ours = run(pipe, [Request(PROMPT, 0, Constant(1))])[-1].latents
    torch.testing.assert_close(ours, stock.images, atol=1e-4, rtol=1e-4)


def test_noise_is_a_float32_draw_from_a_cpu_generator(pipe):
    x = noise(pipe, [7, 9, 7])
    expected = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(7))
    assert torch.equal(x[0], expected) and torch.equal(x[2], expected)
    assert noise_hash(x[0]) == noise_hash(x[2]) != noise_hash(x[1])


def test_the_last_x0_estimate_is_the_result(pipe):
    last = run(pipe, [Request(PROMPT, 0, Constant(2))], name="dpm")[-1]
    torch.testing.assert_close(last.x0, last.latents, atol=1e-4, rtol=1e-4)


def test_magnitude_is_the_norm_of_the_difference_of_the_networks_own_outputs(pipe):
    step = run(pipe, [Request(PROMPT, 0, Constant(2))])[0]
    x, t = noise(pipe, [0]), torch.tensor(step.t)
    text, _ = pipe.encode_prompt([PROMPT, ""], "cpu", 1, False)
    with torch.inference_mode():
        cond, uncond = pipe.unet(torch.cat([x, x]), t, text).sample
    factor = float(pipe.scheduler.alphas_cumprod[step.t]) ** 0.5
    factor = factor if pipe.scheduler.config.prediction_type == "v_prediction" else 1.0
    size = float((cond - uncond).norm())
    assert step.signals["magnitude"][0] == pytest.approx(size, rel=1e-4)
    assert step.signals["magnitude_unit"][0] == pytest.approx(size / x.numel() ** 0.5, rel=1e-4)
    assert step.signals["magnitude_epsilon"][0] == pytest.approx(factor * size, rel=1e-4)


def test_kept_steps_whose_magnitude_is_in_another_unit_are_refused():
    pipe = tiny.pipeline(prediction="v_prediction")
    request = [Request(PROMPT, 0, Constant(2))]
    (first, *_) = run(pipe, request, steps=4)
    old = {name: v for name, v in first.signals.items() if name != "magnitude_epsilon"}
    steps = sample(pipe, request, scheduler(pipe, "ddim", 4),
                   past=ResumeState(first.prediction[None], [old]))  # fmt: skip
    with pytest.raises(InputError, match="epsilon units"):
        next(steps)


def test_the_dynamic_transition_reads_each_sample_alone(pipe):
    requests = [Request(PROMPT, s, TwoPhase(switch=FirstMinimum(100))) for s in range(4)]
    steps = run(pipe, requests, steps=20)
    for i, request in enumerate(requests):
        alone = run(pipe, [request], steps=20)
        assert [s.scales[i] for s in steps] == [s.scales[0] for s in alone]


def test_it_stops_when_the_reader_stops(pipe):
    steps = sample(pipe, [Request(PROMPT, 0, Constant())], scheduler(pipe, "ddim", 50))
    assert next(steps).index == 0
    steps.close()
    assert not torch.is_inference_mode_enabled()


def test_fractional_timesteps_are_refused():
    other = EulerAncestralDiscreteScheduler(timestep_spacing="linspace")
    other.set_timesteps(9)
    with pytest.raises(ValueError, match="fractional"):
        check_timesteps(other)


def test_the_magnitude_is_not_zero_where_no_signal_is_left():
    options = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    pipe = tiny.pipeline(prediction="v_prediction", **options)
    assert float(scheduler(pipe, "ddim", 4).alphas_cumprod[999]) == 0
    first = run(pipe, [Request(PROMPT, 0, Constant(2))], steps=4)[0]
    assert first.t == 999
    assert min(first.signals["magnitude"][0], first.signals["magnitude_epsilon"][0]) > 0


@dataclass(frozen=True)
class Turn:
    """A rule that reads another signal than the magnitude."""

    def scale(self, seen):
        return 7.5 if seen[-1].signals["cosine"] > 0 else 2

    def transition(self, seen):
        return None


def test_a_rule_sees_every_signal_that_is_recorded_before_its_step():
    pipe = tiny.pipeline()
    steps = list(sample(pipe, [Request(PROMPT, 0, Turn())], scheduler(pipe, "ddim", 4)))
    wanted = [7.5 if step.signals["cosine"][0] > 0 else 2 for step in steps]
    assert [step.scales[0] for step in steps] == wanted

"""The samplers: their timesteps, their noise levels, and zero terminal SNR."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, PNDMScheduler

from memviz.models import loading
from memviz.models.schedulers import SCHEDULERS
from tests.support import tiny

SPACINGS = ("leading", "trailing", "linspace")


def image(pipe: object, steps: int) -> np.ndarray:
    noise = torch.Generator().manual_seed(0)
    made = pipe("a fox", num_inference_steps=steps, generator=noise, output_type="np")
    return made.images[0]


def pipe_with(**options: object) -> object:
    class Pipe:
        scheduler = tiny.ddim("v_prediction", **options)

    return Pipe


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("steps", [1, 2, 7, 20, 50, 61, 103, 250])
def test_a_schedule_has_as_many_whole_timesteps_as_steps(
    name: str, spacing: str, steps: int
) -> None:
    made = loading.scheduler(pipe_with(timestep_spacing=spacing), name, steps)
    times = made.timesteps.tolist()
    assert len(times) == steps + (name == "pndm" and steps > 1)  # PNDM calls the model once more
    assert len(set(times)) == steps
    assert times == sorted(times, reverse=True)
    assert 0 <= times[-1] <= times[0] < 1000
    whole = all(float(t).is_integer() for t in times)
    assert whole or (name == "euler" and spacing == "linspace")


def test_spacing_and_offset_are_the_models_own() -> None:
    ddim = loading.scheduler(pipe_with(timestep_spacing="leading", steps_offset=1), "ddim", 5)
    pndm = loading.scheduler(pipe_with(timestep_spacing="leading", steps_offset=1), "pndm", 5)
    assert ddim.timesteps.tolist() == [801, 601, 401, 201, 1]
    assert pndm.timesteps.tolist() == [801, 601, 601, 401, 201, 1]
    trailing = pipe_with(timestep_spacing="trailing")
    assert loading.scheduler(trailing, "dpm", 4).timesteps.tolist() == [999, 749, 499, 249]


def test_a_change_of_class_keeps_what_the_old_class_left_at_its_default() -> None:
    class Pipe:
        scheduler = PNDMScheduler(skip_prk_steps=True)  # leading, alpha below one at the end

    ddim = loading.scheduler(Pipe, "ddim", 10)
    assert ddim.config.timestep_spacing == "leading"
    assert ddim.final_alpha_cumprod == ddim.alphas_cumprod[0] < 1


def test_a_spacing_that_the_file_does_not_state_is_that_of_the_class_that_samples() -> None:
    class Pipe:
        scheduler = PNDMScheduler(skip_prk_steps=True, steps_offset=1)

    spacings = {n: loading.scheduler(Pipe, n, 50).config.timestep_spacing for n in SCHEDULERS}
    both = {"ddim": "leading", "pndm": "leading", "dpm": "linspace", "euler": "linspace"}
    assert spacings == both
    assert loading.scheduler(Pipe, "dpm", 50).timesteps[:2].tolist() == [999, 979]
    assert loading.scheduler(Pipe, "dpm", 50, "leading").timesteps[0] == 951


def test_a_spacing_that_is_asked_for_goes_before_the_models_own() -> None:
    pipe = pipe_with(timestep_spacing="trailing")
    assert {loading.scheduler(pipe, n, 4).timesteps[0].item() for n in SCHEDULERS} == {999}
    assert loading.scheduler(pipe, "ddim", 4, "leading").timesteps[0] == 751
    with pytest.raises(loading.ModelError, match="leading, linspace, trailing"):
        loading.scheduler(pipe, "ddim", 4, "wide")


@pytest.mark.parametrize("zero", [False, True])
def test_all_have_the_same_noise_levels(zero: bool) -> None:
    pipe = pipe_with(rescale_betas_zero_snr=zero)
    ddim, *others = (loading.scheduler(pipe, n, 5).alphas_cumprod for n in SCHEDULERS)
    assert all(torch.allclose(ddim, other, atol=1e-6) for other in others)
    assert (ddim[-1].item() == 0) is zero


@pytest.mark.parametrize("name", SCHEDULERS)
def test_zero_terminal_snr_gives_finite_pictures(tiny_zero_snr: Path, name: str) -> None:
    pipe = loading.load(str(tiny_zero_snr)).pipe
    pipe.scheduler = loading.scheduler(pipe, name, 20)
    assert pipe.scheduler.timesteps[0] == 999
    assert np.isfinite(image(pipe, 20)).all()


@pytest.mark.parametrize("name", SCHEDULERS)
def test_zero_terminal_snr_reaches_the_picture_of_an_oracle(name: str) -> None:
    """A model that always predicts the same x0 must end exactly there, from any noise."""
    to_the_end = {"timestep_spacing": "trailing", "set_alpha_to_one": True}
    pipe = pipe_with(rescale_betas_zero_snr=True, **to_the_end)
    made = loading.scheduler(pipe, name, 25)
    alphas = pipe.scheduler.alphas_cumprod
    goal = torch.linspace(-1, 1, 48).reshape(1, 3, 4, 4)
    x = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * made.init_noise_sigma
    for t in made.timesteps:
        a, s = alphas[int(t)].sqrt(), (1 - alphas[int(t)]).sqrt()
        v = (a * made.scale_model_input(x, t) - goal) / s  # of x = a goal + s eps: a eps - s goal
        x = made.step(v, t, x).prev_sample
    assert torch.allclose(x, goal, atol=0.02)


def test_equal_to_the_schedule_diffusers_makes_for_the_same_config(tiny_model: Path) -> None:
    pipe = loading.load(str(tiny_model)).pipe
    mine = loading.scheduler(pipe, "ddim", 50)
    theirs = DDIMScheduler.from_config(pipe.scheduler.config)
    theirs.set_timesteps(50)
    assert torch.equal(mine.timesteps, theirs.timesteps)
    assert torch.equal(mine.alphas_cumprod, theirs.alphas_cumprod)
    assert mine.final_alpha_cumprod == theirs.final_alpha_cumprod


def test_schedulers_are_never_shared(tiny_model: Path) -> None:
    pipe = loading.load(str(tiny_model)).pipe
    assert loading.scheduler(pipe, "dpm", 5) is not loading.scheduler(pipe, "dpm", 5)


@pytest.mark.parametrize("steps", [0, -1, 1001, 100_000, 2.5, True, float("nan"), None])
def test_impossible_counts_of_steps_get_a_sentence(steps: object) -> None:
    with pytest.raises(loading.ModelError, match="from 1 to 1000"):
        loading.scheduler(pipe_with(), "ddim", steps)


def test_an_unknown_scheduler_is_told_the_known_ones() -> None:
    with pytest.raises(loading.ModelError, match="ddim, dpm, pndm, euler"):
        loading.scheduler(pipe_with(), "heun", 10)


def test_a_schedule_of_another_kind_is_refused() -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler

    class Pipe:
        scheduler = FlowMatchEulerDiscreteScheduler()

    with pytest.raises(loading.ModelError, match="noise schedule"):
        loading.scheduler(Pipe, "ddim", 10)

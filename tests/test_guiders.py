"""A guider in a loop as diffusers' blocks run it makes what our own loop makes."""

import pytest
import torch

from memviz.errors import InputError
from memviz.guidance.spec import MethodSpec
from memviz.guiders import RuleGuider
from memviz.models.schedulers import scheduler
from memviz.sampling.loop import sample
from memviz.sampling.noise import noise
from memviz.sampling.types import Request
from tests.support import tiny

PROMPTS, SEEDS, STEPS = ("a fox", "two cats"), (3, 4), 12
RULES = "cfg:scale=3", "stp:at=600", "dtp:latest=200", "dtp:latest=0,rise=0.001", "og:at=700"


@pytest.fixture(scope="module", params=["epsilon", "v_prediction"])
def pipe(request):
    return tiny.pipeline(prediction=request.param)


@torch.inference_mode()
def denoise(pipe, guider):
    """As `StableDiffusionXLLoopDenoiser` drives a guider, two rows at a time."""
    steps = scheduler(pipe, "ddim", STEPS)
    text = pipe.encode_prompt([*PROMPTS], pipe.device, 1, False)[0]
    empty = pipe.encode_prompt([""] * 2, pipe.device, 1, False)[0]
    x = torch.stack(list(noise(pipe, SEEDS))) * steps.init_noise_sigma
    for i, t in enumerate(steps.timesteps):
        guider.set_state(step=i, num_inference_steps=STEPS, timestep=t)
        batches = guider.prepare_inputs({"encoder_hidden_states": (text, empty)})
        for batch in batches:
            guider.prepare_models(pipe.unet)
            told = batch.encoder_hidden_states
            batch.noise_pred = pipe.unet(x, t, encoder_hidden_states=told, return_dict=False)[0]
            guider.cleanup_models(pipe.unet)
        x = steps.step(guider(batches)[0], t, x, return_dict=False)[0]
    return x


def ours(pipe, text):
    guidance = MethodSpec.parse(text).guidance
    requests = [Request(p, s, guidance) for p, s in zip(PROMPTS, SEEDS, strict=True)]
    return [*sample(pipe, requests, scheduler(pipe, "ddim", STEPS))]


@pytest.mark.parametrize("text", RULES)
def test_a_guider_makes_what_our_loop_makes(pipe, text):
    guider, steps = RuleGuider(text), ours(pipe, text)
    made = denoise(pipe, guider)
    torch.testing.assert_close(made, steps[-1].latents, atol=1e-4, rtol=1e-4)
    for row, seen in enumerate(guider.seen):
        assert len(seen) == STEPS
        sizes = [step.signals["magnitude"][row] for step in steps]
        assert [s.magnitude for s in seen] == pytest.approx(sizes, rel=1e-3)
    assert torch.equal(denoise(pipe, guider), made)  # the second sampling begins anew


def test_before_the_transition_the_prompt_has_no_say(pipe):
    never = denoise(pipe, RuleGuider("stp:at=0"))
    torch.testing.assert_close(never, ours(pipe, "cfg:scale=0")[-1].latents, atol=1e-4, rtol=1e-4)


def test_disabled_it_predicts_with_the_prompt_alone_as_those_of_diffusers_do(pipe):
    guider = RuleGuider("og")
    guider.disable()
    made = denoise(pipe, guider)
    torch.testing.assert_close(made, ours(pipe, "cfg:scale=1")[-1].latents, atol=1e-4, rtol=1e-4)


def test_a_value_of_ones_own_is_a_rule_and_copies_keep_their_settings(pipe):
    value = MethodSpec.parse("stp:at=600").guidance
    guider = RuleGuider(value)
    assert torch.equal(denoise(pipe, guider), denoise(pipe, RuleGuider("stp:at=600")))
    assert guider.new().rule == value
    assert not guider.new().seen
    with pytest.raises(InputError, match="cannot be saved"):
        guider.save_pretrained("nowhere")


def test_a_spelling_is_saved(tmp_path):
    RuleGuider("dtp:latest=400").save_pretrained(tmp_path)
    assert RuleGuider.from_pretrained(tmp_path).rule == MethodSpec.parse("dtp:latest=400").guidance


def test_what_does_more_than_set_the_scale_is_refused():
    with pytest.raises(InputError, match="more than set the scale"):
        RuleGuider("wen")

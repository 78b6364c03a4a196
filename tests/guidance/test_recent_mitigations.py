"""The methods of 2025 and 2026 against slow direct computations on hand-written inputs."""

from types import SimpleNamespace

import pytest
import torch

from memviz.errors import InputError
from memviz.guidance.band_clamp import BandClamp, limit_at, read_limits, spell_limits
from memviz.guidance.base import Observation
from memviz.guidance.batch_noise_adjustment import BatchNoiseAdjustment
from memviz.guidance.mitigation import Here, Row
from memviz.guidance.model_defaults import suited
from memviz.guidance.padding import PaddingFix
from memviz.guidance.sharpness_search import SharpnessSearch
from memviz.guidance.spec import MethodSpec
from memviz.guidance.spike_guard import SpikeGuard, SpikeWeakening
from memviz.models.attention import explicit_cross_attention
from memviz.models.denoiser import Conditioning, Denoiser, NoiseLevel
from memviz.models.schedulers import scheduler
from memviz.models.tokens import end_token
from memviz.sampling.loop import sample
from memviz.sampling.types import Request
from tests.support import tiny

PROMPT = "a fox"


@pytest.fixture(scope="module")
def pipe():
    return tiny.pipeline()


@torch.no_grad()
def start(pipe, seed=0):
    denoiser = Denoiser(pipe)
    empty, own = denoiser.encode(["", PROMPT])
    noise = torch.randn(tiny.LATENTS, generator=torch.Generator().manual_seed(seed))
    level = NoiseLevel.of(scheduler(pipe, "ddim", 4), 0)
    return denoiser, Row(PROMPT, seed, noise, empty, own), level


@torch.no_grad()
def begun(rule, pipe):
    denoiser, row, level = start(pipe)
    return row, rule.begin(denoiser, [row, row], level)


@torch.no_grad()
def encoded(pipe, text, pad):
    """By the encoder itself, from ids written out one by one."""
    words = pipe.tokenizer
    ids = [words.bos_token_id, *words(text, add_special_tokens=False).input_ids, words.eos_token_id]
    ids += [pad] * (words.model_max_length - len(ids))
    return pipe.text_encoder(torch.tensor([ids]))[0][0]


def test_the_padding_is_another_token_for_both_prompts(pipe):
    pad = pipe.tokenizer.get_vocab()["!"]
    row, (after, twin) = begun(PaddingFix(mode="pad"), pipe)
    torch.testing.assert_close(after.cond.embedding, encoded(pipe, PROMPT, pad))
    torch.testing.assert_close(after.uncond.embedding, encoded(pipe, "", pad))
    usual = encoded(pipe, PROMPT, pipe.tokenizer.eos_token_id)
    torch.testing.assert_close(row.cond.embedding, usual)  # what the row had before
    assert after.cond is twin.cond and after.uncond is twin.uncond  # so they share evaluations


def test_the_main_mode_empties_the_end_token_of_the_prompt_alone(pipe):
    pad, end = pipe.tokenizer.get_vocab()["!"], end_token(pipe, PROMPT)
    _, (after, _) = begun(PaddingFix(), pipe)
    expected = encoded(pipe, PROMPT, pad)
    expected[end] = 0
    torch.testing.assert_close(after.cond.embedding, expected)
    assert after.uncond.embedding.abs().sum(1).min() > 0


def test_a_share_of_the_padding_is_emptied_and_the_empty_prompt_left_alone(pipe):
    end = end_token(pipe, PROMPT)
    row, (after, _) = begun(PaddingFix(mode="share", share=0.7), pipe)
    count = int(0.7 * (77 - end - 1))
    zero = (after.cond.embedding == 0).all(1).nonzero().flatten().tolist()
    assert zero == [*range(end + 1, end + 1 + count)]
    torch.testing.assert_close(after.uncond.embedding, row.uncond.embedding)


def test_a_tokenizer_without_the_token_is_told():
    words = SimpleNamespace(
        get_vocab=dict, eos_token_id=2, model_max_length=4,
        __call__=None,
    )  # fmt: skip

    class Words:
        eos_token_id, model_max_length = 2, 4

        def __call__(self, text, **_):
            return SimpleNamespace(input_ids=[1, 2])

        def get_vocab(self):
            return words.get_vocab()

    denoiser = SimpleNamespace(pipe=SimpleNamespace(tokenizer=Words()))
    with pytest.raises(InputError, match="no token '!'"):
        PaddingFix().embed(denoiser, "x", torch.zeros(4, 2))


@torch.no_grad()
def pull(denoiser, row, x, t):
    """One pair by the network itself."""
    text = torch.stack([row.uncond.embedding, row.cond.embedding])
    found = denoiser.pipe.unet(torch.stack([x, x]), t, encoder_hidden_states=text).sample
    return found[1] - found[0]


def test_the_noise_moves_by_the_formula_and_costs_four_evaluations_a_round(pipe):
    rule = BatchNoiseAdjustment(strength=0.5, radius=3, rounds=2)
    denoiser, row, level = start(pipe)
    with torch.no_grad():
        (after,) = rule.begin(denoiser, [row], level)
    x = row.noise
    for _ in range(2):
        d = pull(denoiser, row, x, level.t)
        x = x - 0.5 * (pull(denoiser, row, x + 3 * d / d.norm(), level.t) - d)
    torch.testing.assert_close(after.noise, x, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(after.noise, row.noise, atol=1e-3)
    assert denoiser.evaluations == 8


def test_the_prompt_is_ignored_until_the_transition():
    rule = BatchNoiseAdjustment(w=7, at=600)
    seen = [Observation(t, {"magnitude": 1.0}) for t in (900, 700, 600, 100)]
    assert [rule.scale(seen[: i + 1]) for i in range(4)] == [0, 0, 7, 7]


def sharpness(denoiser, row, level, x, alpha, delta):
    d = pull(denoiser, row, x, level.t)
    change = pull(denoiser, row, x + delta * d / d.norm(), level.t) - d
    return float(change.norm() + alpha * x.norm())


def test_the_search_lowers_what_it_says_and_stops_at_its_target(pipe):
    denoiser, row, level = start(pipe)
    before = sharpness(denoiser, row, level, row.noise, 0.05, 1.0)
    rule = SharpnessSearch(target=0.9 * before, iterations=30)
    (after,) = rule.begin(denoiser, [row], level)
    found = sharpness(denoiser, row, level, after.noise, 0.05, 1.0)
    assert found <= 0.9 * before * 1.001
    (same,) = SharpnessSearch(target=1.1 * before).begin(denoiser, [row], level)
    assert torch.equal(same.noise, row.noise)


def test_the_clamp_makes_the_prompts_part_as_long_as_the_limit():
    rule = BandClamp(w=4, limits="16/12/4")
    magnitudes = {1000: 32.0, 750: 10.0, 500: 24.0, 250: 8.0, 0: 40.0}
    limits = {1000: 16.0, 750: 14.0, 500: 12.0, 250: 8.0, 0: 4.0}
    for t, magnitude in magnitudes.items():
        scale = rule.scale([Observation(t, {"magnitude": magnitude})])
        assert scale * magnitude == pytest.approx(4 * min(magnitude, limits[t]))
    assert limit_at((3.0,), 400) == 3.0


@pytest.mark.parametrize("text", ["", "1/x", "-1", "inf", "1//2"])
def test_limits_that_are_no_numbers_are_refused(text):
    with pytest.raises(InputError, match="16/12/4"):
        BandClamp(limits=text)


def test_a_models_band_becomes_its_limits_and_can_be_spelled():
    high = [20.0 - i / 5 for i in range(50)]
    band = {"unit": "v", "low": [3.1] * 50, "high": high}
    own = suited({"cfg": "scale=2"}, [band])
    rule = MethodSpec.parse("clamp", own)
    limits = read_limits(rule.guidance.limits)
    assert len(limits) == 11 and (limits[0], limits[-1]) == (20.0, 10.2)
    assert rule.guidance.w == 2 and MethodSpec.parse(str(rule)) == rule
    assert spell_limits([5.0]) == "5"


def test_only_spikes_of_tokens_beyond_the_begin_token_are_weakened():
    logits = torch.zeros(2, 3, 5)
    logits[..., 0], logits[..., 3] = 9.0, 4.0
    edited = SpikeWeakening(0.25, 1.0)(logits)
    expected = logits.clone()
    expected[..., 3] = 1.0
    assert torch.equal(edited, expected)
    flat = torch.zeros(1, 2, 4)
    assert torch.equal(SpikeWeakening(0.25, 1.0)(flat), flat)


def test_an_edit_with_layers_is_made_in_these_alone(pipe):
    calls = []

    class Spy:
        layers = ("down", "mid")

        def __call__(self, logits):
            calls.append(1)
            return logits

    def evaluate(edit):
        calls.clear()
        text = torch.zeros(1, 77, tiny.WIDTH)
        with torch.no_grad(), explicit_cross_attention(pipe.unet, [edit]):
            pipe.unet(torch.zeros(1, *tiny.LATENTS), 1, encoder_hidden_states=text)
        return len(calls)

    names = [name for name in pipe.unet.attn_processors if name.endswith("attn2.processor")]
    assert evaluate(Spy()) == sum(not name.startswith("up") for name in names) < len(names)
    everywhere = Spy()
    everywhere.layers = ("",)
    assert evaluate(everywhere) == len(names)


def test_the_guarded_prediction_is_the_papers_sum(pipe):
    rule = SpikeGuard(w=4, factor=0.5, threshold=0.1, repel=2)
    denoiser, row, level = start(pipe)
    with torch.no_grad():
        (row,) = rule.begin(denoiser, [row], level)
        plus = denoiser.predict(row.noise[None], level.t, [row.cond])[0]
        plain = Conditioning(denoiser.encode([PROMPT])[0].embedding)
        low, minus = denoiser.predict(
            torch.stack([row.noise] * 2), level.t, [Conditioning(row.uncond.embedding), plain]
        )
        here = Here(row, row.noise, low, plus, 4.0)
        (change,) = rule.correct(denoiser, [here], level)
        step = next(sample(pipe, [Request(PROMPT, 0, rule)], scheduler(pipe, "ddim", 4)))
    torch.testing.assert_close(change, -2 * (minus - low), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(plus, minus, atol=1e-5)
    assert step.costs == [3.0]

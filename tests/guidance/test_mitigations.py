"""Each remedy on hand-made inputs, through the real loop, and what it costs."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from memviz.guidance.amg import AntiMemorization
from memviz.guidance.attention_rescaling import AttentionRescale
from memviz.guidance.cads import Annealed
from memviz.guidance.mitigation import NOTHING, Remedy, Row, remedy
from memviz.guidance.noise_adjustment import NoiseAdjustment
from memviz.guidance.optimize import descend
from memviz.guidance.prompt_optimization import PromptOptimization
from memviz.guidance.prompt_perturbation import EmbeddingNoise, RandomTokens, added, vocabulary
from memviz.guidance.registry import METHODS
from memviz.guidance.transition import Constant
from memviz.models import parametrization
from memviz.models.denoiser import Conditioning, NoiseLevel
from memviz.models.schedulers import scheduler
from memviz.retrieval.copy_detector import CopyDetector
from memviz.retrieval.index.index import Index
from memviz.retrieval.verdict import CopyThresholds
from memviz.sampling.loop import sample
from memviz.sampling.noise import noise
from memviz.sampling.types import Request
from tests.support import samples, tiny

PROMPT = "a fox"
KEYS = [k for k, m in METHODS.items() if isinstance(m.guidance, Remedy)]


@pytest.fixture(scope="module", params=["epsilon", "v_prediction"])
def pipe(request):
    return tiny.pipeline(prediction=request.param)


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """An untrained descriptor over six pictures."""
    from memviz.data import corpus
    from memviz.retrieval.descriptors.descriptor import descriptor

    folder = tmp_path_factory.mktemp("pictures")
    for i in range(6):
        samples.smooth(i).save(folder / f"{i}.png")
        (folder / f"{i}.txt").write_text(f"picture {i}")
    saved = samples.save_descriptor(tmp_path_factory.mktemp("descriptor"))
    look = descriptor(samples.preset(str(saved)), saved)
    images = corpus.load(folder)
    return CopyDetector(images, look, Index.build(images, look))


def run(pipe, guidances, seeds=(0,), steps=4, detector=None, prompt=PROMPT):
    requests = [Request(prompt, s, g) for s in seeds for g in guidances]
    return list(sample(pipe, requests, scheduler(pipe, "ddim", steps), detector))


@pytest.mark.parametrize("key", KEYS)
def test_a_remedy_is_the_same_alone_and_beside_others(pipe, detector, key):
    guidance = METHODS[key].guidance
    together = run(
        pipe, [guidance, Constant(), METHODS["stp"].guidance], (3, 5), detector=detector
    )[-1]
    alone = run(pipe, [guidance], (5,), detector=detector)[-1]
    torch.testing.assert_close(together.latents[3], alone.latents[0], atol=1e-4, rtol=1e-4)
    assert together.costs[3] == pytest.approx(alone.costs[0])


def test_a_method_that_sets_only_the_scale_has_no_hooks():
    assert remedy(Constant()) is NOTHING


def test_evaluations_are_those_the_network_was_asked_for(pipe, detector, monkeypatch):
    rows, plain = [], pipe.unet.forward
    monkeypatch.setattr(
        pipe.unet, "forward", lambda x, *a, **k: rows.append(len(x)) or plain(x, *a, **k)
    )
    rules = [METHODS[k].guidance for k in KEYS if k not in ("wen", "han")]
    assert run(pipe, rules, detector=detector)[-1].evaluations == sum(rows)
    for rule in (
        PromptOptimization(target=0, iterations=3),
        PromptOptimization(target=0, iterations=3, embedding="released"),
        NoiseAdjustment(target=0, iterations=3),
    ):
        rows.clear()
        last = run(pipe, [rule], (0, 1))[-1]
        assert last.evaluations == sum(rows) + 3 * 2  # a gradient for each row and iteration
        assert last.costs == [last.evaluations / 2] * 2


def first_magnitudes(pipe, rule, seeds=(0, 1)):
    return run(pipe, [rule], seeds, steps=3)[0].signals["magnitude"]


@pytest.mark.parametrize(
    "rule",
    [PromptOptimization(rate=0.01, iterations=30), NoiseAdjustment(rate=0.01, iterations=30)],
)
def test_the_optimisers_stop_each_sample_at_its_own_target(pipe, rule):
    plain = first_magnitudes(pipe, Constant())
    target = 0.9 * min(plain)
    found = first_magnitudes(pipe, type(rule)(target=target, rate=rule.rate, iterations=30))
    assert max(found) <= target * 1.001
    untouched = first_magnitudes(pipe, type(rule)(target=2 * max(plain)))
    assert untouched == pytest.approx(plain, rel=1e-5)


def test_a_shared_embedding_lowers_the_norm_over_all_pictures_of_a_prompt(pipe):
    """As the released code, whose one norm over n pictures is sqrt(n) times the target here."""
    text = {}
    for shared in (True, False):
        rule = PromptOptimization(
            target=0, iterations=2, embedding="released" if shared else "each"
        )
        rows = [
            Row(p, s, noise(pipe, [s])[0], *conditions(pipe, "", p))
            for p, s in ((PROMPT, 0), (PROMPT, 1), ("two cats", 0))
        ]
        level = NoiseLevel(torch.tensor(900), 0.1, "epsilon")
        text[shared] = [r.cond.embedding for r in rule.begin(denoiser(pipe), rows, level)]
    assert torch.equal(text[True][0], text[True][1])
    assert not torch.equal(text[False][0], text[False][1])
    torch.testing.assert_close(text[True][2], text[False][2])
    magnitudes = np.array(first_magnitudes(pipe, Constant()))
    together = float((magnitudes**2).mean() ** 0.5)
    above, below = (
        PromptOptimization(target=f * together, embedding="released") for f in (1.01, 0.99)
    )
    assert first_magnitudes(pipe, above) == pytest.approx(magnitudes.tolist(), rel=1e-5)
    assert first_magnitudes(pipe, below) != pytest.approx(magnitudes.tolist(), rel=1e-5)


def test_descent_is_adamw_row_by_row():
    start = torch.tensor([[3.0, 4.0], [0.1, 0.0]])
    paid = SimpleNamespace(gradient=lambda v, of: torch.autograd.grad(v.sum(), of)[0])
    found = descend(paid, lambda v, rows: v.norm(dim=1), start, 1.0, 2, 0.1)
    values = torch.nn.Parameter(start[0].clone())
    optimiser = torch.optim.AdamW([values], lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        values.norm().backward()
        optimiser.step()
    assert torch.equal(found[0], values.data) and torch.equal(found[1], start[1])


def test_the_begin_token_stays_and_the_embedding_moves(pipe):
    rule = PromptOptimization(target=0, iterations=2)
    row = Row(PROMPT, 0, noise(pipe, [0])[0], *conditions(pipe, "", PROMPT))
    (after,) = rule.begin(denoiser(pipe), [row], NoiseLevel(torch.tensor(900), 0.1, "epsilon"))
    moved = (after.cond.embedding - row.cond.embedding).abs().amax(1)
    assert moved[0] < 0.005 < 0.05 < moved[1]  # AdamW's decay is all that the first one feels


def denoiser(pipe, detector=None):
    from memviz.models.denoiser import Denoiser

    return Denoiser(pipe, detector)


@torch.no_grad()
def conditions(pipe, *prompts):
    return denoiser(pipe).encode(prompts)


def test_words_are_added_by_the_seed_alone():
    once = added("one two", 3, 4, lambda draw: "x")
    assert once == added("one two", 3, 4, lambda draw: "x") != added("one two", 4, 4, lambda d: "x")
    assert sorted(once.split()) == ["one", "two", "x", "x", "x", "x"]
    assert [w for w in once.split() if w != "x"] == ["one", "two"]


def test_the_changed_prompt_is_told_and_is_what_the_network_reads(pipe):
    last = run(pipe, [RandomTokens(repeats=2)])[-1]
    (changed,) = last.prompts
    assert changed != PROMPT and len(changed.split()) == 4
    same = run(pipe, [Constant()], prompt=changed)[-1]
    torch.testing.assert_close(last.latents, same.latents)


def test_the_vocabulary_is_whole_words(pipe):
    assert "a" in vocabulary(pipe.tokenizer)
    assert not {"<|endoftext|>", "a</w>"} & set(vocabulary(pipe.tokenizer))


def test_embedding_noise_has_its_strength_on_both_halves(pipe):
    row = Row(PROMPT, 0, noise(pipe, [0])[0], *conditions(pipe, "", PROMPT))
    after = EmbeddingNoise(strength=0.3).noisy(row)
    for name in ("uncond", "cond"):
        moved = getattr(after, name).embedding - getattr(row, name).embedding
        assert float(moved.std()) == pytest.approx(0.3, rel=0.1)


def test_cads_is_noise_first_and_the_prompt_itself_later(pipe):
    rule, row = Annealed(), Row(PROMPT, 0, noise(pipe, [0])[0], *conditions(pipe, "", PROMPT))
    assert [rule.clarity(u) for u in (0.3, 0.6, 0.75, 0.9, 1)] == pytest.approx([1, 1, 0.5, 0, 0])
    assert rule.step(None, row, NoiseLevel(torch.tensor(500), 0.5, "epsilon")) is row
    text = rule.step(None, row, NoiseLevel(torch.tensor(950), 0.1, "epsilon")).cond.embedding
    assert float(text.mean()) == pytest.approx(float(row.cond.embedding.mean()), abs=1e-4)
    assert float(text.std()) == pytest.approx(float(row.cond.embedding.std()), rel=1e-3)
    assert abs(np.corrcoef(text.flatten(), row.cond.embedding.flatten())[0, 1]) < 0.1


def test_ren_scales_the_begin_token_and_leaves_nothing_to_the_padding():
    logits = torch.arange(6.0).view(1, 1, 6)
    edited = AttentionRescale(factor=2).edit(logits + 1, end=3)
    assert edited[0, 0].tolist() == [2, 2, 3, 4, float("-inf"), float("-inf")]
    assert logits.tolist() == [[[0, 1, 2, 3, 4, 5]]]


def test_a_factor_of_one_without_padding_changes_nothing(pipe):
    whole = "x " * 80  # longer than the model reads: no padding is left
    plain = run(pipe, [Constant()], prompt=whole)[-1].latents
    edited = run(pipe, [AttentionRescale(factor=1)], prompt=whole)[-1].latents
    torch.testing.assert_close(plain, edited, atol=1e-4, rtol=1e-4)


def test_amg_spends_at_most_the_guidance_beyond_one():
    rule = AntiMemorization(c1=2, c2=3)
    assert rule.strengths(0.5, 7.5) == pytest.approx((1.0, 1.5))
    assert rule.strengths(1.0, 4) == pytest.approx((2.0, 1.0))
    assert rule.strengths(1.0, 0.5) == (0, 0)
    assert rule.allowed(0) == 1 and rule.allowed(1000) == pytest.approx(0.8)


def test_amg_is_plain_guidance_where_nothing_is_near(pipe, detector):
    far = detector.with_thresholds(CopyThresholds(9.0, 9.0, "no picture"))
    found = run(pipe, [AntiMemorization(), Constant()], detector=far)[-1]
    assert torch.equal(found.latents[0], found.latents[1])
    assert found.evaluations == 2 * 4  # and it shares them


def test_amg_adds_its_three_terms(pipe, detector):
    rule = AntiMemorization(early=0, late=0, c3=0.5)
    step = run(pipe, [rule], detector=detector)[0]
    level = NoiseLevel(torch.tensor(step.t), float(pipe.scheduler.alphas_cumprod[step.t]),
                  pipe.scheduler.config.prediction_type)  # fmt: skip
    x = noise(pipe, [0])
    ask, (empty, own) = denoiser(pipe, detector), conditions(pipe, "", PROMPT)
    with torch.no_grad():
        low, full = ask.predict(torch.cat([x, x]), level.t, [empty, own])
        guided = parametrization.guided(low[None], full[None], torch.tensor([7.5]))
        from memviz.guidance.amg import nearest

        (similarity,), slope, (found,) = nearest(ask, x, guided, level)
        (named,) = conditions(pipe, detector.corpus.caption(found))
        other = ask.predict(x, level.t, [named])[0]
        s1, s2 = rule.strengths(similarity, 7.5)
        away = level.prediction(0.5 * (1 - level.alpha) ** 0.5 * slope[0])
        expected = guided[0] - s1 * (full - low) - s2 * (other - low) + away
    torch.testing.assert_close(step.prediction[0], expected, atol=1e-4, rtol=1e-3)


def test_amg_without_training_images_says_so(pipe):
    with pytest.raises(ValueError, match="training images"):
        run(pipe, [AntiMemorization()])


def test_conditions_are_told_apart_by_identity():
    text = torch.zeros(2, 3)
    assert Conditioning(text) != Conditioning(text)

"""Each costly signal equals a slow direct computation, and attention is put back afterwards."""

import numpy as np
import pytest
import torch

from memviz import signals
from memviz.guidance.transition import Constant
from memviz.models.attention import (
    AttentionRecorder,
    explicit_attention,
    explicit_cross_attention,
)
from memviz.models.schedulers import scheduler
from memviz.models.tokens import end_token
from memviz.runs import trace
from memviz.sampling.loop import sample
from memviz.sampling.noise import noise
from memviz.sampling.types import Request, ResumeState, Step
from memviz.signals import COSTLY, SIGNALS
from memviz.signals.costly import FinalSignals
from tests.support import tiny

PROMPTS = ("a fox", "two cats and a dog")


@pytest.fixture(scope="module", params=["epsilon", "v_prediction"])
def pipe(request):
    return tiny.pipeline(prediction=request.param)


@pytest.fixture(scope="module")
def events(pipe):
    requests = [Request(p, 0, Constant(3)) for p in PROMPTS]
    return list(sample(pipe, requests, scheduler(pipe, "ddim", 3), extra=COSTLY))


@pytest.fixture(scope="module")
def steps(events):
    return events[:-1]


def text(pipe, prompt):
    return pipe.encode_prompt([prompt], "cpu", 1, False)[0]


def pull(pipe, x, t, prompt):
    """g at x (1, C, h, w), by two calls, in epsilon units."""
    full, low = (pipe.unet(x, t, text(pipe, p)).sample for p in (prompt, ""))
    factor = float(pipe.scheduler.alphas_cumprod[t]) ** 0.5
    return (full - low) * (factor if pipe.scheduler.config.prediction_type != "epsilon" else 1)


@pytest.mark.parametrize("i", [0, 1])
def test_sharpness_is_the_derivative_of_the_pull_along_itself(pipe, steps, i):
    x, t = noise(pipe, [0]).double(), torch.tensor(steps[0].t)
    slow = tiny.pipeline(prediction=pipe.scheduler.config.prediction_type)
    slow.unet.double(), slow.text_encoder.double()
    with torch.no_grad():
        g, h = pull(slow, x, t, PROMPTS[i]), 1e-4
        ahead, behind = (pull(slow, x + s * h * g, t, PROMPTS[i]) for s in (1, -1))
    rest = 1 - float(slow.scheduler.alphas_cumprod[t])
    expected = float((ahead - behind).norm()) / (2 * h) / rest
    assert steps[0].signals["sharpness_jvp"][i] == pytest.approx(expected, rel=1e-3)
    assert steps[0].signals["sharpness"][i] == pytest.approx(expected, rel=0.02)


@torch.no_grad()
def test_the_change_of_the_pull_is_that_of_two_pulls(pipe, steps):
    first, second = steps[0], steps[1]
    assert all(value != value for value in first.signals["difference_change"])  # NaN
    before = pull(pipe, noise(pipe, [0]), torch.tensor(first.t), PROMPTS[0])
    after = pull(pipe, first.latents[:1], torch.tensor(second.t), PROMPTS[0])
    expected = float((after - before).square().sum())
    assert second.signals["difference_change"][0] == pytest.approx(expected, rel=1e-3)


def direct_attention(pipe, prompt, t):
    """(layers, L) attention by token, and the first down layer's (pixels, L), by numpy."""
    seen = []

    def note(module, args, kwargs):
        seen.append((module, args[0].detach(), kwargs["encoder_hidden_states"]))

    layers = [(n, m) for n, m in pipe.unet.named_modules() if n.endswith("attn2")]
    hooks = [m.register_forward_pre_hook(note, with_kwargs=True) for _, m in layers]
    with torch.no_grad():
        pipe.unet(noise(pipe, [0]), t, text(pipe, prompt))
    for hook in hooks:
        hook.remove()
    shares = [softmax(*parts) for parts in seen]
    return np.stack([s.mean((0, 1)) for s in shares]), shares[0].mean(0)


def softmax(attn, hidden, states):
    """(heads, pixels, L), head by head."""
    q, k = (f(s)[0].detach().numpy() for f, s in ((attn.to_q, hidden), (attn.to_k, states)))
    width = q.shape[1] // attn.heads
    found = []
    for i in range(attn.heads):
        cut = slice(i * width, (i + 1) * width)
        e = np.exp((q[:, cut] @ k[:, cut].T) / width**0.5)
        found.append(e / e.sum(1, keepdims=True))
    return np.stack(found)


@pytest.mark.parametrize("i", [0, 1])
def test_attention_and_its_entropies_equal_the_direct_ones(pipe, steps, i):
    tokens = direct_attention(pipe, PROMPTS[i], torch.tensor(steps[0].t))[0].mean(0)
    assert steps[0].signals["attention"][i] == pytest.approx(tokens.tolist(), rel=1e-3)
    parts = -tokens * np.log(tokens)
    assert steps[0].signals["attention_entropy"][i] == pytest.approx(parts.sum(), rel=1e-4)
    padding = parts[end_token(pipe, PROMPTS[i]) + 1 :].sum()
    assert steps[0].signals["padding_entropy"][i] == pytest.approx(padding, rel=1e-4)


def test_the_padding_begins_after_the_end_token(pipe):
    assert end_token(pipe, "ab c") == 4  # begin, a, b, c


def test_the_masked_magnitude_weighs_the_pull_by_the_bright_ending(pipe):
    request = Request(PROMPTS[0], 0, Constant(3))
    step, final = sample(pipe, [request], scheduler(pipe, "ddim", 1), extra=["masked_magnitude"])
    t = torch.tensor(step.t)
    mask = direct_attention(pipe, PROMPTS[0], t)[1][:, end_token(pipe, PROMPTS[0])]
    with torch.no_grad():
        g = pull(pipe, noise(pipe, [0]), t, PROMPTS[0])[0].numpy()
    expected = np.linalg.norm(g * mask.reshape(8, 8)) / mask.mean()
    assert final.signals["masked_magnitude"] == [[pytest.approx(expected, rel=1e-3)]]


def test_what_is_known_only_at_the_end_comes_as_the_last_event(events):
    assert [type(e) for e in events] == [Step, Step, Step, FinalSignals]
    assert [len(v) for v in events[-1].signals["masked_magnitude"]] == [3, 3]
    assert events[-1].masks.shape == (2, 1, 8, 8)


def test_a_step_taken_from_another_run_has_no_final_signal(pipe):
    request = Request(PROMPTS[0], 0, Constant(3))
    (first, *_) = sample(pipe, [request], scheduler(pipe, "ddim", 3))
    past = ResumeState(first.prediction[None], [first.signals])
    events = sample(
        pipe, [request], scheduler(pipe, "ddim", 3), extra=["masked_magnitude"], past=past
    )
    *_, final = events
    (values,) = final.signals["masked_magnitude"]
    assert values[0] is None and min(values[1:]) > 0


def test_signals_change_no_picture_and_cost_their_price(pipe, steps):
    requests = [Request(p, 0, Constant(3)) for p in PROMPTS]
    plain = list(sample(pipe, requests, scheduler(pipe, "ddim", 3)))
    torch.testing.assert_close(plain[-1].latents, steps[-1].latents, atol=1e-4, rtol=1e-4)
    extra = sum(SIGNALS[key].price for key in COSTLY)
    assert steps[-1].evaluations == plain[-1].evaluations + 3 * len(PROMPTS) * extra


def test_computed_in_the_open_the_network_says_the_same(pipe):
    x = torch.cat([noise(pipe, [1]), noise(pipe, [2])])
    states = text(pipe, "one").repeat(2, 1, 1)[:, :9]  # another token count
    with torch.no_grad():
        plain = pipe.unet(x, 500, states).sample
        with explicit_cross_attention(pipe.unet, [None, None], AttentionRecorder()):
            seen = pipe.unet(x, 500, states).sample
        with explicit_attention(pipe.unet):
            full = pipe.unet(x, 500, states).sample
    torch.testing.assert_close(plain, seen, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(plain, full, atol=1e-5, rtol=1e-4)


def test_the_processors_come_back_whatever_happens(pipe):
    before = dict(pipe.unet.attn_processors)
    with pytest.raises(RuntimeError), explicit_cross_attention(pipe.unet, [], AttentionRecorder()):
        assert dict(pipe.unet.attn_processors) != before
        raise RuntimeError
    assert dict(pipe.unet.attn_processors) == before
    requests = [Request("a fox", 0, Constant(3))]
    steps = sample(pipe, requests, scheduler(pipe, "ddim", 3), extra=["attention_entropy"])
    next(steps)
    steps.close()
    assert dict(pipe.unet.attn_processors) == before


def test_agreement_is_the_mean_cosine_with_the_other_seeds(pipe):
    requests = [Request(p, s, Constant(3)) for p in PROMPTS for s in (0, 1, 2)][:4]
    step = next(sample(pipe, requests, scheduler(pipe, "ddim", 3)))
    t = torch.tensor(step.t)
    with torch.no_grad():
        flat = [pull(pipe, noise(pipe, [s]), t, PROMPTS[0]).flatten() for s in (0, 1, 2)]
    cosine = torch.nn.functional.cosine_similarity
    expected = float((cosine(flat[0], flat[1], 0) + cosine(flat[0], flat[2], 0)) / 2)
    assert step.signals["agreement"][0] == pytest.approx(expected, abs=1e-4)
    assert np.isnan(step.signals["agreement"][3])


def test_the_one_step_score_is_the_distance_from_the_noise(pipe):
    step = next(sample(pipe, [Request("a fox", 0, Constant(1))], scheduler(pipe, "ddim", 3)))
    expected = float((step.x0 - noise(pipe, [0])).square().mean())  # scale 1: the prompt's own x0
    assert step.signals["one_step"][0] == pytest.approx(expected, rel=1e-4)


def test_every_signal_has_a_column_and_says_what_it_means():
    assert set(SIGNALS) <= set(trace.SCHEMA.names)
    assert all(row.formula and row.source and row.high and row.low for row in SIGNALS.values())
    assert all(SIGNALS[key].price == 0 for key in set(SIGNALS) - set(COSTLY))


def test_the_price_is_said_before_it_is_paid():
    assert signals.price(("sharpness",)).startswith("2 evaluations more")
    assert "slower" in signals.price(("attention_entropy",))
    with pytest.raises(ValueError, match="sharpness"):
        signals.check(("magnitude",))

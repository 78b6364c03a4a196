"""Every signal against slow, direct numpy, in each float type a model may compute in."""

import math

import numpy as np
import pytest
import torch

from memviz.models import parametrization
from memviz.signals import free

SHAPE = (3, 4, 5, 6)  # (B, C, h, w)
TYPES = [torch.float32, torch.float16, torch.bfloat16]


@pytest.fixture(params=TYPES, ids=str)
def pair(request):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(SHAPE, generator=generator).to(request.param) for _ in range(2)]


def slow(x: torch.Tensor) -> np.ndarray:
    return x.double().numpy()


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / math.sqrt((a @ a) * (b @ b)))


def close(found: torch.Tensor, wanted: list[float]) -> None:
    assert found.dtype == torch.float32 and found.shape == (len(wanted),)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-5)


def test_magnitude(pair):
    uncond, cond = map(slow, pair)
    wanted = [
        math.sqrt(sum(v * v for v in (c - u).ravel())) for u, c in zip(uncond, cond, strict=True)
    ]
    close(free.magnitude(*pair), wanted)


def test_magnitude_of_equal_predictions_is_zero(pair):
    assert free.magnitude(pair[0], pair[0]).tolist() == [0, 0, 0]


def test_a_small_magnitude_keeps_its_digits_in_half_precision():
    uncond = torch.full((1, 4, 8, 8), 1.0, dtype=torch.float16)
    cond = uncond + 2**-10  # the smallest difference that half precision can tell at 1
    assert free.magnitude(uncond, cond).item() == pytest.approx(16 * 2**-10, rel=1e-6)


def test_alignment_cosine_is_over_channels_then_averaged(pair):
    uncond, cond = map(slow, pair)
    push = cond - uncond
    places = [(y, x) for y in range(SHAPE[2]) for x in range(SHAPE[3])]
    wanted = [
        np.mean([cosine(push[b, :, y, x], uncond[b, :, y, x]) for y, x in places])
        for b in range(SHAPE[0])
    ]
    close(free.alignment_cosine(*pair), wanted)


def test_turn(pair):
    before, after = map(slow, pair)
    wanted = [1 - cosine(a.ravel(), b.ravel()) for a, b in zip(before, after, strict=True)]
    close(free.turn(*pair), wanted)


def test_turn_lies_between_standing_still_and_turning_back(pair):
    close(free.turn(pair[0], 3 * pair[0].float()), [0.0] * 3)
    close(free.turn(pair[0], -pair[0]), [2.0] * 3)


def test_shift(pair):
    before, after = map(slow, pair)
    close(free.shift(*pair), [np.linalg.norm(b - a) for a, b in zip(before, after, strict=True)])


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 0.999])
def test_v_prediction_is_turned_into_epsilon_and_x0(alpha):
    """From a known x0 and noise: v = a eps - s x0 (Salimans and Ho, 2022)."""
    x0, eps = np.random.default_rng(0).normal(size=(2, *SHAPE))
    a, s = math.sqrt(alpha), math.sqrt(1 - alpha)
    x, v = (torch.from_numpy(n) for n in (a * x0 + s * eps, a * eps - s * x0))
    np.testing.assert_allclose(parametrization.epsilon(v, x, alpha, "v_prediction"), eps, atol=1e-9)
    np.testing.assert_allclose(parametrization.clean(v, x, alpha, "v_prediction"), x0, atol=1e-9)


@pytest.mark.parametrize("alpha", [0.001, 0.5, 0.999])
def test_an_epsilon_prediction_stays_and_gives_x0(alpha):
    x0, eps = np.random.default_rng(1).normal(size=(2, *SHAPE))
    x = torch.from_numpy(math.sqrt(alpha) * x0 + math.sqrt(1 - alpha) * eps)
    noise = torch.from_numpy(eps)
    assert parametrization.epsilon(noise, x, alpha, "epsilon") is noise
    np.testing.assert_allclose(parametrization.clean(noise, x, alpha, "epsilon"), x0, atol=1e-9)


def test_at_zero_terminal_snr_all_predictions_are_the_same_epsilon():
    """There the latents are noise alone: epsilon is x whatever v says, so the magnitude is 0."""
    x, v, w = torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(2))
    eps = [parametrization.epsilon(p, x, 0.0, "v_prediction") for p in (v, w)]
    assert free.magnitude(*eps).tolist() == [0, 0, 0]


def test_each_sample_is_guided_at_its_own_scale(pair):
    uncond, cond = pair
    found = parametrization.guided(uncond, cond, torch.tensor([0.0, 1.0, -2.0]))
    assert found.dtype == uncond.dtype
    u, c = map(slow, pair)
    wanted = [u[i] + w * (c[i] - u[i]) for i, w in enumerate((0, 1, -2))]
    rough = {torch.float32: 1e-5, torch.float16: 2e-2, torch.bfloat16: 1e-1}[uncond.dtype]
    np.testing.assert_allclose(slow(found), wanted, atol=rough)


def test_scale_zero_is_the_unconditional_prediction_to_the_bit(pair):
    assert torch.equal(parametrization.guided(*pair, torch.zeros(3)), pair[0])

"""In half precision every signal is a number of single precision, near that of the full model."""

import numpy as np
import pytest
import torch

from memviz.guidance.transition import Constant
from memviz.models.schedulers import scheduler
from memviz.sampling.loop import sample
from memviz.sampling.types import Request
from memviz.signals import COSTLY, SIGNALS
from tests.support import tiny

PROMPTS = ("a fox", "two cats and a dog")
NEAR = {torch.float16: 0.02, torch.bfloat16: 0.15}  # of a value: 11 and 8 bits
ROUGH = 2.0  # times as far for what a network's derivative is taken of
ONLY_LATER = ("magnitude_mean",)  # of the trace


def second(kind: str, dtype: torch.dtype):
    """The signals of the second of three steps, and those that only the last makes known."""
    pipe = tiny.pipeline(prediction=kind)
    for part in (pipe.unet, pipe.text_encoder):
        torch.nn.Module.to(part, dtype)
    requests = [Request(p, s, Constant(3)) for p in PROMPTS for s in (0, 1)]
    *steps, final = sample(pipe, requests, scheduler(pipe, "ddim", 3), extra=COSTLY)
    assert steps[-1].latents.dtype == dtype
    return steps[1].signals | {n: [v[1] for v in rows] for n, rows in final.signals.items()}


@pytest.fixture(scope="module", params=["epsilon", "v_prediction"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def full(kind):
    return second(kind, torch.float32)


@pytest.mark.parametrize("dtype", NEAR, ids=str)
def test_signals_in_half_precision_are_near_those_of_the_full_model(kind, full, dtype):
    half = second(kind, dtype)
    assert set(half) == set(full) >= set(SIGNALS) - {*ONLY_LATER}
    for name, wanted in full.items():
        assert np.isfinite(half[name]).all(), name
        far = NEAR[dtype] * (ROUGH if name.startswith("sharpness") else 1)
        # a turn of 1e-6 is rounding even in full; a cosine may lie near zero, so 1 is its scale
        scale = 1 if name == "cosine" else max(np.abs(wanted).max(), 1e-3)
        np.testing.assert_allclose(half[name], wanted, rtol=far, atol=far * scale, err_msg=name)


@pytest.mark.parametrize("dtype", NEAR, ids=str)
def test_a_norm_that_half_precision_cannot_hold_is_still_right(dtype):
    from memviz.signals import free

    x = torch.full((1, 4, 128, 128), 300.0, dtype=dtype)  # its square sum is beyond float16
    assert free.norm(x).item() == pytest.approx(float(x[0, 0, 0, 0]) * 256, rel=1e-3)

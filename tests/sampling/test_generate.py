"""Pictures by `generate` are those of the loop, whatever the batch."""

import numpy as np
import pytest
import torch

from memviz.data import corpus as corpora
from memviz.guidance.spec import MethodSpec
from memviz.models import decode
from memviz.models.schedulers import scheduler
from memviz.retrieval.copy_detector import CopyDetector
from memviz.retrieval.descriptors.descriptor import descriptor
from memviz.retrieval.index.index import Index
from memviz.sampling.generate import denoise, finish, generate
from memviz.sampling.loop import sample
from memviz.sampling.types import Request
from tests.support import tiny
from tests.support.samples import smooth

STEPS = 5
METHODS = ("cfg:scale=3", "stp:at=500", "dtp:latest=300")


@pytest.fixture(scope="module")
def pipe():
    return tiny.pipeline()


@pytest.fixture(scope="module")
def requests():
    methods = [MethodSpec.parse(text).guidance for text in METHODS]
    return [Request(p, s, m) for p in ("a fox", "two cats") for s in (0, 3) for m in methods]


@pytest.fixture(scope="module")
def made(pipe, requests):
    return list(generate(pipe, requests, steps=STEPS, batch=5))


def test_pictures_and_records_are_those_of_the_loop(pipe, requests, made):
    steps = list(sample(pipe, requests, scheduler(pipe, "ddim", STEPS)))
    images = decode.pictures(decode.decode(pipe, steps[-1].latents))
    assert [one.request for one in made] == requests
    for i, one in enumerate(made):
        assert np.abs(np.array(one.image, int) - np.array(images[i], int)).max() <= 1
        assert one.trajectory.timesteps == [s.t for s in steps]
        assert one.trajectory.scales == [s.scales[i] for s in steps]
        assert one.signals["magnitude"] == pytest.approx(
            [s.signals["magnitude"][i] for s in steps], rel=1e-3
        )
        assert one.trajectory.evaluations == 2 * STEPS
        assert one.vector is None and one.matches == ()


def test_a_batch_of_one_makes_the_same(pipe, requests, made):
    for one, alone in zip(made, generate(pipe, requests, steps=STEPS, batch=1), strict=True):
        assert np.abs(np.array(one.image, int) - np.array(alone.image, int)).max() <= 1
        torch.testing.assert_close(
            one.trajectory.latents, alone.trajectory.latents, atol=1e-4, rtol=1e-4
        )
        assert one.trajectory.transition == alone.trajectory.transition


def test_a_transition_is_that_of_the_method(made):
    kinds = [one.trajectory.transition and one.trajectory.transition.kind for one in made[:3]]
    assert kinds[0] is None and kinds[1] == "static" and kinds[2] in ("minimum", "fallback")


def test_no_more_steps_are_made_than_are_wanted(pipe, requests, made):
    for one, part in zip(made, denoise(pipe, requests, steps=STEPS, first=2), strict=True):
        assert part.timesteps == one.trajectory.timesteps[:2]
        assert part.evaluations == 4
    assert denoise(pipe, [], steps=STEPS) == [] == finish(pipe, [])


def test_signals_of_the_end_stand_beside_those_of_the_steps(pipe, requests):
    (one,) = denoise(pipe, requests[:1], steps=STEPS, extra=["masked_magnitude"])
    assert len(one.signals["masked_magnitude"]) == len(one.signals["magnitude"]) == STEPS


def test_pictures_are_looked_up(pipe, requests, tmp_path, tiny_descriptor):
    for i in range(6):
        smooth(i).save(tmp_path / f"{i}.png")
    corpus, network = corpora.load(tmp_path), descriptor(tiny_descriptor)
    detector = CopyDetector(corpus, network, Index.build(corpus, network))
    found = list(generate(pipe, requests[:3], steps=STEPS, detector=detector, matches=2))
    for one, matches in zip(found, detector.match([one.image for one in found], 2), strict=True):
        assert list(one.matches) == matches and len(matches) == 2
        assert one.vector == pytest.approx(detector.embed([one.image])[0], abs=1e-4)


def test_without_signals_a_step_evaluates_only_what_it_uses_and_pictures_stay(pipe):
    spellings = ("cfg:scale=3", "cfg:scale=1", "stp:at=500,late=3", "dtp:latest=300", "cads")
    methods = [MethodSpec.parse(text).guidance for text in spellings]
    asked = [Request("a fox", 0, method) for method in methods]
    full, fast = (denoise(pipe, asked, steps=STEPS, measure=m) for m in (True, False))
    for slow, quick in zip(full, fast, strict=True):
        torch.testing.assert_close(quick.latents, slow.latents, atol=1e-4, rtol=1e-4)
        assert quick.scales == slow.scales and quick.transition == slow.transition
    single = [sum(scale in (0, 1) for scale in path.scales) for path in full]
    assert single[1] == STEPS and 0 < single[2] < STEPS and single[0] == single[4] == 0
    calls = [2 * STEPS - n for n in single]
    calls[3] = 2 * STEPS  # its rule reads the magnitude
    assert [path.evaluations for path in fast] == calls
    rule, plain = fast[3].signals["magnitude"], fast[0].signals["magnitude"]
    assert rule == pytest.approx(full[3].signals["magnitude"], rel=1e-3)
    assert np.isnan(plain).all()


def test_without_signals_and_rules_nothing_is_measured(pipe):
    asked = [Request("a fox", s, MethodSpec.parse("stp:at=500").guidance) for s in (0, 1)]
    quick = denoise(pipe, asked, steps=STEPS, measure=False)
    assert all(path.signals == {} for path in quick)
    watched = denoise(pipe, asked, steps=STEPS, measure=False, extra=["sharpness"])
    assert {"sharpness", "magnitude"} <= set(watched[0].signals)

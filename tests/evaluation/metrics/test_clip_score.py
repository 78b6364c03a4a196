"""DCR feeds CLIP with the wrong mean and crop; the right way stands beside it."""

import numpy as np
import pytest

from memviz.errors import InputError
from memviz.evaluation.metrics.clip_score import clip_score, dcr_preprocess, prepared
from memviz.resources import load_clip
from memviz.retrieval.clip import MEAN, STD
from memviz.retrieval.descriptors.preprocess import Preprocess
from memviz.retrieval.descriptors.presets import WAYS
from tests.support.samples import smooth, unit


def test_dcrs_preparation_for_its_own_clip_is_that_of_its_sscd() -> None:
    own = Preprocess(MEAN, STD, short_side=224, crop=224, bicubic=True)
    assert dcr_preprocess(own) == WAYS["dcr"]


def test_only_the_preparation_differs_between_the_two() -> None:
    own = load_clip()
    wrong = prepared(own, "dcr")
    images, texts = [smooth(0), smooth(1)], own.texts(["a fox", "a cactus"])
    assert clip_score(own.images(images), texts) == pytest.approx(
        own.score(images, ["a fox", "a cactus"]), abs=1e-6
    )
    assert np.abs(own.images(images) - wrong.images(images)).max() > 0.01
    assert np.array_equal(wrong.texts(["a fox", "a cactus"]), texts)
    assert prepared(own, "own") is own


def test_what_does_not_pair_or_is_unknown_is_said() -> None:
    with pytest.raises(InputError, match="pair them"):
        clip_score(unit(2), unit(3))
    with pytest.raises(InputError, match="own, dcr"):
        prepared(load_clip(), "other")

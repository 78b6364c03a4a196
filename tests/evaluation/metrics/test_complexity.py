"""Complexity against scipy's entropy and correlation, and loops."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.stats import entropy, pearsonr

from memviz.errors import InputError
from memviz.evaluation.metrics import complexity as c
from tests.support.samples import smooth


def test_entropy_is_that_of_the_gray_levels() -> None:
    pixels = c.crop(smooth(0, (300, 240)))
    gray = np.floor((pixels / 255) @ c.LUMINANCE * 255 + 0.5).astype(int)
    assert pixels.shape == (224, 224, 3)
    assert c.entropy(pixels) == pytest.approx(entropy(np.bincount(gray.ravel())), abs=1e-9)
    assert c.entropy(np.zeros((8, 8, 3), np.uint8)) == 0


def test_total_variation_is_the_sum_over_neighbors() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8).astype(int)
    total = 0
    for y in range(5):
        for x in range(4):
            total += abs(pixels[y, x] - pixels[y, x - 1]).sum() if x else 0
            total += abs(pixels[y, x] - pixels[y - 1, x]).sum() if y else 0
    assert c.total_variation(pixels.astype(np.uint8)) == pytest.approx(1e-4 * total)


def test_the_jpeg_has_dcrs_swapped_channels() -> None:
    pixels = c.crop(smooth(3))
    file = io.BytesIO()
    Image.fromarray(pixels[..., ::-1].copy()).save(file, "JPEG", quality=90)
    assert c.jpeg_size(pixels) == len(file.getvalue()) / 1024


def test_correlations_are_pearsons() -> None:
    images = [smooth(i) for i in range(5)] + [Image.new("RGB", (64, 64))]
    found, similarity = c.complexity(images), np.linspace(0, 1, 6)
    told = c.correlations(found, similarity)
    mixed = found["entropy"] * found["jpeg"] ** 0.5
    assert told["cc_ent"] == pytest.approx(pearsonr(found["entropy"], similarity)[0])
    assert told["cc_mixed"] == pytest.approx(pearsonr(mixed, similarity)[0])


def test_a_correlation_needs_two_pictures_that_differ() -> None:
    one = c.complexity([smooth(0)])
    with pytest.raises(InputError, match="at least two"):
        c.correlations(one, np.array([0.5]))
    assert np.isnan(c.pearson(np.ones(3), np.arange(3.0)))

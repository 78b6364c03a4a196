"""The Fréchet distance against its closed form and scipy's matrix root."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from memviz.errors import InputError
from memviz.evaluation.metrics.frechet import Moments, frechet_distance, moments


def rows(count: int, dims: int = 6, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return draw.normal(size=(count, dims)) @ draw.normal(size=(dims, dims)) + draw.normal(size=dims)


def test_equal_to_the_released_formula() -> None:
    a, b = rows(50, seed=1), rows(80, seed=2)
    away = a.mean(0) - b.mean(0)
    s, t = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = away @ away + np.trace(s) + np.trace(t) - 2 * np.trace(sqrtm(s @ t).real)
    assert frechet_distance(moments([a]), moments([b])) == pytest.approx(expected, rel=1e-9)


def test_the_closed_form_for_independent_dimensions() -> None:
    a = Moments(np.array([0.0, 1.0]), np.diag([4.0, 9.0]), 10)
    b = Moments(np.array([3.0, 1.0]), np.diag([1.0, 16.0]), 10)
    assert frechet_distance(a, b) == pytest.approx(9 + (2 - 1) ** 2 + (3 - 4) ** 2)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-12)


def test_fewer_pictures_than_dimensions_stay_exact() -> None:
    a, b = moments([rows(4, 40, seed=3)]), moments([rows(5, 40, seed=4)])
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6 * np.trace(a.covariance))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_moments_do_not_depend_on_the_parts(sizes: list[int]) -> None:
    whole = rows(sum(sizes) + 2)
    parts = np.split(whole, np.cumsum(sizes))
    found = moments(parts)
    assert found.count == len(whole)
    assert found.mean == pytest.approx(whole.mean(0))
    assert found.covariance == pytest.approx(np.cov(whole, rowvar=False))


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(InputError, match="at least two"):
        moments([rows(1)])
    with pytest.raises(InputError, match="6 and 7 dimensions"):
        frechet_distance(moments([rows(9)]), moments([rows(9, 7)]))

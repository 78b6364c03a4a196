"""KID and CMMD against loops over pairs."""

from itertools import product

import numpy as np
import pytest

from memviz.errors import InputError
from memviz.evaluation.metrics import mmd
from tests.support.samples import unit


def cubic(x: np.ndarray, y: np.ndarray) -> float:
    return (float(x @ y) / len(x) + 1) ** 3


def test_the_unbiased_estimate_is_that_of_its_definition() -> None:
    x, y = unit(7, 5, 1).astype(float) * 3, unit(7, 5, 2).astype(float) * 3
    own = [(i, j) for i, j in product(range(7), repeat=2) if i != j]
    expected = sum(cubic(x[i], x[j]) + cubic(y[i], y[j]) for i, j in own) / 42
    expected -= 2 * sum(cubic(a, b) for a, b in product(x, y)) / 49
    assert mmd.unbiased_mmd(x, y) == pytest.approx(expected)


def test_kid_is_zero_in_the_mean_for_the_same_source_and_grows_apart() -> None:
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(400, 8)), draw.normal(size=(300, 8))
    same, other = mmd.kid(a, b, 20, 100), mmd.kid(a, b + 1, 20, 100)
    assert abs(same.mean) < 3 * same.std
    assert other.mean > 10 * same.std
    assert same.subset == 100
    assert mmd.kid(a, b[:30], 3).subset == 30
    assert mmd.kid(a, b, 5, 50) == mmd.kid(a, b, 5, 50)


def test_subsets_of_all_pictures_give_the_estimate_itself() -> None:
    a, b = unit(20, 6, 3), unit(20, 6, 4)
    assert mmd.kid(a, b, 4).mean == pytest.approx(mmd.unbiased_mmd(a, b))
    assert mmd.kid(a, b, 4).std == pytest.approx(0, abs=1e-12)


def test_cmmd_is_that_of_its_definition_in_any_blocks(monkeypatch) -> None:
    a, b = unit(9, 5, 5).astype(float), unit(6, 5, 6).astype(float)

    def mean(x: np.ndarray, y: np.ndarray) -> float:
        return np.mean([np.exp(-((p - q) ** 2).sum() / 200) for p, q in product(x, y)])

    expected = 1000 * (mean(a, a) + mean(b, b) - 2 * mean(a, b))
    assert mmd.cmmd(a, b) == pytest.approx(expected, abs=1e-6)
    monkeypatch.setattr(mmd, "BLOCK", 4)
    assert mmd.cmmd(a, b) == pytest.approx(expected, abs=1e-6)
    assert mmd.cmmd(a, a) == pytest.approx(0, abs=1e-9)


def test_too_few_pictures_are_said() -> None:
    with pytest.raises(InputError, match="at least two"):
        mmd.kid(unit(1), unit(5))
    with pytest.raises(InputError, match="one of each"):
        mmd.cmmd(unit(1)[:0], unit(5))

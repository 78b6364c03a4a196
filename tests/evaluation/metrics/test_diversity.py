"""Diversity against a loop over pairs."""

from itertools import combinations

import numpy as np
import pytest

from memviz.evaluation.metrics.diversity import diversity
from tests.support.samples import unit


def test_it_is_the_mean_over_the_pairs_of_each_prompt() -> None:
    rows, prompts = unit(7, seed=1), [0, 1, 0, 1, 0, 2, 2]
    expected = [
        np.mean([1 - rows[i] @ rows[j] for i, j in combinations(np.flatnonzero(at), 2)])
        for at in (np.array(prompts) == p for p in range(3))
    ]
    assert diversity(rows, prompts) == pytest.approx(expected, abs=1e-6)


def test_equal_pictures_have_none_and_a_single_one_has_no_figure() -> None:
    found = diversity(np.repeat(unit(2), 3, 0)[[0, 1, 2, 4]], [0, 0, 0, 1])
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert np.isnan(found[1])

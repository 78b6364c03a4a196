"""Intervals are those of the textbooks, cover as often as they say, and count prompts."""

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap

from memviz.errors import InputError
from memviz.statistics import (
    estimate_auc,
    estimate_difference,
    estimate_mean,
    estimate_share,
    format_estimate,
    wilson,
)


def draw(prompts: int, seeds: int, rng: np.random.Generator, share: float, same: float):
    """Hits (prompts, seeds) whose share is `share`; `same` is how alike a prompt's seeds are."""
    spread = (1 - same) / same
    rates = rng.beta(share * spread, (1 - share) * spread, prompts)
    return rng.random((prompts, seeds)) < rates[:, None]


def names(prompts: int, seeds: int) -> list[int]:
    return [prompt for prompt in range(prompts) for _ in range(seeds)]


def ends(found):
    return found.low, found.high


@pytest.mark.parametrize(("hits", "n"), [(0, 24), (24, 24), (3, 24), (1, 7), (116, 128)])
def test_wilson_is_scipys(hits, n):
    expected = tuple(binomtest(hits, n).proportion_ci(0.95, "wilson"))
    assert wilson(hits / n, n) == pytest.approx(expected, abs=1e-12)
    assert ends(estimate_share([True] * hits + [False] * (n - hits))) == pytest.approx(expected)


def test_no_copy_among_a_few_pictures_is_no_proof_that_there_are_none():
    found = estimate_share([False] * 24, names(12, 2))
    assert found.mean == found.low == 0 and found.high == pytest.approx(0.2425, abs=1e-4)
    assert str(found) == "0.00 (0.00 to 0.24)"
    assert estimate_share([True] * 24, names(12, 2)).low == pytest.approx(0.7575, abs=1e-4)


def test_a_prompts_second_seed_shrinks_an_interval_only_if_it_tells_something():
    once = np.array([True] * 5 + [False] * 15)
    twice = once.repeat(2)
    assert ends(estimate_share(twice, names(20, 2))) == pytest.approx(ends(estimate_share(once)))
    assert ends(estimate_mean(twice, names(20, 2))) == ends(estimate_mean(once))
    each_other = np.tile([True, False], 20)  # the seeds of a prompt never agree: 40 pictures
    found = estimate_share(each_other, names(20, 2))
    assert ends(found) == pytest.approx(wilson(0.5, 40))
    assert found.high - found.low < np.diff(ends(estimate_share(twice, names(20, 2))))[0]


def test_a_single_prompt_is_told_by_its_pictures():
    values = [0.1, 0.4, 0.2, 0.9]
    assert estimate_mean(values, ["a fox"] * 4) == estimate_mean(values)
    assert estimate_share([True, False], ["a fox"] * 2) == estimate_share([True, False])


def test_few_units_have_no_interval_of_a_mean():
    assert ends(estimate_mean([1, 2, 3, 4], ["a", "a", "b", "b"])) == (None, None)
    assert str(estimate_mean([1, 2])) == "1.50"
    assert format_estimate({"mean": 0.0703, "low": 0.05, "high": 0.1}) == "0.07 (0.05 to 0.10)"


def test_the_bootstrap_is_scipys_but_for_the_widening():
    values = np.random.default_rng(1).gamma(2, size=200)
    reference = bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=2
    ).confidence_interval
    assert ends(estimate_mean(values)) == pytest.approx(tuple(reference), rel=0.02)


def test_intervals_of_shares_cover_as_often_as_they_say():
    rng, truths = np.random.default_rng(0), (0.1, 0.5, 0.9)
    for prompts, seeds, same in ((12, 2, 0.3), (32, 4, 0.3), (32, 4, 0.8)):
        for share in truths:
            found = [
                estimate_share(
                    draw(prompts, seeds, rng, share, same).ravel(), names(prompts, seeds)
                )
                for _ in range(300)
            ]
            assert 0.88 <= np.mean([f.low <= share <= f.high for f in found]) <= 0.995


def test_intervals_of_means_cover_where_those_over_pictures_do_not():
    rng, prompts, seeds = np.random.default_rng(0), 12, 8
    covered = []
    for _ in range(300):
        values = rng.normal(size=(prompts, 1)) + 0.2 * rng.normal(size=(prompts, seeds))
        over = (estimate_mean(values.ravel(), names(prompts, seeds)), estimate_mean(values.ravel()))
        covered.append([f.low <= 0 <= f.high for f in over])
    by_prompt, by_picture = np.mean(covered, 0)
    assert 0.91 <= by_prompt <= 0.98 and by_picture < 0.7


def test_pairs_tell_a_difference_that_two_means_hide():
    rng = np.random.default_rng(0)
    a = rng.normal(size=60)
    b = a + 0.1 + 0.05 * rng.normal(size=60)
    difference = estimate_difference(b, a, names(20, 3))
    assert 0 < difference.low < 0.1 < difference.high
    assert estimate_mean(b).low < estimate_mean(a).high
    with pytest.raises(InputError, match="cannot be paired"):
        estimate_difference([1, 2], [1])


def test_an_area_of_one_is_not_sure():
    found = estimate_auc(1.0, 32, 60)
    assert found.high == 1 and 0.9 < found.low < 0.99
    assert ends(estimate_auc(0.0, 32, 60)) == pytest.approx((0, 1 - found.low))
    assert estimate_auc(0.8, 60, 240).low > estimate_auc(0.8, 6, 24).low


def test_intervals_of_areas_cover_as_often_as_they_say():
    rng, truth = np.random.default_rng(0), 0.9214  # of normals two apart: Phi(2 / sqrt(2))
    found = []
    for _ in range(300):
        yes, no = rng.normal(2, size=(30, 1)), rng.normal(size=(1, 40))
        found.append(estimate_auc(float((yes > no).mean()), 30, 40))
    assert 0.91 <= np.mean([f.low <= truth <= f.high for f in found]) <= 0.995


def test_what_cannot_be_averaged_is_said():
    with pytest.raises(InputError, match="no values"):
        estimate_mean([])
    with pytest.raises(InputError, match="3 values have 2 prompts"):
        estimate_share([True, False, True], ["a", "b"])

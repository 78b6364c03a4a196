"""The sentences beside a search's figures say what the figures show."""

import re

import numpy as np
import pytest

from memviz.retrieval.index.background import calibrated, count_false_positives
from memviz.search import report
from memviz.search.folder import BINS, bins
from memviz.ui.neighbours import view

DUPLICATE = 0.95


@pytest.fixture(scope="module")
def background() -> np.ndarray:
    """Similarities to the nearest other of 10,000 training images, some of them duplicates."""
    rng = np.random.default_rng(0)
    return np.r_[rng.beta(8, 4, 9_800), rng.uniform(0.96, 1, 174), [np.nan] * 26]


def told(background: np.ndarray) -> dict:
    return {
        "statistics": {"bg_mean": float(np.nanmean(background)), "sim_mean": 0.5},
        "thresholds": {"background": vars(calibrated(background, DUPLICATE))},
    }


def count_from(counts: list[int], similarity: float) -> int:
    """How many stand in the bins from a similarity on."""
    return sum(counts[round(similarity * BINS) :])


def test_the_sentence_under_the_histogram_agrees_with_its_bins(background):
    counts, said = bins(background), view.words(told(background))
    found = re.search(
        r"Of the ([\d,]+) without a duplicate ([\d.]+)% stay below ([\d.]+); ([\d,]+)", said
    )
    distinct, share, value, twins = (float(text.replace(",", "")) for text in found.groups())
    assert count_from(counts, DUPLICATE + 0.01) <= twins <= count_from(counts, DUPLICATE - 0.01)
    assert distinct + twins == sum(counts) and f"at {DUPLICATE:.2f} or above" in said
    above = 1 - share / 100
    assert count_from(counts, value + 0.02) - twins <= above * distinct + 1
    assert count_from(counts, value - 0.02) - twins >= above * distinct - 1


def test_the_false_positive_rate_is_what_the_histogram_shows(background):
    found = count_false_positives(background, 0.9, DUPLICATE)
    share, images = re.search(r"^([\d.]+)% of the ([\d,]+) distinct", found.sentence).groups()
    counts = bins(background[background < DUPLICATE])
    assert float(share) / 100 == pytest.approx(count_from(counts, 0.9) / sum(counts), abs=1e-4)
    assert int(images.replace(",", "")) == sum(counts)
    assert found.low < found.share < found.high
    assert count_false_positives(np.full(3, np.nan), 0.9, DUPLICATE) is None


def test_without_duplicates_none_are_spoken_of(background):
    distinct = background[background < DUPLICATE]
    said = view.words(told(distinct))
    assert f"{len(distinct):,}" in said and "have one" not in said and "has one" not in said


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 pictures"), (1, "1 picture"), (2_000, "2,000 pictures")]
)
def test_one_picture_is_no_pictures(number, words):
    assert report.count(number, "picture") == words

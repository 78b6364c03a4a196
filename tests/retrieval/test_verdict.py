"""Numbers to words: the edges, what is never said, and that each reason carries its threshold."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memviz.detection.verdict import prompt_signal
from memviz.retrieval.verdict import CopyThresholds, judge_similarity

T = CopyThresholds(copied=0.83, close=0.7, source="the demo's background")


@pytest.mark.parametrize(
    ("similarity", "word"),
    [
        (1.0, "Copied"),
        (0.83, "Copied"),
        (0.8299, "Close"),
        (0.7, "Close"),
        (0.6999, "No copy found among 10,000 images"),
        (-1.0, "No copy found among 10,000 images"),
    ],
)
def test_words_change_at_the_thresholds(similarity: float, word: str) -> None:
    assert judge_similarity(similarity, 10_000, T).word == word


@given(st.floats(-1, 1))
def test_every_reason_states_a_threshold_and_whose_it_is(similarity: float) -> None:
    found = judge_similarity(similarity, 10_000, T)
    assert "0.83" in found.reason or "0.70" in found.reason
    assert T.source in found.reason
    assert f"{similarity:.2f}" in found.reason


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_higher_similarity_never_reads_as_less_of_a_copy(a: float, b: float) -> None:
    order = ["none", "close", "copied"]
    low, high = sorted((a, b))
    ranks = [order.index(judge_similarity(x, 10, T).kind) for x in (low, high)]
    assert ranks == sorted(ranks)


@given(st.floats(-1, 1), st.floats(0, 100))
def test_nothing_is_ever_called_not_memorized(similarity: float, magnitude: float) -> None:
    for found in (judge_similarity(similarity, 5, T), prompt_signal(magnitude, (1, 2))):
        assert "not memorized" not in f"{found.word} {found.reason}".lower()


def test_a_far_picture_is_judged_only_among_what_was_looked_at() -> None:
    assert "Images outside this set were not looked at." in judge_similarity(0.1, 42, T).reason


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_gets_no_verdict(value: float) -> None:
    assert judge_similarity(value, 10, T).kind == "unknown"
    assert prompt_signal(value, (1, 2)).kind == "unknown"


@pytest.mark.parametrize(
    ("magnitude", "word"),
    [(0.5, "Looks ordinary"), (2.0, "Looks ordinary"), (2.01, "Looks memorized")],
)
def test_a_prompt_looks_memorized_above_the_band(magnitude: float, word: str) -> None:
    found = prompt_signal(magnitude, (1.0, 2.0))
    assert found.word == word
    assert "between 1.00 and 2.00" in found.reason


def test_the_reason_names_the_kind_of_prompts_that_were_looked_at() -> None:
    reason = prompt_signal(1.07, (0.32, 0.84), "titles").reason
    assert reason == "Magnitude at the start: 1.07; ordinary titles lie between 0.32 and 0.84."


def test_without_a_band_a_prompt_is_not_judged() -> None:
    found = prompt_signal(5.0, None)
    assert (found.word, found.kind) == ("No band", "unknown")


def test_no_torch_is_needed() -> None:
    import subprocess
    import sys

    code = (
        "import sys, memviz.retrieval.verdict, memviz.data.corpus, memviz.io.hashing, "
        "memviz.retrieval.descriptors.presets, memviz.retrieval.index.background; "
        "print('torch' in sys.modules, 'pyarrow' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]

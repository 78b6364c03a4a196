"""Shards: every entry in one of them, copies where they were asked to go, exact averages."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memviz.training.data.shards import Order, partition
from memviz.training.iet_agc.redistribution import often_skipped, redistributed

times = st.lists(st.integers(1, 9), min_size=8, max_size=40)
WAYS = ("random", "together", "spread", "released")


@pytest.mark.parametrize("copies", WAYS)
@given(times, st.integers(1, 5), st.integers(0, 3))
@settings(deadline=None, max_examples=30)
def test_no_entry_is_dropped_or_doubled(copies, times, shards, seed):
    parts = partition(np.array(times), np.arange(len(times)), shards, seed, copies)
    found = np.sort(np.concatenate(parts))
    assert found.tolist() == np.repeat(np.arange(len(times)), times).tolist()


@pytest.mark.parametrize("copies", ["random", "spread", "released"])
@given(times, st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_sizes_differ_by_one_at_most(copies, times, shards):
    parts = partition(np.array(times), np.arange(len(times)), shards, 0, copies)
    sizes = [len(p) for p in parts]
    assert max(sizes) - min(sizes) <= 1


def test_copies_go_together_or_evenly():
    times = np.array([900, 900, 900, *[1] * 600])
    groups = np.array([0, 0, 1, *range(2, 602)])  # the first two show the same
    together = partition(times, groups, 4, 0, "together")
    for rows in ([0, 1], [2]):
        assert sum(np.isin(part, rows).any() for part in together) == 1
    spread = partition(times, groups, 4, 0, "spread")
    assert {int(np.isin(part, [0, 1]).sum()) for part in spread} == {450}


def test_the_released_shards_are_stretches_of_the_files():
    parts = partition(np.array([1, 2, 1, 1, 1]), np.arange(5), 2, 0, "released")
    assert [part.tolist() for part in parts] == [[0, 1, 1], [2, 3, 4]]


def test_whole_groups_are_balanced():
    times = np.array([*[100] * 8, *[1] * 800])
    sizes = [len(p) for p in partition(times, np.arange(808), 4, 0, "together")]
    assert sizes == [400] * 4


def test_the_seed_decides():
    times, groups = np.ones(50, int), np.arange(50)
    first, again, other = (partition(times, groups, 3, s) for s in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_more_shards_than_entries_is_one_sentence():
    with pytest.raises(ValueError, match="--shards is 9, more than can be filled"):
        partition(np.ones(5, int), np.arange(5), 9, 0)


@given(st.integers(1, 30), st.integers(1, 12))
@settings(deadline=None, max_examples=30)
def test_a_member_sees_each_entry_once_before_any_comes_again(entries, size):
    order = Order(np.arange(entries), 0, 1)
    seen = np.concatenate([order.batch(i, size) for i in range(60)])
    for start in range(0, len(seen) - entries, entries):
        assert sorted(seen[start : start + entries]) == [*range(entries)]


def test_a_batch_depends_on_its_number_alone():
    fresh = Order(np.arange(7), 0, 1).batch(11, 4)
    used = Order(np.arange(7), 0, 1)
    assert [used.batch(i, 4).tolist() for i in range(12)][11] == fresh.tolist()


def test_often_skipped_is_twice_the_mean_of_the_samples_that_were_seen():
    seen, skipped = np.array([10, 10, 10, 0, 2]), np.array([1, 1, 6, 0, 0])
    assert often_skipped(seen, skipped).tolist() == [False, False, True, False, False]


@given(times, st.integers(2, 5), st.integers(0, 3))
@settings(deadline=None, max_examples=30)
def test_only_often_skipped_pictures_are_dealt_again_and_evenly(times, shards, seed):
    parts = partition(np.array(times), np.arange(len(times)), shards, seed, "together")
    often = np.arange(len(times)) % 2 == 0
    made = redistributed(parts, often, np.random.default_rng(seed))
    for before, after in zip(parts, made, strict=True):
        assert after[~often[after]].tolist() == before[~often[before]].tolist()
    shares = [int(often[part].sum()) for part in made]
    assert max(shares) - min(shares) <= 1
    found, wanted = (np.sort(np.concatenate(p)) for p in (made, parts))
    assert found.tolist() == wanted.tolist()

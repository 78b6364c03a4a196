"""The parts of the data that members train on (IET).

An entry is one copy of one picture: a picture that counts 934 times has 934 entries, as it would
have 934 files in a folder with duplicates.
"""

import heapq

import numpy as np

from memviz.errors import InputError


def partition(
    times: np.ndarray, groups: np.ndarray, shards: int, seed: int, copies: str = "random"
) -> list[np.ndarray]:
    """Picture numbers of each shard, every entry in exactly one.

    `times` (N,) says how often each picture counts and `groups` (N,) which pictures are copies of
    one another. `copies` says where those go: "random", as they fall; "together", all to one
    shard; "spread", evenly over all; "released", pictures in the order of their files, one stretch
    after the other. ValueError if a shard would be empty.
    """
    rng = np.random.default_rng([seed, shards])
    entries = np.repeat(np.arange(len(times)), times)
    if copies == "together":
        parts = whole_groups(entries, groups[entries], shards, rng)
    elif copies == "released":
        parts = np.array_split(entries, shards)
    else:
        dealt = rng.permutation(entries)
        if copies == "spread":
            dealt = dealt[
                np.argsort(rng.permutation(groups.max() + 1)[groups[dealt]], kind="stable")
            ]
        parts = [dealt[k::shards] for k in range(shards)]
    if any(len(part) == 0 for part in parts):
        raise InputError(f"--shards is {shards}, more than can be filled. Give fewer.")
    return parts


def whole_groups(
    entries: np.ndarray, groups: np.ndarray, shards: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Each group to the smallest shard so far, the largest groups first."""
    order = rng.permutation(len(entries))
    order = order[np.argsort(groups[order], kind="stable")]
    bounds = np.flatnonzero(np.diff(groups[order])) + 1
    found = [entries[rows] for rows in np.split(order, bounds)]
    sizes = [(0, k) for k in range(shards)]
    parts: list[list[np.ndarray]] = [[] for _ in range(shards)]
    for i in sorted(rng.permutation(len(found)), key=lambda i: -len(found[i])):
        size, k = heapq.heappop(sizes)
        parts[k].append(found[i])
        heapq.heappush(sizes, (size + len(found[i]), k))
    return [np.concatenate(part) if part else entries[:0] for part in parts]


class Order:
    """The order in which one member sees its entries: reshuffled each time it has seen them all."""

    def __init__(self, entries: np.ndarray, seed: int, member: int) -> None:
        self.entries, self.stamp = entries, (seed, member)
        self._epochs: dict[int, np.ndarray] = {}

    def batch(self, number: int, size: int) -> np.ndarray:
        """Picture numbers of one batch; a function of its number alone, so nothing is stored."""
        epochs, places = np.divmod(number * size + np.arange(size), len(self.entries))
        return np.array([self._epoch(e)[p] for e, p in zip(epochs.tolist(), places, strict=True)])

    def _epoch(self, number: int) -> np.ndarray:
        if number not in self._epochs:
            rng = np.random.default_rng([*self.stamp, number])
            self._epochs = {k: v for k, v in self._epochs.items() if k == number - 1}
            self._epochs[number] = rng.permutation(self.entries)
        return self._epochs[number]

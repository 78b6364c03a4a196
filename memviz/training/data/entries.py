"""How often each picture of a corpus counts in a training; no torch here, so a form may ask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from memviz.data.formats import CorpusError
from memviz.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection

    from memviz.data.corpus import Corpus
    from memviz.training.config import Config


def count_entries(config: Config, corpus: Corpus) -> np.ndarray:
    """(N,) how often each picture counts: the corpus' own column, times DCR's repeats.

    Raises InputError, naming the setting, where the corpus cannot be counted so.
    """
    found = np.ones(len(corpus), np.int64)
    if config.weights:
        found = read_weights(config.weights, corpus)
    if config.duplication != "nodup":
        rng = np.random.default_rng([config.seed, len(corpus)])
        chosen = rng.permutation(len(corpus))[: round(config.dup_share * len(corpus))]
        found[chosen] *= config.dup_weight
    return keep_repeated(hold_out(found, config.hold_out), config.repeated)


def read_weights(column: str, corpus: Corpus) -> np.ndarray:
    """(N,) whole numbers from 1 of a column."""
    try:
        found = np.array(corpus.column(column))
    except CorpusError as error:
        raise InputError(
            f"--weights is {column!r}, but {corpus.name} has no such column. Leave --weights empty "
            "to count every picture once."
        ) from error
    if found.dtype.kind not in "iu" or (found < 1).any():
        raise InputError(
            f"--weights: column {column!r} of {corpus.name} does not hold whole numbers from 1. "
            "Name another column, or leave it empty to count every picture once."
        )
    return found


def hold_out(times: np.ndarray, count: int) -> np.ndarray:
    """The same (N,) with `count` pictures that count once at 0, whatever the training's seed."""
    order = np.random.default_rng(len(times)).permutation(len(times))
    chosen = order[times[order] == 1][:count]
    if len(chosen) < count:
        raise InputError(f"--hold-out is {count}, but only {len(chosen)} pictures count once.")
    times = times.copy()
    times[chosen] = 0
    return times


def keep_repeated(times: np.ndarray, count: int) -> np.ndarray:
    """The same (N,) in which `count` of the repeated pictures share the entries of all; 0: all."""
    repeated = np.flatnonzero(times > 1)
    if not count:
        return times
    if len(repeated) < count:
        raise InputError(f"--repeated is {count}, but only {len(repeated)} pictures repeat.")
    chosen = np.random.default_rng(len(times)).permutation(repeated)[:count]
    entries = times[repeated].sum() // count
    times = times.copy()
    times[repeated] = 0
    times[chosen] = entries
    return times


def suit(config: Config, corpus: Corpus, asked: Collection[str] = ()) -> Config:
    """The same settings, those that this corpus cannot have at what it can have.

    A preset is made for one corpus; on another the column that counts, prompts and numbers of
    pictures go. Settings in `asked`, which a person gave, are left to fail with their sentence.
    """
    own = {"probes": "", "repeated": 0} if corpus.name != "demo-10k" else {}
    try:
        if config.weights:
            corpus.column(config.weights)
    except CorpusError:
        own["weights"] = ""
    if config.hold_out > len(corpus) // 10:
        own["hold_out"] = len(corpus) // 10
    if config.probes != "demo":
        own.pop("probes", None)
    return replace(config, **{name: value for name, value in own.items() if name not in asked})

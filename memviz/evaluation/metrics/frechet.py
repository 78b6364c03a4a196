"""The Fréchet distance between Gaussians fitted to two sets of features: FID on Inception's.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule ...", NeurIPS 2017:
|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)). It is biased upward for few pictures: below about
5,000, KID and CMMD say more.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from memviz.errors import InputError

ENOUGH = 5_000  # pictures below which the bias of the distance matters


@dataclass(frozen=True)
class Moments:
    """Mean (D,) and covariance (D, D) of a set of features, in float64."""

    mean: np.ndarray
    covariance: np.ndarray
    count: int


def moments(parts: Iterable[np.ndarray]) -> Moments:
    """Of features (n, D) that come in parts; the covariance divides by N - 1, as FID's does.

    Raises InputError below two rows. Memory does not grow with the number of rows.
    """
    count, mean, scatter = 0, np.zeros(0), np.zeros((0, 0))
    for part in parts:
        rows = np.asarray(part, np.float64)
        if not len(rows):
            continue
        middle = rows.mean(0)
        spread = (rows - middle).T @ (rows - middle)
        if not count:
            count, mean, scatter = len(rows), middle, spread
            continue
        step, total = middle - mean, count + len(rows)  # Chan et al.'s pairwise update
        scatter = scatter + spread + np.outer(step, step) * (count * len(rows) / total)
        mean, count = mean + step * (len(rows) / total), total
    if count < 2:
        raise InputError(f"Got {count} pictures; a covariance needs at least two.")
    return Moments(mean, scatter / (count - 1), count)


def frechet_distance(a: Moments, b: Moments) -> float:
    """Never below 0. The trace of (S1 S2)^(1/2) is the sum of the square roots of its eigenvalues.

    S1 S2 has the same ones as R S2 R with R = S1^(1/2), which is symmetric: that stays exact where
    there are fewer pictures than dimensions and the product is singular.
    """
    if a.mean.shape != b.mean.shape:
        raise InputError(
            f"Got features of {len(a.mean)} and {len(b.mean)} dimensions; use one network for both."
        )
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ b.covariance @ root)
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    away = a.mean - b.mean
    return float(max(0.0, away @ away + traces - 2 * np.sqrt(shared.clip(0)).sum()))

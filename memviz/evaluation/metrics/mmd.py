"""Two squared maximum mean discrepancies between sets of features: KID and CMMD.

KID: Binkowski et al., "Demystifying MMD GANs", ICLR 2018, a cubic kernel on Inception features.
CMMD: Jayasumana et al., "Rethinking FID", CVPR 2024, a Gaussian kernel on CLIP's.
Unlike the Fréchet distance, both can be read below 5,000 pictures.
"""

from dataclasses import dataclass

import numpy as np

from memviz.errors import InputError

SUBSETS, SUBSET = 100, 1_000
SEED = 2020  # torch-fidelity's, so that the same subsets are drawn
SIGMA, SCALE = 10.0, 1_000.0
BLOCK = 2_048  # rows of a kernel that are held at a time


@dataclass(frozen=True)
class Kid:
    """Mean and deviation over subsets, and how large a subset was."""

    mean: float
    std: float
    subset: int


def kid(
    a: np.ndarray, b: np.ndarray, subsets: int = SUBSETS, size: int = SUBSET, seed: int = SEED
) -> Kid:
    """Of features (N, D) and (M, D); subsets are as large as the smaller set where that is less.

    Raises InputError below two rows.
    """
    size = min(size, len(a), len(b))
    if size < 2:
        raise InputError(f"Got {len(a)} and {len(b)} pictures; KID needs at least two of each.")
    draw = np.random.RandomState(seed)
    found = []
    for _ in range(subsets):
        x = a[draw.choice(len(a), size, replace=False)]
        y = b[draw.choice(len(b), size, replace=False)]
        found.append(unbiased_mmd(x, y))
    return Kid(float(np.mean(found)), float(np.std(found)), size)


def unbiased_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Of two sets of n rows under the kernel (x.y / D + 1)^3; may be slightly negative."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    n, dims = x.shape
    same = [(r @ r.T / dims + 1) ** 3 for r in (x, y)]
    within = sum((k.sum() - np.trace(k)) / (n * (n - 1)) for k in same)
    return float(within - 2 * ((x @ y.T / dims + 1) ** 3).mean())


def cmmd(a: np.ndarray, b: np.ndarray, sigma: float = SIGMA, scale: float = SCALE) -> float:
    """Of CLIP's unit rows (N, D) and (M, D), times 1000; the diagonal counts, as in the release."""
    if not len(a) or not len(b):
        raise InputError(f"Got {len(a)} and {len(b)} pictures; CMMD needs one of each.")
    within = gaussian_mean(a, a, sigma) + gaussian_mean(b, b, sigma)
    return scale * (within - 2 * gaussian_mean(a, b, sigma))


def gaussian_mean(x: np.ndarray, y: np.ndarray, sigma: float) -> float:
    """The mean of exp(-|x - y|^2 / 2 sigma^2) over all pairs, in blocks."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    squares, total = (y * y).sum(1), 0.0
    for start in range(0, len(x), BLOCK):
        part = x[start : start + BLOCK]
        apart = (part * part).sum(1)[:, None] + squares - 2 * part @ y.T
        total += np.exp(apart / (-2 * sigma**2)).sum()
    return float(total / (len(x) * len(y)))

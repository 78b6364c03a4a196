"""How different the pictures of one prompt are: a mitigation must not make them all alike.

As LPIPS between seeds in recent papers, by the descriptor at hand: the mean of 1 - cosine over all
pairs of a prompt's pictures.
"""

from collections.abc import Sequence

import numpy as np

from memviz.evaluation.metrics.copying import by_prompt


def diversity(vectors: np.ndarray, prompts: Sequence[int]) -> np.ndarray:
    """(P,) of unit rows (N, D), 0 for equal pictures, at most 2; nan for a prompt with one."""
    return np.array([spread(part) for part in by_prompt(vectors, prompts)])


def spread(rows: np.ndarray) -> float:
    """Mean of 1 - cosine over the pairs of unit rows (n, D)."""
    n = len(rows)
    if n < 2:
        return float("nan")
    total = rows.astype(np.float64).sum(0)
    pairs = (
        total @ total - (rows.astype(np.float64) ** 2).sum()
    )  # each pair twice, none with itself
    return float(1 - pairs / (n * (n - 1)))

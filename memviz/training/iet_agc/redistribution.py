"""IET-AGC+ (https://arxiv.org/abs/2502.09434) as we read its description, without its code.

*Memory samples redistribution*: pictures that the gates skip often are dealt to the members anew
after each round, so that no member keeps learning the same ones. *Threshold-aware augmentation*:
a sample whose loss was near the threshold is mirrored the next time it comes up (see `Member`).
The paper's own thresholds are not known to us; `OFTEN` is our choice.
"""

import numpy as np

OFTEN = 2.0  # times the mean skip rate


def often_skipped(seen: np.ndarray, skipped: np.ndarray) -> np.ndarray:
    """(N,) bool: pictures skipped more than `OFTEN` times as often as the mean."""
    usual = skipped.sum() / max(1, seen.sum())
    return skipped > OFTEN * usual * np.maximum(seen, 1)


def redistributed(
    parts: list[np.ndarray], often: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """The same entries, those of the pictures in `often` dealt out again evenly."""
    moving = rng.permutation(np.concatenate([part[often[part]] for part in parts]))
    return [
        np.concatenate([part[~often[part]], moving[k :: len(parts)]])
        for k, part in enumerate(parts)
    ]

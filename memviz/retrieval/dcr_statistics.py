"""DCR's figures for a folder against a corpus, under DCR's names.

Somepalli et al., "Diffusion Art or Digital Forgery?", CVPR 2023, and its `diff_retrieval.py`:
population standard deviation, numpy's linear percentiles, a strict `> 0.5`.
"""

import numpy as np

PERCENTILES = (75, 90, 95)


def statistics(similarity: np.ndarray, background: np.ndarray) -> dict[str, float]:
    """`sim_*` of each picture's top match, `bg_*` of each training picture's nearest other."""
    found = {**_of("sim", similarity), **_of("bg", background)}
    finite = similarity[np.isfinite(similarity)].astype(np.float64)
    found["sim_gt_05pc"] = float((finite > 0.5).mean()) if len(finite) else float("nan")
    return found


def _of(name: str, values: np.ndarray) -> dict[str, float]:
    """Mean, deviation and percentiles of the finite values; nan where there are none."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if not len(finite):
        finite = np.array([np.nan])
    tails = {f"{name}_{p}pc": float(np.percentile(finite, p)) for p in PERCENTILES}
    return {f"{name}_mean": float(finite.mean()), f"{name}_std": float(finite.std()), **tails}

"""How well a score tells memorized prompts from others, with intervals (ROC by scikit-learn).

"TPR at 1 % FPR" is published in two readings that differ (Wen et al. against Ren, Jeon and
Asthana et al.); both are given, for with few negatives 1 % is a handful of prompts.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from memviz.errors import InputError
from memviz.statistics import estimate_auc, wilson

RATE = 0.01  # of false positives


def told(yes: Sequence[float], no: Sequence[float]) -> dict[str, Any]:
    """ROC, AUC and both readings of TPR at 1 % FPR of scores of positives and negatives."""
    for what, scores in (("memorized", yes), ("ordinary", no)):
        if not len(scores):
            raise InputError(f"There are no {what} prompts. Label some, to say how well it tells.")
    labels = np.r_[np.ones(len(yes)), np.zeros(len(no))]
    scores = np.r_[np.asarray(yes, float), np.asarray(no, float)]
    fpr, tpr, _ = roc_curve(labels, scores)
    strict, near = below(fpr, tpr), closest(fpr, tpr)
    auc = float(roc_auc_score(labels, scores))
    area = estimate_auc(auc, len(yes), len(no))
    return {
        "auc": auc,
        "auc_interval": [area.low, area.high],
        "tpr_at_1_fpr": strict,  # the last point with FPR below 1 % (Wen et al.)
        "tpr_at_1_fpr_interval": list(wilson(strict, len(yes))),
        "tpr_nearest_1_fpr": near,  # the point whose FPR is nearest to 1 %, above it or not
        "tpr_nearest_1_fpr_interval": list(wilson(near, len(yes))),
        "fpr_nearest": float(fpr[np.argmin(np.abs(fpr - RATE))]),
        "roc": {"fpr": fpr.tolist(), "tpr": tpr.tolist()},
        "memorized": len(yes),
        "ordinary": len(no),
    }


def below(fpr: np.ndarray, tpr: np.ndarray) -> float:
    """The last true positive rate whose false positive rate is below 1 %."""
    return float(tpr[np.flatnonzero(fpr < RATE)[-1]])


def closest(fpr: np.ndarray, tpr: np.ndarray) -> float:
    """The true positive rate where the false positive rate is nearest to 1 %."""
    return float(tpr[np.argmin(np.abs(fpr - RATE))])

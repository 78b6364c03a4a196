"""Shares and means of pictures with honest 95 % intervals: the unit is the prompt, not the picture.

Two seeds of a prompt are not independent, so pictures are grouped by prompt. A mean gets a
bootstrap over prompts; a share gets Wilson's interval at its effective number of pictures, which
still says something where all pictures are copies, or none. Draws have a fixed seed: the same
values give the same interval.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from memviz.errors import InputError

NORMAL = NormalDist()
LEVEL = 0.95
DRAWS = 2_000  # resamples of a bootstrap
FEW = 3  # independent units below which an interval says nothing
DIGITS = 4  # that are kept


@dataclass(frozen=True)
class Estimate:
    """A share or mean with the ends of its 95 % interval; None where there are too few units."""

    mean: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        return format_estimate(self.to_json())

    def to_json(self) -> dict[str, float | None]:
        """The three numbers, rounded, as results keep them."""
        ends = {"mean": self.mean, "low": self.low, "high": self.high}
        return {name: v if v is None else round(float(v), DIGITS) for name, v in ends.items()}


def format_estimate(value: Mapping[str, float | None], digits: int = 2) -> str:
    """`0.07 (0.05 to 0.10)` of what `Estimate.to_json` makes."""
    mean, low, high = value["mean"], value["low"], value["high"]
    if low is None or high is None:
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's score interval of a share of `n` independent trials; n need not be whole.

    E. B. Wilson, Probable Inference, JASA 22 (1927).
    """
    z = NORMAL.inv_cdf((1 + LEVEL) / 2)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = max(0, middle - half) if share > 0 else 0  # exactly: rounding leaves 3e-17
    high = min(1, middle + half) if share < 1 else 1
    return float(low), float(high)


def estimate_share(
    hits: Sequence[bool] | np.ndarray, prompts: Sequence[Hashable] | None = None
) -> Estimate:
    """The share of pictures that are hits; `prompts` names the prompt of each picture.

    Without `prompts`, or with a single one, every picture is a unit of its own.
    """
    values = np.asarray(hits, float)
    sums, counts = sum_by_prompt(values, prompts)
    share = float(values.mean())
    return Estimate(share, *wilson(share, effective_count(sums, counts)))


def effective_count(sums: np.ndarray, counts: np.ndarray) -> float:
    """How many independent pictures tell as much about a share as these prompts' pictures do.

    By the variance of a ratio estimator over clusters (Cochran, Sampling Techniques, 1977,
    chapter 9): all pictures where seeds differ as prompts do, the number of prompts where a
    prompt's seeds agree. Where all pictures agree nothing tells, and it is that of the prompts.
    """
    n, share = counts.sum(), sums.sum() / counts.sum()
    spread = np.square(sums - share * counts).sum() / n**2
    if not spread or share in (0, 1):
        return float(len(counts) if share in (0, 1) else n)
    return float(np.clip(share * (1 - share) / spread, 1, n))


def estimate_mean(
    values: Sequence[float] | np.ndarray, prompts: Sequence[Hashable] | None = None
) -> Estimate:
    """The mean over pictures, its interval by a bootstrap over prompts."""
    values = np.asarray(values, float)
    sums, counts = sum_by_prompt(values, prompts)
    mean = float(values.mean())
    if len(sums) < FEW:
        return Estimate(mean)
    drawn = np.random.default_rng(0).integers(0, len(sums), (DRAWS, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    return Estimate(mean, *np.quantile(means, tails(len(sums))).tolist())


def estimate_statistic(
    statistic: Callable[[np.ndarray], float],
    values: Sequence[float] | np.ndarray,
    prompts: Sequence[Hashable] | None = None,
) -> Estimate:
    """Any figure of the values of all pictures, as a percentile; a bootstrap over prompts."""
    values = np.asarray(values, float)
    found = float(statistic(values))
    names = range(len(values)) if prompts is None or len(set(prompts)) == 1 else prompts
    places = {name: i for i, name in enumerate(dict.fromkeys(names))}
    which = np.array([places[name] for name in names])
    counts, rows = np.bincount(which), values[np.argsort(which, kind="stable")]
    if len(counts) < FEW:
        return Estimate(found)
    starts, draw = np.cumsum(counts) - counts, np.random.default_rng(0)
    again = []
    for _ in range(DRAWS):
        drawn = draw.integers(0, len(counts), len(counts))
        first = np.repeat(starts[drawn] - np.cumsum(counts[drawn]) + counts[drawn], counts[drawn])
        again.append(statistic(rows[first + np.arange(len(first))]))
    return Estimate(found, *np.quantile(again, tails(len(counts))).tolist())


def estimate_difference(
    a: Sequence[float] | np.ndarray,
    b: Sequence[float] | np.ndarray,
    prompts: Sequence[Hashable] | None = None,
) -> Estimate:
    """The mean of a - b over pictures that were made in pairs: same prompt, same noise."""
    if len(a) != len(b):
        raise InputError(f"{len(a)} values cannot be paired with {len(b)}; give as many of both.")
    return estimate_mean(np.asarray(a, float) - np.asarray(b, float), prompts)


def sum_by_prompt(
    values: np.ndarray, prompts: Sequence[Hashable] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts of the values by prompt, (prompts,) each; by picture if there is but one."""
    if not len(values):
        raise InputError("There are no values to take a mean of.")
    if prompts is None or len(set(prompts)) == 1:
        return values, np.ones(len(values))
    if len(prompts) != len(values):
        raise InputError(f"{len(values)} values have {len(prompts)} prompts; give one for each.")
    places = {prompt: i for i, prompt in enumerate(dict.fromkeys(prompts))}
    which = [places[prompt] for prompt in prompts]
    return np.bincount(which, values), np.bincount(which).astype(float)


def tails(units: int) -> tuple[float, float]:
    """The quantiles between which the middle of a bootstrap lies, widened for few units.

    Percentiles alone are too narrow by about the ratio of Student's t to the normal quantile
    (Hesterberg, What Teachers Should Know About the Bootstrap, 2015: expanded percentiles).
    """
    from scipy.special import stdtrit  # not at the start: the app waits for it

    wide = np.sqrt(units / (units - 1)) * stdtrit(units - 1, (1 + LEVEL) / 2)
    return NORMAL.cdf(-wide), NORMAL.cdf(wide)


def estimate_auc(auc: float, positives: int, negatives: int) -> Estimate:
    """The interval of an area under a ROC curve of so many prompts; not empty where it is 1.

    Newcombe, Confidence intervals for an effect size measure based on the Mann-Whitney statistic,
    part 2, Statistics in Medicine 25 (2006), method 5: the score interval of Hanley and McNeil's
    variance.
    """
    from scipy.optimize import brentq

    z, more = NORMAL.inv_cdf((1 + LEVEL) / 2), (positives + negatives) / 2 - 1

    def excess(area: float) -> float:
        wide = 1 + more * (1 - area) / (2 - area) + more * area / (1 + area)
        return (auc - area) ** 2 - z * z * area * (1 - area) * wide / (positives * negatives)

    inside = float(np.clip(auc, 1e-9, 1 - 1e-9))  # 0 and 1 solve it, too, and say nothing
    low = float(brentq(excess, 0, inside)) if auc > 0 else 0.0
    high = float(brentq(excess, inside, 1)) if auc < 1 else 1.0
    return Estimate(auc, low, high)

"""Whether a margin is real: tests and intervals for two models on the same targets.

The object is the loss of each forecast, (n,) in time order. Losses of several seeds are averaged
before anything is tested: what is compared is the expected loss of a model, and the targets,
not the seeds, are the sample. Small p says that the test part would rarely look like this if both
were equally good; it says nothing of another period.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

FEWEST = 8  # below, or below two horizons, a variance with autocorrelation is a guess
EXACT_BELOW = 25  # targets that one alone got right; from here on the chi-square distribution is close enough


@dataclass(frozen=True)
class Paired:
    """Two models, a and b, on the same targets.

    Attributes:
        difference: mean of loss a - loss b: below 0, a is better.
        low, high: its bootstrap interval; None with fewer than 8 forecasts, or than two horizons.
        p: of the Diebold-Mariano test; None for the same reason, or where the variance is 0.
        n: losses compared.
    """

    difference: float
    low: float | None
    high: float | None
    p: float | None
    n: int


@dataclass(frozen=True)
class Seeds:
    """Mean of a score over the seeds and its Student-t interval."""

    mean: float
    low: float
    high: float


def paired(
    a: np.ndarray, b: np.ndarray, horizon: int, level: float, resamples: int, rng: np.random.Generator
) -> Paired:
    """Compare two models.

    Args:
        a, b: losses of the same forecasts in time order, (n,) or (seeds, n).
        horizon: forecasts up to this many origins apart share targets: the rows from the last of a window to
            its last target, where origins are one row apart. 0: the targets are in no order, and each is
            drawn by itself.
        level: of the interval, 0.95 for instance.

    Raises:
        ValueError: `a` and `b` are not of the same forecasts.
    """
    a, b = np.atleast_2d(a).mean(axis=0), np.atleast_2d(b).mean(axis=0)
    if a.shape != b.shape:
        raise ValueError(f"losses of {len(a)} and of {len(b)} forecasts cannot be paired")
    difference = a - b
    low, high = mean_interval(difference, horizon, level, resamples, rng) or (None, None)
    return Paired(float(difference.mean()), low, high, diebold_mariano(a, b, horizon), len(difference))


def diebold_mariano(a: np.ndarray, b: np.ndarray, horizon: int) -> float | None:
    """Two-sided p of equal expected losses: (n,), (n,) in time order.

    Diebold & Mariano, J. Bus. Econ. Stat. 13 (1995) 253: the t statistic of the mean difference with a
    Newey-West variance of max(horizon - 1, n^(1/3)) lags; with the correction for few targets and
    Student's t of Harvey, Leybourne & Newbold, Int. J. Forecasting 13 (1997) 281. Where forecasts are few or
    the horizon is long it still finds a difference too often. With horizon 0 there are no lags, and it is the
    paired t test, whatever the order. 1 where the losses are the same; None with
    fewer than 8 forecasts, or than two horizons, or a difference that never changes, which has no variance.
    """
    from statsmodels.tsa.stattools import diebold_mariano_test

    difference = a - b
    if _too_few(len(difference), horizon) or not np.isfinite(difference).all():
        return None
    rounding = 1e-12 * max(np.abs(a).max(), np.abs(b).max())
    if np.ptp(difference) <= rounding:
        return 1.0 if np.abs(difference).max() <= rounding else None
    lags = None if horizon else 0
    found = diebold_mariano_test(
        np.zeros_like(a), a, b, criterion=lambda _, loss: loss, lags=lags, harvey_adj=True, horizon=max(horizon, 1)
    )
    return found.pvalue if math.isfinite(found.pvalue) else None


def mean_interval(
    values: np.ndarray, horizon: int, level: float, resamples: int, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Percentile interval of a mean by the circular block bootstrap: (n,) in time order -> low, high.

    Blocks keep neighbours together: Künsch, Ann. Stat. 17 (1989) 1217; the ends are joined so that every
    value counts alike: Politis & Romano in LePage & Billard (eds.), Exploring the Limits of Bootstrap
    (1992) 263. The percentiles are taken further out, see `_expanded`; with few values or a long horizon
    it is still too narrow. None with fewer than 8 values, or than two horizons.
    """
    n = len(values)
    if _too_few(n, horizon) or not np.isfinite(values).all():
        return None
    length = block_length(n, horizon)
    means = _resampled_means(values, length, resamples, rng)
    outside = (1 - _expanded(level, n / length)) / 2
    low, high = np.quantile(means, [outside, 1 - outside])
    return float(low), float(high)


def block_length(n: int, horizon: int) -> int:
    """n^(1/3), rounded up, and no shorter than two horizons, or than one where ten do not fit into n.

    1 with horizon 0, where nothing depends on its neighbours.

    The rate is the best for the variance of a mean: Hall, Horowitz & Jing, Biometrika 82 (1995) 561.
    Forecasts within a horizon share targets, and blocks of length b see a covariance at distance k
    with weight 1 - k/b only, so blocks of one horizon would miss much of it.
    """
    if horizon == 0:
        return 1
    return max(math.ceil(round(n ** (1 / 3), 9)), 2 * horizon if n >= 10 * horizon else horizon)


def _expanded(level: float, blocks: float) -> float:
    """The level of a bootstrap whose percentiles reach as far as Student's t does, not as far as the normal.

    Resampling leaves out the factor blocks / (blocks - 1) of a variance, and that it is estimated: the
    expanded percentile interval of Hesterberg, Am. Stat. 69 (2015) 371, with blocks as the sample.
    """
    from scipy import stats  # type: ignore[import-untyped]

    reach = stats.t.ppf((1 + level) / 2, blocks - 1) * math.sqrt(blocks / (blocks - 1))
    return float(2 * stats.norm.cdf(reach) - 1)


def _resampled_means(values: np.ndarray, length: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    n = len(values)
    around = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values[:length]]))])
    blocks, rest = divmod(n, length)  # `blocks` whole ones and one of `rest` values make n again
    whole, part = around[length : n + length] - around[:n], around[rest : n + rest] - around[:n]  # sums, (n,)
    means = np.empty(resamples)
    for i in range(resamples):
        starts = rng.integers(n, size=blocks + 1)
        means[i] = (whole[starts[:-1]].sum() + part[starts[-1]]) / n
    return means


def _too_few(n: int, horizon: int) -> bool:
    return n < max(FEWEST, 2 * horizon)


def mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> tuple[int, int, float]:
    """Two-sided test that both are right equally often.

    McNemar, Psychometrika 12 (1947) 153: what both got right, or both wrong, tells nothing; of the rest each should
    have half. Exact (binomial) below 25 of these, else chi-square with the correction for continuity of Edwards,
    Psychometrika 13 (1948) 185.

    Args:
        right_a, right_b: (n,) bool, whether each was right on the same targets, which do not depend on each other.

    Returns:
        n01: targets that b alone got right; n10: that a alone got right; p.

    Raises:
        ValueError: `right_a` and `right_b` are not of the same targets.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    if right_a.shape != right_b.shape:
        raise ValueError(f"answers to {len(right_a)} and to {len(right_b)} targets cannot be paired")
    n01, n10 = int((~right_a & right_b).sum()), int((right_a & ~right_b).sum())
    found = test([[0, n01], [n10, 0]], exact=n01 + n10 < EXACT_BELOW, correction=True)
    return n01, n10, float(found.pvalue)


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjusted p values for having tested them all: (k,), in their order. nan (or None) was no test, and stays nan.

    Holm, Scand. J. Stat. 6 (1979) 65. Holds however the tests depend on each other.
    """
    from statsmodels.stats.multitest import multipletests

    adjusted = np.array(p_values, dtype=float)
    tested = ~np.isnan(adjusted)
    if tested.any():
        adjusted[tested] = multipletests(adjusted[tested], method="holm")[1]
    return adjusted


def half_width(deviation: float, seeds: int, level: float) -> float:
    """Half the Student-t interval of a mean over seeds with this standard deviation; nan with one seed."""
    from scipy import stats  # type: ignore[import-untyped]

    if seeds < 2:
        return math.nan
    return float(stats.t.ppf((1 + level) / 2, seeds - 1) * deviation / math.sqrt(seeds))


def seed_interval(scores: ArrayLike, level: float) -> Seeds | None:
    """Where the mean over all seeds lies, by Student's t: (seeds,); None with one seed.

    About the luck of initialisation alone: the test part is the same for every seed.
    """
    values = np.asarray(scores, dtype=float)
    if len(values) < 2:
        return None
    mean, reach = float(values.mean()), half_width(float(values.std(ddof=1)), len(values), level)
    return Seeds(mean, mean - reach, mean + reach)

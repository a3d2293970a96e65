"""Conformal prediction intervals: forecast ± a quantile of the absolute residuals that are known.

Split conformal: Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005); Lei et al.,
JASA 113 (2018) 1094. If residuals are exchangeable, an interval holds its target with a probability
of at least `level`, whatever the model. Rows of a series are exchangeable only approximately, and val
was also what the model was chosen on: coverage on test is to be measured, not taken for granted.
"""

import bisect
import itertools
import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Forecasts:
    """Forecasts that get an interval, and when each truth becomes known.

    Attributes:
        truth: (n, horizon); nan where it is not known yet. It never touches an interval of an origin
            at or before its row.
        prediction: (n, horizon).
        origins: (n,), the first row that a forecast has not seen.
        target_rows: (n, horizon), the row of each target. Both count time: with several series, rows of
            the same time have the same number in all of them.

    Raises:
        ValueError: a target lies before its own origin.
    """

    truth: np.ndarray
    prediction: np.ndarray
    origins: np.ndarray
    target_rows: np.ndarray

    def __post_init__(self) -> None:
        if (self.target_rows < self.origins[:, None]).any():
            raise ValueError("a target lies before the origin of its forecast")


def quantile(residuals: np.ndarray, level: float) -> float:
    """The ceil((n + 1) level)-th smallest absolute residual: (n,) -> the radius of an interval.

    nan where n < level / (1 - level): so few residuals vouch for no interval of this level.
    """
    return _at_rank(_known(residuals), level)


def conformal(
    calibration: np.ndarray, forecasts: Forecasts, level: float, gamma: float, rolling: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends, (n, horizon) each, every step of the horizon by itself; nan: no interval.

    Args:
        calibration: (m, horizon) residuals of val, known before the first origin. Several series are pooled.
        forecasts: of test, or of the origins of a backtest.
        level: the share of targets that shall lie inside.
        gamma: 0 is split conformal. Above, adaptive (Gibbs & Candès, NeurIPS 34 (2021) 1660): whenever
            truths become known, alpha += gamma (1 - level - share of them missed), and an interval is
            the quantile at 1 - alpha. Where alpha asks for more than the residuals can vouch for, the
            interval would be infinite: nan, and not a miss, so that the share is kept over all targets,
            and not over those with an interval. From alpha = 1 on it would be empty: the forecast
            itself, and a miss.
        rolling: whether a residual joins the calibration as soon as its truth is known. Right where it
            was made by a model that had not been fitted on that truth, as in a backtest and in use.
    """
    steps = range(forecasts.truth.shape[1])
    if gamma == 0 and not rolling:
        radii = np.tile([quantile(calibration[:, s], level) for s in steps], (len(forecasts.truth), 1))
    else:
        known = [_Known(_known(calibration[:, s]), level, gamma, rolling) for s in steps]
        radii = np.stack([_walk(known[s], forecasts, s) for s in steps], axis=1)
    return forecasts.prediction - radii, forecasts.prediction + radii  # (n, horizon)


class _Known:
    """What is known at one step of the horizon, as time goes by: sorted residuals, and alpha."""

    def __init__(self, residuals: list[float], level: float, gamma: float, rolling: bool):
        self.residuals = residuals
        self.target, self.alpha = 1 - level, 1 - level
        self.gamma, self.rolling = gamma, rolling

    def radius(self) -> float:
        """Of an interval at this moment: nan if infinite, -1 if empty."""
        return _at_rank(self.residuals, 1 - self.alpha)

    def learn(self, came: list[tuple[float, float]]) -> None:
        """Absolute residuals that became known at one time, each with the radius that had been given for it."""
        missed = sum(residual > radius for residual, radius in came) / len(came)
        self.alpha += self.gamma * (self.target - missed)
        if self.rolling:
            for residual, _ in came:
                bisect.insort(self.residuals, residual)


def _walk(known: _Known, forecasts: Forecasts, step: int) -> np.ndarray:
    """Radii of all forecasts of one step, given in the order of their origins: (n,)."""
    residuals = np.abs(forecasts.truth[:, step] - forecasts.prediction[:, step]).tolist()
    rows, origins = forecasts.target_rows[:, step], forecasts.origins.tolist()
    due = [i for i in np.argsort(rows, kind="stable").tolist() if not math.isnan(residuals[i])]
    groups = [(row, list(group)) for row, group in itertools.groupby(due, rows.tolist().__getitem__)]
    radii, seen = [math.nan] * len(rows), 0
    for i in np.argsort(forecasts.origins, kind="stable").tolist():
        while seen < len(groups) and groups[seen][0] < origins[i]:
            known.learn([(residuals[j], radii[j]) for j in groups[seen][1]])
            seen += 1
        radii[i] = known.radius()
    return np.maximum(radii, 0)  # keeps nan


def _at_rank(ordered: list[float], level: float) -> float:
    # The tiny number keeps a product that is whole on paper, as 100 × 0.55, from being rounded up.
    rank = math.ceil((len(ordered) + 1) * level - 1e-9)
    if rank > len(ordered):
        return math.nan
    return ordered[rank - 1] if rank > 0 else -1.0


def _known(residuals: np.ndarray) -> list[float]:
    return sorted(np.abs(residuals[~np.isnan(residuals)]).tolist())


# --- how good they are: lower and upper are (n, horizon), nan where none is given ------------------


SCORES = ("coverage", "width", "pinball", "share")  # names that no metric may have


def coverage(truth: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Share of the targets with an interval that lie in it, ends included; nan where there is none."""
    given = np.isfinite(lower + upper)
    return _mean((lower[given] <= truth[given]) & (truth[given] <= upper[given]))


def width(lower: np.ndarray, upper: np.ndarray) -> float:
    """Mean of upper - lower over the targets with an interval."""
    given = np.isfinite(lower + upper)
    return _mean(upper[given] - lower[given])


def pinball(truth: np.ndarray, lower: np.ndarray, upper: np.ndarray, level: float) -> float:
    """Mean pinball loss of the ends, read as the quantiles (1 - level) / 2 and (1 + level) / 2.

    At quantile q of level t a target y costs (y - q) t above and (q - y) (1 - t) below. Koenker &
    Bassett, Econometrica 46 (1978) 33; proper: Gneiting & Raftery, JASA 102 (2007) 359, who call
    4 / (1 - level) times this the interval score.
    """
    given = np.isfinite(lower + upper)
    gaps = [((1 - level) / 2, truth[given] - lower[given]), ((1 + level) / 2, truth[given] - upper[given])]
    return _mean(np.concatenate([np.maximum(t * gap, (t - 1) * gap) for t, gap in gaps]))


def scores(truth: np.ndarray, lower: np.ndarray, upper: np.ndarray, level: float) -> dict[str, float]:
    """Coverage, width and pinball of the intervals, and `share`: the share of targets that have one."""
    return {
        "coverage": coverage(truth, lower, upper),
        "width": width(lower, upper),
        "pinball": pinball(truth, lower, upper, level),
        "share": _mean(np.isfinite(lower + upper)),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")

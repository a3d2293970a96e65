"""Exponential smoothing with trend and season."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from lookback.data.dataset import Data
from lookback.data.samples import Samples, Windows
from lookback.evaluation.predictions import Points
from lookback.models.baselines import seen_rows
from lookback.models.baselines.libraries import quietly
from lookback.models.catalogue import baseline
from lookback.settings.base import Numbers

LONGEST_SEASON = 24  # a longer one has more starting values than any fit can bear: the season is left out


class HoltWintersSettings(Numbers):
    """Exponential smoothing with trend and season (Holt 1957, Winters 1960); the form is chosen on train."""

    forms: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(none|add|damped)_(none|add|mul)$")], ...],
        Field(strict=False, min_length=1),
    ]
    max_rows: Annotated[int, Field(ge=12)]


@dataclass
class HoltWinters:
    """Holt-Winters exponential smoothing, for each series its own.

    level[t] = alpha (y[t] - season[t-m]) + (1 - alpha) (level[t-1] + phi trend[t-1])
    trend[t] = beta (level[t] - level[t-1]) + (1 - beta) phi trend[t-1]
    season[t] = gamma (y[t] - level[t-1] - phi trend[t-1]) + (1 - gamma) season[t-m]
    and, where the season multiplies, / instead of the - before and after it. Holt (1957), Winters,
    Management Science 6 (1960) 324; damped trend: Gardner & McKenzie, Management Science 31 (1985) 1237.

    Weights and first states are statsmodels' least squares on the longest unbroken segment of train, its
    latest `max_rows`; the form is the one of the lowest corrected Akaike criterion. `predict` runs the
    smoothing on over every row up to the window with these weights: nothing is estimated there.
    """

    season: int
    forms: tuple[str, ...]
    max_rows: int
    chosen: tuple[str, ...] = ()  # per series
    began: tuple[int, ...] = ()  # per series: the step of the row that `states` stand before
    weights: list[np.ndarray] = field(default_factory=list)  # per series (4,): alpha, beta, gamma, phi
    states: list[np.ndarray] = field(default_factory=list)  # per series (2 + m,): level, trend, m seasons
    parameters: int = 0

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Learn; the form is chosen on train, and kept where `val` is None."""
        segments = seen_rows.longest_segments(train, self.max_rows)
        fitted = []
        for series, (start, stop) in enumerate(segments):
            forms = self.forms if val is not None else (self.chosen[series],)
            fitted.append(_best(seen_rows.values(train)[start:stop], forms, self.season))
        self.began = tuple(int(train.arrays["step"][start]) for start, _ in segments)
        self.chosen = tuple(form for form, _, _ in fitted)
        self.weights, self.states = [w for _, w, _ in fitted], [s for _, _, s in fitted]
        self.parameters = sum(int(np.count_nonzero(w)) + len(s) for _, w, s in fitted)

    def predict(self, samples: Windows) -> Points:
        """(n, horizon)."""
        return Points(seen_rows.by_segment(samples, self._say))

    def _say(self, samples: Windows, series: int, first: int) -> np.ndarray:
        last, weights, states = samples.origins() - 1, self.weights[series], self.states[series]
        multiplies, values = self.chosen[series].endswith("mul"), seen_rows.values(samples)
        numbers = samples.arrays["step"][first : last.min() + 1]
        begin = first + int(np.searchsorted(numbers, self.began[series]))
        if begin > last.min() or numbers[begin - first] != self.began[series]:  # not the segment that was fitted
            begin, states = first, _plain(values[first], len(states), multiplies)
        level, trend, seasons = _smooth(values[begin : last.max() + 1], weights, states, multiplies)
        at, steps, m = last - begin, seen_rows.steps(samples), len(states) - 2
        damped = np.cumsum(weights[3] ** np.arange(1, steps[-1] + 1))[steps - 1]  # (horizon,)
        base = level[at][:, None] + trend[at][:, None] * damped  # (n, horizon)
        latest = seasons[m + at[:, None] + steps - m * -(-steps // m)]  # (n, horizon)
        return base * latest if multiplies else base + latest


def _best(known: np.ndarray, forms: tuple[str, ...], season: int) -> tuple[str, np.ndarray, np.ndarray]:
    """The form of the lowest criterion, its weights (4,) and first states (2 + m,)."""
    if len(known) < 12:  # too few for any estimate: the last value stays
        return "none_none", np.array([1.0, 0, 0, 1]), _plain(known[0], 3, False)
    possible = dict.fromkeys(_possible(form, known, season) for form in forms)
    with quietly():
        found = [(form, *_estimate(known, form, season)) for form in possible]
    form, _, weights, states = min(found, key=lambda f: f[1])
    return form, weights, states


def _possible(form: str, known: np.ndarray, season: int) -> str:
    """The nearest form that these values can bear."""
    trend, seasonal = form.split("_")
    if not 2 <= season <= LONGEST_SEASON or len(known) < max(2 * season, 10 + 2 * (season // 2)):
        seasonal = "none"
    elif known.min() <= 0 and seasonal == "mul":
        seasonal = "add"
    return f"{trend}_{seasonal}"


def _estimate(known: np.ndarray, form: str, season: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Corrected Akaike criterion, weights and first states of one form."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    trend, seasonal = form.split("_")
    level, size = units(known, seasonal)
    result = ExponentialSmoothing(
        (known - level) / size,
        trend=None if trend == "none" else "add",
        damped_trend=trend == "damped",
        seasonal=None if seasonal == "none" else seasonal,
        seasonal_periods=None if seasonal == "none" else season,
    ).fit()
    found = result.params
    smoothing = [found[f"smoothing_{what}"] for what in ("level", "trend", "seasonal")]
    weights = np.nan_to_num([*smoothing, found["damping_trend"] if trend == "damped" else 1])
    seasons = np.zeros(1) if seasonal == "none" else np.asarray(found["initial_seasons"])
    seasons = seasons if seasonal == "mul" else size * seasons
    states = np.nan_to_num([level + size * found["initial_level"], size * found["initial_trend"], *seasons])
    return float(np.nan_to_num(result.aicc, nan=np.inf)), weights, states


def units(known: np.ndarray, seasonal: str) -> tuple[float, float]:
    """Level and unit in which a form is estimated: what the optimizer finds must not depend on where numbers lie.

    A season that is a share of the level needs the level. The optimizer does best with numbers of about a hundred.
    """
    return 0.0 if seasonal == "mul" else known.mean(), known.std() / 100 if np.ptp(known) > 0 else 1.0


def _plain(value: float, length: int, multiplies: bool) -> np.ndarray:
    """States that know one value and no season yet."""
    states = np.full(length, 1.0 if multiplies else 0.0)
    states[:2] = value, 0
    return states


def _smooth(
    values: np.ndarray, weights: np.ndarray, states: np.ndarray, multiplies: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level (n,) and trend (n,) after each value; seasons (m + n,), from m rows before the first on."""
    alpha, beta, gamma, phi = weights.tolist()
    level, trend, *seasons = states.tolist()
    levels, trends = [], []
    for i, seen in enumerate(values.tolist()):
        base, season = level + phi * trend, seasons[i]
        value = base * season if multiplies and seen <= 0 else seen  # nothing is learnt from what cannot be divided
        new = alpha * (value / season if multiplies else value - season) + (1 - alpha) * base
        trend = beta * (new - level) + (1 - beta) * phi * trend
        seasons.append(gamma * (value / base if multiplies else value - base) + (1 - gamma) * season)
        level = new
        levels.append(level)
        trends.append(trend)
    return np.array(levels), np.array(trends), np.array(seasons)


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("holt_winters", HoltWintersSettings, problems=("forecast",), reads_all=True)
def _holt_winters(data: Data, **numbers: Any) -> HoltWinters:
    return HoltWinters(data.season, **numbers)

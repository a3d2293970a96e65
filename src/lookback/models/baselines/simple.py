"""Baselines for forecasts that have nothing to learn."""

from dataclasses import dataclass

import numpy as np

from lookback.data.dataset import UnsuitedError
from lookback.data.samples import Samples, Windows
from lookback.models.baselines import rows


@dataclass
class SeasonalNaive:
    """The value `season` rows before the target; the latest known one where that lies ahead.

    With season 1 it is persistence: the last value stays.
    """

    season: int
    parameters: int = 0

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Nothing to learn."""

    def predict(self, samples: Windows) -> np.ndarray:
        """(n, horizon)."""
        seen, _ = rows.latest_of_season(samples, self.season)
        return rows.values(samples)[seen]


@dataclass
class Drift:
    """The line from the first value of the segment through the last, drawn on.

    y[T] + h (y[T] - y[1]) / (T - 1). Hyndman & Athanasopoulos, Forecasting: Principles and Practice,
    3rd ed. (2021), section 5.2.
    """

    parameters: int = 0

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Nothing to learn."""

    def predict(self, samples: Windows) -> np.ndarray:
        """(n, horizon)."""
        series, last = rows.values(samples), samples.origins() - 1  # (rows,), (n,)
        first = samples.arrays["first"][last]
        slope = (series[last] - series[first]) / np.maximum(last - first, 1)
        return series[last][:, None] + slope[:, None] * rows.steps(samples)


@dataclass
class GrowthNaive:
    """The value one season before, times the growth over the season that the last value showed.

    y[t-s] y[t-1] / y[t-s-1], fed back for the steps after: every k-th season ahead that is
    y[t-ks] (y[T] / y[T-s])^k, with T the last row seen. Where y[T-s] is 0 or not known there is no
    growth to speak of: seasonal naive.
    """

    season: int
    parameters: int = 0

    def __post_init__(self) -> None:
        if self.season < 2:
            raise UnsuitedError("growth_naive needs a season of 2 rows or more; set task.season")

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Nothing to learn."""

    def predict(self, samples: Windows) -> np.ndarray:
        """(n, horizon)."""
        series, last = rows.values(samples), samples.origins() - 1  # (rows,), (n,)
        seen, seasons = rows.latest_of_season(samples, self.season)
        before = last - self.season
        divisor = np.where(before >= samples.arrays["first"][last], series[np.maximum(before, 0)], 0)
        growth = np.divide(series[last], divisor, out=np.ones(len(last)), where=divisor != 0)  # (n,)
        return series[seen] * growth[:, None] ** seasons

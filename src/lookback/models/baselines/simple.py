"""Baselines for forecasts that have nothing to learn."""

from dataclasses import dataclass

import numpy as np

from lookback.data.dataset import Data, UnsuitedError
from lookback.data.samples import Samples, Windows
from lookback.evaluation.predictions import Points
from lookback.models.baselines import seen_rows
from lookback.models.catalogue import baseline
from lookback.settings.base import Numbers


@dataclass
class SeasonalNaive:
    """The value `season` rows before the target; the latest known one where that lies ahead.

    With season 1 it is persistence: the last value stays.
    """

    season: int
    parameters: int = 0

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Nothing to learn."""

    def predict(self, samples: Windows) -> Points:
        """(n, horizon)."""
        seen, _ = seen_rows.latest_of_season(samples, self.season)
        return Points(seen_rows.values(samples)[seen])


@dataclass
class Drift:
    """The line from the first value of the segment through the last, drawn on.

    y[T] + h (y[T] - y[1]) / (T - 1). Hyndman & Athanasopoulos, Forecasting: Principles and Practice,
    3rd ed. (2021), section 5.2.
    """

    parameters: int = 0

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Nothing to learn."""

    def predict(self, samples: Windows) -> Points:
        """(n, horizon)."""
        series, last = seen_rows.values(samples), samples.origins() - 1  # (rows,), (n,)
        first = samples.arrays["first"][last]
        slope = (series[last] - series[first]) / np.maximum(last - first, 1)
        return Points(series[last][:, None] + slope[:, None] * seen_rows.steps(samples))


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

    def predict(self, samples: Windows) -> Points:
        """(n, horizon)."""
        series, last = seen_rows.values(samples), samples.origins() - 1  # (rows,), (n,)
        seen, seasons = seen_rows.latest_of_season(samples, self.season)
        before = last - self.season
        divisor = np.where(before >= samples.arrays["first"][last], series[np.maximum(before, 0)], 0)
        growth = np.divide(series[last], divisor, out=np.ones(len(last)), where=divisor != 0)  # (n,)
        return Points(series[seen] * growth[:, None] ** seasons)


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("naive", Numbers, problems=("forecast",))
def _naive(data: Data) -> SeasonalNaive:
    return SeasonalNaive(season=1)


@baseline("seasonal_naive", Numbers, problems=("forecast",))
def _seasonal_naive(data: Data) -> SeasonalNaive:
    return SeasonalNaive(data.season)


@baseline("drift", Numbers, problems=("forecast",), reads_all=True)
def _drift(data: Data) -> Drift:
    return Drift()


@baseline("growth_naive", Numbers, problems=("forecast",))
def _growth_naive(data: Data) -> GrowthNaive:
    return GrowthNaive(data.season)

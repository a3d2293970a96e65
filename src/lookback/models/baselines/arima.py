"""Seasonal ARIMA."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from lookback.data.dataset import Data, UnsuitedError
from lookback.data.samples import Samples, Windows
from lookback.evaluation.predictions import Points
from lookback.models.baselines import seen_rows
from lookback.models.baselines.libraries import quietly
from lookback.models.baselines.smoothing import LONGEST_SEASON
from lookback.models.catalogue import baseline
from lookback.settings.base import Numbers


class SarimaSettings(Numbers):
    """Seasonal ARIMA on logarithms where they exist (Box & Jenkins); orders chosen on train."""

    orders: Annotated[tuple[Annotated[str, Field(pattern=r"^\d{3}-\d{3}$")], ...], Field(strict=False, min_length=1)]
    log: bool
    max_rows: Annotated[int, Field(ge=12)]


@dataclass
class Sarima:
    """ARIMA(p,d,q)(P,D,Q) of each series, an order written "pdq-PDQ".

    Box & Jenkins, Time Series Analysis (1970). A constant is there where d is 0. With `log` it works on
    logarithms where every value of train is above 0, and answers with exp, the median. Seasons above
    24 rows are left out.

    Parameters are statsmodels' maximum likelihood on the longest unbroken segment of train, its latest
    `max_rows`; the order is the one of the lowest corrected Akaike criterion. `predict` runs the Kalman
    filter on over every row up to the window with these parameters: nothing is estimated there. Where
    fewer rows are known than are differenced away, the last value stays.

    Raises:
        UnsuitedError: orders that difference differently, which the criterion cannot compare.
    """

    season: int
    orders: tuple[str, ...]
    log: bool
    max_rows: int
    chosen: tuple[str, ...] = ()  # per series
    logged: tuple[bool, ...] = ()  # per series
    units: list[np.ndarray] = field(default_factory=list)  # per series (2,): level and spread, taken out before
    fitted: list[np.ndarray] = field(default_factory=list)  # per series: its parameters
    parameters: int = 0

    def __post_init__(self) -> None:
        seasonal = 2 <= self.season <= LONGEST_SEASON
        self.orders = tuple(dict.fromkeys(o if seasonal else f"{o[:3]}-000" for o in self.orders))
        if len({(o[1], o[5]) for o in self.orders}) > 1:
            raise UnsuitedError("sarima compares only orders of the same d and D; set model.orders")

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Learn; the order is chosen on train, and kept where `val` is None."""
        found = []
        for series, (start, stop) in enumerate(seen_rows.longest_segments(train, self.max_rows)):
            known = seen_rows.values(train)[start:stop]
            logged = self.log and bool(known.min() > 0) if val is not None else self.logged[series]
            orders = self.orders if val is not None else (self.chosen[series],)
            units = _units(_transform(known, logged))
            with quietly():
                fits = [_estimate(_inside(_transform(known, logged), units), order, self.season) for order in orders]
            _, order, parameters = min(fits, key=lambda f: f[0])
            found.append((order, logged, units, parameters))
        self.chosen, self.logged = tuple(f[0] for f in found), tuple(f[1] for f in found)
        self.units, self.fitted = [f[2] for f in found], [f[3] for f in found]
        self.parameters = sum(map(len, self.fitted))

    def predict(self, samples: Windows) -> Points:
        """(n, horizon)."""
        return Points(seen_rows.by_segment(samples, self._say))

    def _say(self, samples: Windows, series: int, first: int) -> np.ndarray:
        last, logged, order = samples.origins() - 1, self.logged[series], self.chosen[series]
        units = self.units[series]
        seen = _inside(_transform(seen_rows.values(samples)[first : last.max() + 1], logged), units)
        model = _model(seen, order, self.season, simple_differencing=False)
        model.ssm.set_conserve_memory(_only_states())
        with quietly():
            states = model.filter(self.fitted[series]).filter_results.predicted_state  # (k, rows + 1)
        drift = model.ssm["state_intercept"].reshape(len(states), -1)[:, 0]
        state = states[:, last - first + 1].T  # (n, k): what is known of the next row after each window
        answers = []
        for _ in range(seen_rows.steps(samples)[-1]):
            answers.append(state @ model.ssm["design"][0])
            state = state @ model.ssm["transition"].T + drift
        said = np.stack(answers, axis=1)[:, seen_rows.steps(samples) - 1] * units[1] + units[0]  # (n, horizon)
        enough = last - first + 1 >= int(order[1]) + int(order[5]) * self.season  # (n,)
        return np.where(enough[:, None], np.exp(said) if logged else said, seen_rows.values(samples)[last][:, None])


def _transform(values: np.ndarray, logged: bool) -> np.ndarray:
    """Logarithms; a value that has none counts as not seen."""
    return np.log(np.where(values > 0, values, np.nan)) if logged else values


def _units(values: np.ndarray) -> np.ndarray:
    """Level and spread, (2,): what the optimizer and the filter find must not depend on where the numbers lie."""
    return np.array([values.mean(), values.std() if np.ptp(values) > 0 else 1.0])


def _inside(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    return (values - units[0]) / units[1]


def _model(values: np.ndarray, order: str, season: int, simple_differencing: bool) -> Any:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    p, d, q = map(int, order[:3])
    seasonal_order = (*map(int, order[4:]), season) if order[4:] != "000" else (0, 0, 0, 0)
    return SARIMAX(
        values,
        order=(p, d, q),
        seasonal_order=seasonal_order,
        trend="c" if d == 0 else "n",
        simple_differencing=simple_differencing,
        concentrate_scale=True,
    )


def _estimate(known: np.ndarray, order: str, season: int) -> tuple[float, str, np.ndarray]:
    """Corrected Akaike criterion, order and parameters."""
    if len(known) < 12 + 2 * season * (order[4:] != "000"):  # too few for any estimate: the last value stays
        return np.inf, "011-000", np.zeros(1)
    # Differenced beforehand: the same likelihood, and a state of half the size.
    model = _model(known, order, season, simple_differencing=True)
    try:
        result = model.fit(disp=0)
    except np.linalg.LinAlgError:  # differences without any variation leave nothing to estimate
        return np.inf, order, np.zeros(len(model.param_names))
    return float(np.nan_to_num(result.aicc, nan=np.inf)), order, np.asarray(result.params)


def _only_states() -> int:
    """What the filter need not keep for each row: a covariance a row is gigabytes on a long series."""
    from statsmodels.tsa.statespace import kalman_filter as kept

    return (
        kept.MEMORY_NO_PREDICTED_COV
        | kept.MEMORY_NO_FILTERED
        | kept.MEMORY_NO_GAIN
        | kept.MEMORY_NO_SMOOTHING
        | kept.MEMORY_NO_STD_FORECAST
        | kept.MEMORY_NO_LIKELIHOOD
    )


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("sarima", SarimaSettings, problems=("forecast",), reads_all=True)
def _sarima(data: Data, **numbers: Any) -> Sarima:
    return Sarima(data.season, **numbers)

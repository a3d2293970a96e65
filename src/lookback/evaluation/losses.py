"""The loss of each target: pure functions of arrays, in the units of the file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

LEAST_PROBABILITY = 1e-15  # a class that was called impossible and came costs 34.5 nats, not infinitely many


@dataclass(frozen=True)
class Scale:
    """MAE and MSE of the seasonal naive forecast before the test part: the divisors of MASE and RMSSE.

    A number each; (k,) for k series; or (n, 1), one for each row of the targets.
    """

    mae: float | np.ndarray
    mse: float | np.ndarray

    def per_row(self, series: np.ndarray) -> "Scale":
        """From one per series to one per row of the targets: `series` (n,) says which each belongs to."""
        return Scale(np.asarray(self.mae)[series][:, None], np.asarray(self.mse)[series][:, None])  # (n, 1)


def naive_scale(series: list[np.ndarray], season: int) -> Scale:
    """Scale of each series, (k,), from its rows before the test part, (rows,) each.

    nan for a series that is no longer than its season.
    """
    steps = [values[season:] - values[:-season] for values in series]
    mae, mse = ([change(s).mean() if len(s) else np.nan for s in steps] for change in (np.abs, np.square))
    return Scale(np.array(mae), np.array(mse))


Loss = Callable[[np.ndarray, Any, Scale], np.ndarray]


# --- the loss of each target ---------------------------------------------------------------------


def error(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Forecast - truth in 64 bits: (n, horizon).

    Raises:
        ValueError: the shapes differ; broadcasting would compare every forecast with every truth.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"forecasts are {prediction.shape}, the truth is {truth.shape}")
    return np.subtract(prediction, truth, dtype=np.float64)


def over(top: np.ndarray, bottom: float | np.ndarray) -> np.ndarray:
    """A ratio, nan where the divisor is 0."""
    return top / np.where(bottom == 0, np.nan, bottom)


def absolute(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """|error|."""
    return np.abs(error(truth, prediction))


def squared(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """error²."""
    return np.square(error(truth, prediction))


def scaled_absolute(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """|error| over the scale of its series."""
    return over(absolute(truth, prediction, scale), scale.mae)


def scaled_squared(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """error² over the squared scale of its series."""
    return over(squared(truth, prediction, scale), scale.mse)


def percentage(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """100 |error| / |truth|."""
    return 100 * over(absolute(truth, prediction, scale), np.abs(truth))


def symmetric_percentage(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """200 |error| / (|truth| + |forecast|); 0 where both are 0, as nothing was missed."""
    size = np.add(np.abs(truth), np.abs(prediction), dtype=np.float64)
    return 200 * absolute(truth, prediction, scale) / np.where(size == 0, 1, size)


def on_values(loss: Callable[[np.ndarray, np.ndarray, Scale], np.ndarray]) -> Loss:
    """A loss of numbers as one of `Points`."""
    return lambda truth, prediction, scale: loss(truth, prediction.values, scale)


def wrong(truth: np.ndarray, prediction: Any, scale: Scale) -> np.ndarray:
    """1 where the likeliest guess is not the truth, else 0: (n,)."""
    return (prediction.guess != truth).astype(np.float64)


def token_nats(truth: np.ndarray, prediction: Any, scale: Scale) -> np.ndarray:
    """Negative log-likelihood of each token: (n,)."""
    return prediction.nats


def class_nats(truth: np.ndarray, prediction: Any, scale: Scale) -> np.ndarray:
    """-ln p(truth) of each target, p clipped at 1e-15 from below: (n,)."""
    likelihood = prediction.probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return -np.log(np.maximum(likelihood, LEAST_PROBABILITY))


def token_bits(truth: np.ndarray, prediction: Any, scale: Scale) -> np.ndarray:
    """The same in bits: nats / ln 2."""
    return prediction.nats / np.log(2)

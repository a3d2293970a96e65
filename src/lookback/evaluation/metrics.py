"""Scores: pure functions of arrays, in the units of the file. Sums are divided once.

Forecasts: `truth` and `prediction` are (n, horizon). Language: `truth` is (n,) tokens and
`prediction` holds `nats` and `guess`, (n,) each.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Score = Callable[[np.ndarray, Any, float], float]


def mae(truth: np.ndarray, prediction: np.ndarray, scale: float) -> float:
    """Mean absolute error."""
    return float(np.abs(prediction - truth).mean())


def rmse(truth: np.ndarray, prediction: np.ndarray, scale: float) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.square(prediction - truth).mean()))


def bias(truth: np.ndarray, prediction: np.ndarray, scale: float) -> float:
    """Mean of forecast - truth: above 0, it forecasts too high."""
    return float((prediction - truth).mean())


def mase(truth: np.ndarray, prediction: np.ndarray, scale: float) -> float:
    """MAE over the MAE of the seasonal naive forecast before the test part.

    Hyndman & Koehler, Int. J. Forecasting 22 (2006) 679.
    """
    return mae(truth, prediction, scale) / scale


def mase_scale(before_test: np.ndarray, season: int) -> float:
    """MAE of the seasonal naive forecast inside the rows before test: (rows,) -> the divisor of MASE."""
    return float(np.abs(before_test[season:] - before_test[:-season]).mean())


def nats(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: float) -> float:
    """Mean negative log-likelihood of a token, natural logarithm."""
    return float(prediction["nats"].mean())


def bits(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: float) -> float:
    """The same in bits: nats / ln 2."""
    return nats(truth, prediction, scale) / float(np.log(2))


def perplexity(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: float) -> float:
    """exp(nats): between how many equally likely tokens the model still hesitates."""
    return float(np.exp(nats(truth, prediction, scale)))


def accuracy(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: float) -> float:
    """Share of tokens that were the likeliest guess."""
    return float((prediction["guess"] == truth).mean())


METRICS: dict[str, Score] = {
    "mae": mae,
    "rmse": rmse,
    "bias": bias,
    "mase": mase,
    "nats": nats,
    "bits": bits,
    "perplexity": perplexity,
    "accuracy": accuracy,
}


def scores(names: tuple[str, ...], truth: np.ndarray, prediction: Any, scale: float) -> dict[str, float]:
    """Every named metric of one split."""
    return {name: METRICS[name](truth, prediction, scale) for name in names}

"""Scores: pure functions of arrays, in the units of the file. Sums are divided once.

Forecasts: `truth` and `prediction` are (n, horizon). Classes: `truth` is (n,) codes and `prediction`
holds `probabilities` (n, classes). Language: `truth` is (n,) tokens and `prediction` holds `nats`
and `guess`, (n,) each. A ratio whose divisor is 0 is nan, and so is a mean that holds one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

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


Score = Callable[[np.ndarray, Any, Scale], float]
Loss = Callable[[np.ndarray, Any, Scale], np.ndarray]


# --- the loss of each target, whose mean (or its root) is a score --------------------------------


def error(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Forecast - truth in 64 bits: (n, horizon).

    Raises:
        ValueError: the shapes differ; broadcasting would compare every forecast with every truth.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"forecasts are {prediction.shape}, the truth is {truth.shape}")
    return np.subtract(prediction, truth, dtype=np.float64)


def _over(top: np.ndarray, bottom: float | np.ndarray) -> np.ndarray:
    return top / np.where(bottom == 0, np.nan, bottom)


def absolute(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """|error|."""
    return np.abs(error(truth, prediction))


def squared(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """error²."""
    return np.square(error(truth, prediction))


def scaled_absolute(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """|error| over the scale of its series."""
    return _over(absolute(truth, prediction, scale), scale.mae)


def scaled_squared(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """error² over the squared scale of its series."""
    return _over(squared(truth, prediction, scale), scale.mse)


def percentage(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """100 |error| / |truth|."""
    return 100 * _over(absolute(truth, prediction, scale), np.abs(truth))


def symmetric_percentage(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> np.ndarray:
    """200 |error| / (|truth| + |forecast|); 0 where both are 0, as nothing was missed."""
    size = np.add(np.abs(truth), np.abs(prediction), dtype=np.float64)
    return 200 * absolute(truth, prediction, scale) / np.where(size == 0, 1, size)


def token_nats(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> np.ndarray:
    """Negative log-likelihood of each token: (n,)."""
    return prediction["nats"]


def class_nats(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> np.ndarray:
    """-ln p(truth) of each target, p clipped at 1e-15 from below: (n,)."""
    said = prediction["probabilities"][np.arange(len(truth)), truth].astype(np.float64)
    return -np.log(np.maximum(said, LEAST_PROBABILITY))


# --- forecasts ----------------------------------------------------------------------------------


def mae(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """Mean absolute error."""
    return float(absolute(truth, prediction, scale).mean())


def rmse(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(squared(truth, prediction, scale).mean()))


def bias(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """Mean of forecast - truth: above 0, it forecasts too high."""
    return float(error(truth, prediction).mean())


def mase(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """MAE over the MAE of the seasonal naive forecast before the test part.

    Hyndman & Koehler, Int. J. Forecasting 22 (2006) 679. Several series: each error over the scale
    of its own series, then one mean over all.
    """
    return float(scaled_absolute(truth, prediction, scale).mean())


def rmsse(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """Root of the MSE over the MSE of the seasonal naive forecast before the test part.

    Scaled errors: Hyndman & Koehler, Int. J. Forecasting 22 (2006) 679. The MSE as divisor: the M5
    competition, Makridakis et al., Int. J. Forecasting 38 (2022) 1346, which takes season = 1.
    Several series: the root of one mean over all, where M5 takes a mean of one root per series.
    """
    return float(np.sqrt(scaled_squared(truth, prediction, scale).mean()))


def mape(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """Mean absolute percentage error, in %; nan where any truth is 0."""
    return float(percentage(truth, prediction, scale).mean())


def smape(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """Symmetric MAPE, 0 to 200 %: the mean of 200 |error| / (|truth| + |forecast|).

    As in the M4 competition: Makridakis et al., Int. J. Forecasting 36 (2020) 54.
    """
    return float(symmetric_percentage(truth, prediction, scale).mean())


# --- tokens and classes -------------------------------------------------------------------------


def nats(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """Mean negative log-likelihood of a token, natural logarithm."""
    return float(token_nats(truth, prediction, scale).mean())


def bits(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """The same in bits: nats / ln 2."""
    return nats(truth, prediction, scale) / float(np.log(2))


def perplexity(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """exp(nats): between how many equally likely tokens the model still hesitates."""
    return float(np.exp(nats(truth, prediction, scale)))


def log_loss(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """Mean of -ln p(truth) in nats. Probabilities below 1e-15 count as 1e-15."""
    return float(class_nats(truth, prediction, scale).mean())


def guesses(prediction: dict[str, np.ndarray]) -> np.ndarray:
    """The likeliest code: (n,). `guess` where the model says it, else the first of the largest probabilities."""
    return prediction["guess"] if "guess" in prediction else prediction["probabilities"].argmax(axis=1)


def accuracy(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """Share of targets that were the likeliest guess."""
    return float((guesses(prediction) == truth).mean())


def macro_f1(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """Mean over the classes of F1 = 2 right / (true + guessed), each class with the same weight.

    Over the classes that occur in the truth or among the guesses: one that does neither has no F1.
    """
    guess = guesses(prediction)
    classes = int(max(truth.max(), guess.max())) + 1
    true, guessed, right = (np.bincount(c, minlength=classes) for c in (truth, guess, truth[guess == truth]))
    return float((2 * right / np.maximum(true + guessed, 1))[true + guessed > 0].mean())


METRICS: dict[str, Score] = {
    "mae": mae,
    "rmse": rmse,
    "bias": bias,
    "mase": mase,
    "rmsse": rmsse,
    "mape": mape,
    "smape": smape,
    "nats": nats,
    "bits": bits,
    "perplexity": perplexity,
    "log_loss": log_loss,
    "accuracy": accuracy,
    "macro_f1": macro_f1,
}

# What each target adds to a score that is a loss. Perplexities are compared by their nats.
LOSSES: dict[str, Loss] = {
    "mae": absolute,
    "rmse": squared,
    "mase": scaled_absolute,
    "rmsse": scaled_squared,
    "mape": percentage,
    "smape": symmetric_percentage,
    "nats": token_nats,
    "bits": lambda truth, prediction, scale: token_nats(truth, prediction, scale) / np.log(2),
    "perplexity": token_nats,
    "log_loss": class_nats,
}


def scores(names: tuple[str, ...], truth: np.ndarray, prediction: Any, scale: Scale) -> dict[str, float]:
    """Every named metric of one split."""
    return {name: METRICS[name](truth, prediction, scale) for name in names}


def by_step(names: tuple[str, ...], truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> pd.DataFrame:
    """Every named metric of each step of the horizon: step (1 is the first) and a column per metric."""
    steps = range(truth.shape[1])
    found = [scores(names, truth[:, [s]], prediction[:, [s]], scale) for s in steps]
    return pd.DataFrame([{"step": s + 1, **line} for s, line in zip(steps, found, strict=True)])


# --- intervals: lower and upper are (n, horizon), nan where none is given -------------------------


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


def interval_scores(truth: np.ndarray, lower: np.ndarray, upper: np.ndarray, level: float) -> dict[str, float]:
    """Coverage, width and pinball of the intervals, and `share`: the share of targets that have one."""
    return {
        "coverage": coverage(truth, lower, upper),
        "width": width(lower, upper),
        "pinball": pinball(truth, lower, upper, level),
        "share": _mean(np.isfinite(lower + upper)),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")

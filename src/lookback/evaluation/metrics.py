"""Scores: pure functions of arrays, in the units of the file. Sums are divided once.

Forecasts: `truth` and `prediction` are (n, horizon), ratings (n, 1). Classes: `truth` is (n,) codes and
`prediction` holds `probabilities` (n, classes). Language: `truth` is (n,) tokens and `prediction` holds
`nats`, `guess` and, for bits per character, `characters`: how many each token stands for, (n,) each.
A ratio whose divisor is 0 is nan, and so is a mean that holds one, or that is over nothing.
"""

from collections.abc import Callable, Mapping, Sequence
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


def wrong(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> np.ndarray:
    """1 where the likeliest guess is not the truth, else 0: (n,)."""
    return (guesses(prediction) != truth).astype(np.float64)


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


# --- ratings ------------------------------------------------------------------------------------


def mse(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """Mean squared error."""
    return float(squared(truth, prediction, scale).mean())


def r2(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """1 - MSE / variance of the truth: 0 is as good as the mean of the truth; nan where the truth never changes.

    The coefficient of determination: Wright, J. Agric. Res. 20 (1921) 557.
    """
    spread = float(np.var(truth, dtype=np.float64))
    return 1 - mse(truth, prediction, scale) / spread if spread else float("nan")


def mse_rounded(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """MSE of the nearest whole numbers; halves go to the even one."""
    return mse(truth, np.rint(prediction), scale)


def r2_rounded(truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> float:
    """R² of the nearest whole numbers; halves go to the even one."""
    return r2(truth, np.rint(prediction), scale)


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


def bits_per_character(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """All bits over all characters that the tokens stand for: what models of characters and of words share."""
    whole, characters = token_nats(truth, prediction, scale).sum(dtype=np.float64), int(prediction["characters"].sum())
    return float(whole / np.log(2) / characters) if characters else float("nan")


def unknown(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """Share of the targets that are token 0, out of the vocabulary: whoever says it often is seldom surprised."""
    return float((truth == 0).mean())


def log_loss(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """Mean of -ln p(truth) in nats. Probabilities below 1e-15 count as 1e-15."""
    return float(class_nats(truth, prediction, scale).mean())


def guesses(prediction: dict[str, np.ndarray]) -> np.ndarray:
    """The likeliest code: (n,). `guess` where the model says it, else the first of the largest probabilities."""
    return prediction["guess"] if "guess" in prediction else prediction["probabilities"].argmax(axis=1)


def accuracy(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """Share of targets that were the likeliest guess."""
    return float((guesses(prediction) == truth).mean())


def error_rate(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """Share of targets that were not the likeliest guess: 1 - accuracy."""
    return float(wrong(truth, prediction, scale).mean())


def macro_f1(truth: np.ndarray, prediction: dict[str, np.ndarray], scale: Scale) -> float:
    """Mean over the classes of F1 = 2 right / (true + guessed), each class with the same weight.

    Over the classes that occur in the truth or among the guesses: one that does neither has no F1.
    """
    guess = guesses(prediction)
    true, guessed, right = _tallies(truth, guess, int(max(truth.max(), guess.max())) + 1)
    return float((2 * right / np.maximum(true + guessed, 1))[true + guessed > 0].mean())


def by_class(truth: np.ndarray, guess: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Scores of each class by itself.

    Args:
        truth, guess: (n,) codes.
        classes: code -> name.

    Returns:
        class, precision (share of its guesses that are right), recall (share of its targets that are found),
        f1 (2 right / (true + guessed)) and count (its targets); nan where there is nothing to divide by.
    """
    true, guessed, right = _tallies(truth, guess, len(classes))
    shares = {"precision": _over(right, guessed), "recall": _over(right, true), "f1": _over(2 * right, true + guessed)}
    return pd.DataFrame({"class": list(classes), **shares, "count": true})


def _tallies(truth: np.ndarray, guess: np.ndarray, classes: int) -> list[np.ndarray]:
    """How often each class is true, is guessed, and is both: (classes,) each."""
    return [np.bincount(codes, minlength=classes) for codes in (truth, guess, truth[guess == truth])]


METRICS: dict[str, Score] = {
    "mae": mae,
    "rmse": rmse,
    "bias": bias,
    "mase": mase,
    "rmsse": rmsse,
    "mape": mape,
    "smape": smape,
    "mse": mse,
    "r2": r2,
    "mse_rounded": mse_rounded,
    "r2_rounded": r2_rounded,
    "nats": nats,
    "bits": bits,
    "perplexity": perplexity,
    "bits_per_character": bits_per_character,
    "unknown": unknown,
    "log_loss": log_loss,
    "accuracy": accuracy,
    "error_rate": error_rate,
    "macro_f1": macro_f1,
}

# Scores of some of the targets: the metric, the flag that tells which, and what it says of them.
PARTS: dict[str, tuple[Score, str, bool]] = {
    "accuracy_new": (accuracy, "new", True),
    "mse_new": (mse, "new", True),
    "accuracy_known": (accuracy, "known", True),
    "accuracy_unknown": (accuracy, "known", False),
}

# What each target adds to a score that is a loss. Perplexities are compared by their nats.
LOSSES: dict[str, Loss] = {
    "mae": absolute,
    "rmse": squared,
    "mse": squared,
    "mase": scaled_absolute,
    "rmsse": scaled_squared,
    "mape": percentage,
    "smape": symmetric_percentage,
    "nats": token_nats,
    "bits": lambda truth, prediction, scale: token_nats(truth, prediction, scale) / np.log(2),
    "perplexity": token_nats,
    "log_loss": class_nats,
    "error_rate": wrong,
}


def scores(
    names: tuple[str, ...],
    truth: np.ndarray,
    prediction: Any,
    scale: Scale,
    flags: Mapping[str, np.ndarray] | None = None,
) -> dict[str, float]:
    """Every named metric of one split.

    Args:
        flags: (n,) bool each, for `PARTS`: "new", whether train does not hold the text word for word; "known",
            whether train holds the word.
    """
    return {name: _score(name, truth, prediction, scale, flags or {}) for name in names}


def _score(name: str, truth: np.ndarray, prediction: Any, scale: Scale, flags: Mapping[str, np.ndarray]) -> float:
    if name not in PARTS:
        return METRICS[name](truth, prediction, scale)
    metric, flag, wanted = PARTS[name]
    own = flags[flag] == wanted
    said = {k: v[own] for k, v in prediction.items()} if isinstance(prediction, dict) else prediction[own]
    return metric(truth[own], said, scale) if own.any() else float("nan")


def by_step(names: tuple[str, ...], truth: np.ndarray, prediction: np.ndarray, scale: Scale) -> pd.DataFrame:
    """Every named metric of each step of the horizon: step (1 is the first) and a column per metric."""
    steps = range(truth.shape[1])
    found = [scores(names, truth[:, [s]], prediction[:, [s]], scale) for s in steps]
    return pd.DataFrame([{"step": s + 1, **line} for s, line in zip(steps, found, strict=True)])

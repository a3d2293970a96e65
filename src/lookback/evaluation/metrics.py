"""Scores: one entry of `METRICS` each; pure functions of arrays, in the units of the file. Sums are divided once.

Forecasts: `truth` and `Points.values` are (n, horizon), ratings (n, 1). Classes: `truth` is (n,) codes. Language:
`truth` is (n,) tokens. A ratio whose divisor is 0 is nan, and so is a mean that holds one, or that is over nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lookback.errors import ConfigError
from lookback.evaluation import intervals
from lookback.evaluation.losses import (
    Loss,
    Scale,
    absolute,
    class_nats,
    error,
    naive_scale,
    on_values,
    over,
    percentage,
    scaled_absolute,
    scaled_squared,
    squared,
    symmetric_percentage,
    token_bits,
    token_nats,
    wrong,
)  # fmt: skip
from lookback.evaluation.predictions import Points, Prediction

__all__ = [
    "METRICS",
    "REDUCTIONS",
    "Metric",
    "Scale",
    "by_class",
    "by_step",
    "losses",
    "metric",
    "naive_scale",
    "names",
    "scores",
]

# --- scores that are no mean of losses -----------------------------------------------------------


def bias(truth: np.ndarray, prediction: Any, scale: Scale) -> float:
    """Mean of forecast - truth: above 0, it forecasts too high."""
    return float(error(truth, prediction.values).mean())


def r2(truth: np.ndarray, prediction: Any, scale: Scale) -> float:
    """1 - MSE / variance of the truth: 0 is as good as the mean of the truth; nan where the truth never changes.

    The coefficient of determination: Wright, J. Agric. Res. 20 (1921) 557.
    """
    spread = float(np.var(truth, dtype=np.float64))
    return 1 - float(squared(truth, prediction.values, scale).mean()) / spread if spread else float("nan")


def rounded(score: Callable[[np.ndarray, Any, Scale], float]) -> Callable[[np.ndarray, Any, Scale], float]:
    """A score of the nearest whole numbers; halves go to the even one."""
    return lambda truth, prediction, scale: score(truth, Points(np.rint(prediction.values)), scale)


def bits_per_character(truth: np.ndarray, prediction: Any, scale: Scale) -> float:
    """All bits over all characters that the tokens stand for: what models of characters and of words share."""
    whole, characters = prediction.nats.sum(dtype=np.float64), int(prediction.characters.sum())
    return float(whole / np.log(2) / characters) if characters else float("nan")


def unknown(truth: np.ndarray, prediction: Any, scale: Scale) -> float:
    """Share of the targets that are token 0, out of the vocabulary: a model that often predicts it has a low loss."""
    return float((truth == 0).mean())


def accuracy(truth: np.ndarray, prediction: Any, scale: Scale) -> float:
    """Share of targets that were the likeliest guess."""
    return float((prediction.guess == truth).mean())


def macro_f1(truth: np.ndarray, prediction: Any, scale: Scale) -> float:
    """Mean over the classes of F1 = 2 right / (true + guessed), each class with the same weight.

    Over the classes that occur in the truth or among the guesses: one that does neither has no F1.
    """
    guess = prediction.guess
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
    shares = {"precision": over(right, guessed), "recall": over(right, true), "f1": over(2 * right, true + guessed)}
    return pd.DataFrame({"class": list(classes), **shares, "count": true})


def _tallies(truth: np.ndarray, guess: np.ndarray, classes: int) -> list[np.ndarray]:
    """How often each class is true, is guessed, and is both: (classes,) each."""
    return [np.bincount(codes, minlength=classes) for codes in (truth, guess, truth[guess == truth])]


# --- the entries ---------------------------------------------------------------------------------

REDUCTIONS: dict[str, Callable[[Any], Any]] = {"mean": float, "root": np.sqrt, "exp": np.exp}


@dataclass(frozen=True)
class Metric:
    """A score: the mean of a loss, something made of that mean, or a function of all targets.

    Attributes:
        problems: the kinds of problems that it goes with.
        label: in tables.
        loss: of each target; None for a score that is no mean of losses.
        reduction: what makes the score of the mean loss: "root" makes RMSE of MSE, "exp" perplexity of nats.
        score: (truth, prediction, scale) -> score, where there is no loss.
        decides: whether it may be the first metric of a task: lower is better, and it rests on a loss.
        loss_noun: what its losses are called in a sentence, in the plural; "" for "the losses".
        flag: of some of the targets only: the name of their flag, and what it says of them.
    """

    name: str
    problems: tuple[str, ...]
    label: str
    loss: Loss | None = None
    reduction: str = "mean"
    score: Callable[[np.ndarray, Any, Scale], float] | None = None
    decides: bool = False
    loss_noun: str = ""
    flag: tuple[str, bool] | None = None

    def __call__(
        self, truth: np.ndarray, prediction: Any, scale: Scale, flags: Mapping[str, Any] | None = None
    ) -> float:
        """The score of all targets, or of those that the flag names: nan where there are none."""
        if self.flag is not None:
            name, wanted = self.flag
            own = (flags or {})[name] == wanted
            if not own.any():
                return float("nan")
            truth, prediction = truth[own], prediction[own]
        if self.score is not None:
            return self.score(truth, prediction, scale)
        assert self.loss is not None, "a metric has a loss or a score"
        return float(REDUCTIONS[self.reduction](self.loss(truth, prediction, scale).mean()))


_FORECAST, _RATING, _LANGUAGE, _TAGGING = ("forecast",), ("rating",), ("language",), ("tagging",)
_NUMBERS, _TEXTS = ("forecast", "rating"), ("sentiment", "tagging")
_CLASSES = ("classify", "sentiment", "tagging")

_ABSOLUTE, _SQUARED = on_values(absolute), on_values(squared)
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("mae", _NUMBERS, "MAE", _ABSOLUTE, decides=True),
        Metric("rmse", _NUMBERS, "RMSE", _SQUARED, "root", decides=True, loss_noun="squared errors"),
        Metric("mse", _RATING, "MSE", _SQUARED, decides=True, loss_noun="squared errors"),
        # MAE over the MAE of the seasonal naive forecast before the test part: Hyndman & Koehler, Int. J. Forecasting
        # 22 (2006) 679. Several series: each error over the scale of its own series, then one mean over all.
        Metric("mase", _FORECAST, "MASE", on_values(scaled_absolute), decides=True),
        # Root of the MSE over that of the seasonal naive forecast. The MSE as divisor: the M5 competition, Makridakis
        # et al., Int. J. Forecasting 38 (2022) 1346, which takes season = 1. Several series: the root of one mean over
        # all, where M5 takes a mean of one root per series.
        Metric(
            "rmsse", _FORECAST, "RMSSE", on_values(scaled_squared), "root", decides=True,
            loss_noun="scaled squared errors",
        ),
        Metric("bias", _FORECAST, "bias", score=bias),
        # Symmetric MAPE, 0 to 200 %, as in the M4 competition: Makridakis et al., Int. J. Forecasting 36 (2020) 54.
        Metric("smape", _FORECAST, "sMAPE", on_values(symmetric_percentage)),
        Metric("mape", _FORECAST, "MAPE", on_values(percentage)),  # nan where any truth is 0
        Metric("r2", _RATING, "R²", score=r2),
        Metric("mse_rounded", _RATING, "MSE, rounded", score=rounded(lambda t, p, s: float(_SQUARED(t, p, s).mean()))),
        Metric("r2_rounded", _RATING, "R², rounded", score=rounded(r2)),
        Metric("mse_new", _RATING, "MSE, new", _SQUARED, flag=("new", True)),
        Metric("nats", _LANGUAGE, "nats", token_nats, decides=True),
        Metric("bits", _LANGUAGE, "bits", token_bits, decides=True),
        # exp(nats): between how many equally likely tokens the model still hesitates. Compared by its nats.
        Metric("perplexity", _LANGUAGE, "perplexity", token_nats, "exp", decides=True, loss_noun="nats"),
        Metric("bits_per_character", _LANGUAGE, "bits/character", score=bits_per_character),
        Metric("unknown", _LANGUAGE, "unknown", score=unknown),
        Metric("error_rate", _TEXTS, "error rate", wrong, decides=True),
        Metric("log_loss", _CLASSES, "log loss", class_nats, decides=True),
        Metric("accuracy", (*_CLASSES, "language"), "accuracy", score=accuracy),
        Metric("macro_f1", _CLASSES, "macro F1", score=macro_f1),
        Metric("accuracy_new", ("sentiment",), "accuracy, new", score=accuracy, flag=("new", True)),
        Metric("accuracy_known", _TAGGING, "accuracy, known", score=accuracy, flag=("known", True)),
        Metric("accuracy_unknown", _TAGGING, "accuracy, unknown", score=accuracy, flag=("known", False)),
    )
}  # fmt: skip


def names(problem: str) -> tuple[str, ...]:
    """The metrics that go with a kind of problem."""
    return tuple(name for name, metric in METRICS.items() if problem in metric.problems)


def metric(
    name: str,
    label: str,
    problems: Sequence[str],
    reduction: str = "mean",
    decides: bool = False,
    loss_noun: str = "",
) -> Callable[[Loss], Loss]:
    """Register a metric of one's own: a function (truth, prediction, scale) -> the loss of each target.

    Args:
        name: in settings and in MLflow.
        label: in tables.
        problems: the kinds of problems that it goes with.
        reduction: what makes the score of the mean loss: "mean", or "root", as RMSE of squared errors, or "exp".
        decides: whether it may be the first metric of a task: lower is better.
        loss_noun: what its losses are called in a sentence, in the plural; "" for "the losses".

    Raises:
        ConfigError: there is a metric of this name.
    """

    def kept(loss: Loss) -> Loss:
        if name in METRICS or name in intervals.SCORES:
            raise ConfigError("METRIC-TWICE", f"metric {name}: there is one of this name already; give it another")
        METRICS[name] = Metric(name, tuple(problems), label, loss, reduction, decides=decides, loss_noun=loss_noun)
        return loss

    return kept


def scores(
    wanted: Sequence[str],
    truth: np.ndarray,
    prediction: Prediction,
    scale: Scale,
    flags: Mapping[str, np.ndarray] | None = None,
) -> dict[str, float]:
    """Every named metric of one split.

    Args:
        flags: (n,) bool each: "new", whether train does not hold the text word for word; "known", whether train
            holds the word.
    """
    return {name: METRICS[name](truth, prediction, scale, flags) for name in wanted}


def losses(name: str, truth: np.ndarray, prediction: Prediction, scale: Scale) -> np.ndarray:
    """What each target adds to a metric that decides. Perplexities are compared by their nats, RMSE by squares."""
    loss = METRICS[name].loss
    assert loss is not None, "metrics that decide rest on a loss"
    return loss(truth, prediction, scale)


def by_step(wanted: Sequence[str], truth: np.ndarray, prediction: Points, scale: Scale) -> pd.DataFrame:
    """Every named metric of each step of the horizon: step (1 is the first) and a column per metric."""
    steps = range(truth.shape[1])
    found = [scores(wanted, truth[:, [s]], Points(prediction.values[:, [s]]), scale) for s in steps]
    return pd.DataFrame([{"step": s + 1, **line} for s, line in zip(steps, found, strict=True)])

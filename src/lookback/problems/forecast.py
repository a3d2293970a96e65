"""Forecasts: the next values of a column of a CSV, from a window of rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lookback.data.csv.reader import Series
from lookback.data.dataset import Data, TargetTransform
from lookback.data.samples import Span, Windows
from lookback.data.windows import SplitBounds
from lookback.errors import DataError
from lookback.evaluation import intervals, metrics
from lookback.evaluation.predictions import Points
from lookback.problems import series_windows
from lookback.problems.base import Scored
from lookback.problems.windowed import Windowed
from lookback.settings import Evaluation, ForecastTask
from lookback.wording import when

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookback.models.networks.network import Network
    from lookback.settings.base import Numbers


class Forecast(Windowed):
    """Numbers to come."""

    kind = "forecast"
    settings = ForecastTask
    forecasts = True
    loss_unit = ""

    def load(self, task: ForecastTask, evaluation: Evaluation, root: Path) -> Data:
        """Windows of rows, and the values of the rows after them."""
        return series_windows.load(task, evaluation, root, _check_series)

    def network(self, task: ForecastTask, data: Data, model: "Numbers") -> "Network":
        """Values in and out; the backbone sees scaled, perhaps differenced ones."""
        from lookback.models.networks import heads

        transform = TargetTransform(task.transform == "log", task.difference, task.scale)
        return heads.forecast(data, model, transform, task.loss)

    def score(self, task: Any, evaluation: Evaluation, data: Data, val: Any, test: Any) -> Scored:
        """Scores, those of each step and series, and intervals around the forecasts of test."""
        scored = super().score(task, evaluation, data, val, test)
        level = evaluation.intervals.level
        lower, upper = _intervals(evaluation, data, val.values, test.values)  # (n, horizon) each
        of_test = scored.predictions["split"].to_numpy() == "test"
        for name, ends in (("lower", lower), ("upper", upper)):
            column = np.full(len(of_test), np.nan)
            column[of_test] = ends.ravel()
            scored.predictions[name] = column
        truth, scale = data.test.targets(), self.scale(data.test, data)
        held = {f"test/{name}": value for name, value in intervals.scores(truth, lower, upper, level).items()}
        steps = metrics.by_step(task.metrics, truth, test, scale) if truth.shape[1] > 1 else None
        series = _by_series(task.metrics, data, test, lower, upper, level) if len(data.names) > 1 else None
        return Scored(scored.scores | held, scored.predictions, steps, series)

    def scale(self, samples: Any, data: Data) -> metrics.Scale:
        """The divisors of MASE and RMSSE."""
        return _scale(samples, data)

    def place(self, samples: Any, data: Data) -> dict[str, np.ndarray]:
        """As of any window, and the `step` of the horizon: (n * horizon,) each."""
        outputs = samples.target_rows().shape[1]
        return super().place(samples, data) | {"step": np.tile(np.arange(1, outputs + 1), len(samples))}

    def radii(
        self, evaluation: Any, predictions: pd.DataFrame, names: Sequence[str], test_is_known: bool
    ) -> np.ndarray:
        """Conformal, of each series by itself, from residuals that no model had been fitted on."""
        every = test_is_known or evaluation.name == "backtest"
        known = predictions if every else predictions[predictions["split"] == "val"]
        series = known["series"] if len(names) > 1 else names[0]
        residuals = known.assign(series=series, residual=known["truth"] - known["forecast"])
        level = evaluation.intervals.level
        found = residuals.pivot_table(
            "residual", "series", "step", lambda some: intervals.quantile(some.to_numpy(), level), dropna=False
        )
        return found.reindex(list(names)).to_numpy()  # (series, horizon)

    def answers(self, new: Data, prediction: Any, radii: np.ndarray) -> pd.DataFrame:
        """Forecasts with their intervals."""
        samples: Any = new.test
        own = radii[samples.arrays["series"][samples.starts]]  # (n, horizon)
        ends = {"lower": prediction.values - own, "upper": prediction.values + own}
        return super().answers(new, prediction, radii).assign(**{name: end.ravel() for name, end in ends.items()})

    def future(self, new: Data, answers: pd.DataFrame, title: str) -> "Figure":
        """The last rows of the first series, and its forecasts with their intervals."""
        from lookback.report import plots

        samples: Any = new.test
        own = samples.arrays["series"] == samples.arrays["series"][samples.starts[0]]
        rows = np.flatnonzero(own & ~np.isnan(samples.arrays["target"]))
        past = pd.DataFrame({"time": new.index[rows], "value": samples.arrays["target"][rows]})
        first = answers[answers["series"] == answers["series"].iloc[0]] if "series" in answers else answers
        return plots.future(past, first, title, new.unit)

    def picture(self, task: Any, data: Data, predictions: pd.DataFrame, name: str) -> "Figure":
        """Forecasts over the truth."""
        from lookback.report import plots

        return plots.forecast(predictions, f"{name}: the test part", data.unit)

    def recursive(self, data: Data, predictor: Any, test: Any) -> pd.DataFrame | None:
        """One step ahead, and on and on."""
        return recursive_forecasts(data, predictor, test)


def _check_series(read: Series, task: ForecastTask, bound: SplitBounds, which: str) -> None:
    target, train = read.values[bound.first : bound.stop, 0], read.values[bound.first : bound.val, 0]
    if np.ptp(target) == 0:
        raise DataError(
            "SERIES-CONSTANT", f"{which}column {task.target!r} is {target[0]:g} in every row: nothing to learn"
        )
    if task.transform == "log" and target.min() <= 0:
        row = int(np.argmax(target <= 0))
        raise DataError(
            "SERIES-LOG",
            f"{which}column {task.target!r} is {target[row]:g} on {when(read.times[bound.first + row])}; a logarithm "
            "needs values above 0; set task.transform=none",
        )
    ratios = [m for m in task.metrics if m in ("mape", "smape")]
    if ratios and target.min() <= 0:
        row = int(np.argmax(target <= 0))
        raise DataError(
            "SERIES-RATIO",
            f"{which}column {task.target!r} is {target[row]:g} on {when(read.times[bound.first + row])}; "
            f"{ratios[0]} divides by it and means nothing here; take it out of task.metrics",
        )
    if len(train) <= task.season:
        raise DataError(
            "SERIES-SEASON",
            f"{which}{len(train)} training rows hold no two values a season ({task.season}) apart; set task.season",
        )


# --- scores ----------------------------------------------------------------------------------------


def _scale(samples: Windows, data: Data) -> metrics.Scale:
    """Divisors of MASE and RMSSE: per row of the targets, from the rows of its series before the test part."""
    target, series = samples.arrays["target"], samples.arrays["series"]
    tested = data.folds[0].test
    first = tested.target_rows()[:, 0]  # type: ignore[union-attr]
    before = []
    for i in range(len(data.names)):
        rows = np.flatnonzero(series == i)
        own = first[series[first] == i]
        before.append(target[rows[0] : own.min() if len(own) else rows[-1] + 1])
    return metrics.naive_scale(before, data.season).per_row(series[samples.target_rows()[:, 0]])


def _by_series(
    names: tuple[str, ...], data: Data, test: Points, lower: np.ndarray, upper: np.ndarray, level: float
) -> pd.DataFrame:
    """Test scores of each series."""
    samples: Windows = data.test  # type: ignore[assignment]
    series, scale = samples.arrays["series"][samples.target_rows()[:, 0]], _scale(samples, data)
    lines = []
    for i, name in enumerate(data.names):
        own = series == i
        if own.any():
            divisors = metrics.Scale(scale.mae[own], scale.mse[own])  # type: ignore[index]
            truth = samples.targets()[own]
            held = intervals.scores(truth, lower[own], upper[own], level)
            lines.append({"series": name, **metrics.scores(names, truth, test[own], divisors), **held})
    return pd.DataFrame(lines)


def _intervals(evaluation: Any, data: Data, val: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Conformal intervals, each series by itself, from residuals that the model had not been fitted on.

    Returns:
        lower and upper, (n, horizon) each.
    """
    asked, gap = evaluation.intervals, getattr(evaluation, "gap", 0)
    rolling = evaluation.name == "backtest"
    known: Any = data.val
    samples: Any = data.test
    ends = np.full((2, *test.shape), np.nan)
    own_val, own = (w.arrays["series"][w.starts] for w in (known, samples))
    residuals, truth, rows = known.targets() - val, samples.targets(), samples.target_rows()
    for series in np.unique(own):
        at = own == series
        forecasts = intervals.Forecasts(truth[at], test[at], samples.origins()[at] - gap, rows[at])
        ends[:, at] = intervals.conformal(residuals[own_val == series], forecasts, asked.level, asked.gamma, rolling)
    return ends[0], ends[1]


def recursive_forecasts(data: Data, predictor: Any, test: Points, longest: int = 300) -> pd.DataFrame | None:
    """One-step and recursive forecasts side by side, from the first origin on: time, truth, one_step, recursive.

    A recursive forecast feeds each answer back as the next row. None where that cannot be: past columns
    would be missing, an answer of several steps, or one that leaves rows out, is no next row, and a baseline of the
    user's own may answer the next row only.
    """
    fold: Any = data.folds[0].test
    train: Any = data.train
    next_row = fold.y.offset == fold.x.length and train.y.length == 1
    if not next_row or len(data.columns) - data.ahead > 1:
        return None
    origin = int(fold.origins()[0])
    steps = min(int((fold.arrays["first"][origin:] == fold.arrays["first"][origin]).sum()), longest)
    far = Windows(fold.arrays, fold.starts[:1], fold.x, Span(fold.y.array, fold.y.offset, steps))
    said = pd.Series(test.values[:, 0], index=data.test.target_rows()[:, 0])
    rows = np.arange(origin, origin + steps)
    fed_back = predictor.predict(far).values[0]
    if len(fed_back) != steps:
        return None
    columns = {"truth": fold.arrays[fold.y.array][rows], "one_step": said.reindex(rows).to_numpy()}
    return pd.DataFrame({"time": data.index[rows], **columns, "recursive": fed_back})

"""From what a model said to scores and to the table of its predictions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lookback.data.dataset import Data
from lookback.data.samples import Ragged, Samples, Span, Stream, Windows
from lookback.evaluation import intervals, metrics
from lookback.settings import Backtest, Settings

NO_SCALE = metrics.Scale(1.0, 1.0)


@dataclass(frozen=True)
class Scored:
    """What a trial is judged by.

    Attributes:
        scores: "val/mae", "test/mae", ..., "test/coverage".
        predictions: every target of val and test, what was said of it and its `loss`: what the metric that
            decides averages (or takes the root of the mean of). Of forecasts also the origin (the first row that
            was not seen, and its number in time, `moment`); of texts the `example`, and whether it is `new`; of
            words the `sentence`, and whether the word is `known`.
        by_step: the test scores of each step of the horizon; None where there is one.
        by_series: the test scores of each series; None where there is one.
        by_class: precision, recall and F1 of each class on test; None where there are none.
    """

    scores: dict[str, float]
    predictions: pd.DataFrame
    by_step: pd.DataFrame | None
    by_series: pd.DataFrame | None
    by_class: pd.DataFrame | None


def score(settings: Settings, data: Data, val: Any, test: Any) -> Scored:
    """Score what was said of val and test."""
    parts = {"val": (data.val, val), "test": (data.test, test)}
    forecasts = isinstance(data.test, Windows) and not data.classes
    names = settings.task.metrics
    found: dict[str, float] = {}
    tables = []
    for split, (samples, said) in parts.items():
        truth, scale = _truth(samples, data), _scale(samples, data) if forecasts else NO_SCALE  # type: ignore[arg-type]
        said = said | {"characters": _characters(samples)} if isinstance(samples, Stream) else said
        scored = metrics.scores(names, truth, said, scale, _flags(samples))
        found |= {f"{split}/{name}": value for name, value in scored.items()}
        table = _table(samples, data, said)
        losses = metrics.LOSSES[names[0]](truth, said, scale)
        tables.append(table.assign(split=split, loss=np.asarray(losses).ravel()))
    if not forecasts:
        classes = (
            metrics.by_class(_truth(data.test, data), metrics.guesses(test), data.tokens) if data.classes else None
        )
        return Scored(found, pd.concat(tables), None, None, classes)
    lower, upper = _intervals(settings, data, val, test)
    tables[1] = tables[1].assign(lower=lower.ravel(), upper=upper.ravel())
    truth, scale = data.test.targets(), _scale(data.test, data)  # type: ignore[arg-type]
    held = intervals.scores(truth, lower, upper, settings.evaluation.intervals.level)
    found |= {f"test/{name}": value for name, value in held.items()}
    ends = lower, upper, settings.evaluation.intervals.level
    steps = metrics.by_step(names, truth, test, scale) if truth.shape[1] > 1 else None
    series = _by_series(names, data, test, *ends) if len(data.names) > 1 else None
    return Scored(found, pd.concat(tables), steps, series, None)


def _truth(samples: Samples, data: Data) -> np.ndarray:
    """Classes and tokens are (n,), numbers (n, outputs)."""
    targets = samples.targets()
    if isinstance(samples, Ragged) and not data.classes:
        return targets[:, None]
    return targets[:, 0] if data.classes and isinstance(samples, Windows) else targets


def _characters(samples: Stream) -> np.ndarray:
    """How many characters of the file each target stands for: (n,)."""
    held = samples.arrays.get("characters")
    return np.ones(len(samples), np.int32) if held is None else held[samples.target_rows()]


def _flags(samples: Samples) -> dict[str, np.ndarray]:
    """Whether a text is "new", or a word "known": (n,), a flag for each target."""
    if not isinstance(samples, Ragged):
        return {}
    name = "known" if samples.per_token else "new"
    return {name: samples.arrays[name][samples.target_rows()]} if name in samples.arrays else {}


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
    names: tuple[str, ...], data: Data, said: np.ndarray, lower: np.ndarray, upper: np.ndarray, level: float
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
            lines.append({"series": name, **metrics.scores(names, truth, said[own], divisors), **held})
    return pd.DataFrame(lines)


def _intervals(settings: Settings, data: Data, val: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Conformal intervals, each series by itself, from residuals that the model had not been fitted on.

    Returns:
        lower and upper, (n, horizon) each.
    """
    asked, gap = settings.evaluation.intervals, getattr(settings.evaluation, "gap", 0)
    rolling = isinstance(settings.evaluation, Backtest)
    known, samples = data.val, data.test
    assert isinstance(samples, Windows) and isinstance(known, Windows)
    ends = np.full((2, *test.shape), np.nan)
    own_val, own = (w.arrays["series"][w.starts] for w in (known, samples))
    residuals, truth, rows = known.targets() - val, samples.targets(), samples.target_rows()
    for series in np.unique(own):
        at = own == series
        forecasts = intervals.Forecasts(truth[at], test[at], samples.origins()[at] - gap, rows[at])
        ends[:, at] = intervals.conformal(residuals[own_val == series], forecasts, asked.level, asked.gamma, rolling)
    return ends[0], ends[1]


def _table(samples: Samples, data: Data, said: Any) -> pd.DataFrame:
    """Every target with what was said of it."""
    rows = samples.target_rows()
    if isinstance(samples, Stream):
        tokens = np.array(data.tokens)
        told = {"truth": tokens[samples.targets()], "guess": tokens[said["guess"]], "nats": said["nats"].round(5)}
        return pd.DataFrame({"position": data.labels[rows], **told})
    if isinstance(samples, Ragged):
        return pd.DataFrame(_seen(samples, data) | _told(samples, data, said))
    origins = np.repeat(samples.origins(), rows.shape[1])
    seen = {
        "moment": samples.arrays["moment"][origins],
        "origin": data.labels[origins],
        "time": data.labels[rows.ravel()],
    }
    if len(data.names) > 1:
        seen["series"] = np.array(data.names)[samples.arrays["series"][rows.ravel()]]
    if data.classes:
        classes, chances = np.array(data.tokens), said["probabilities"]
        told = {"truth": classes[samples.targets()[:, 0]], "guess": classes[metrics.guesses(said)]}
        return pd.DataFrame(seen | told | {f"p({name})": chances[:, i] for i, name in enumerate(classes)})
    steps = np.tile(np.arange(1, rows.shape[1] + 1), len(rows))
    return pd.DataFrame(seen | {"step": steps, "truth": samples.targets().ravel(), "forecast": said.ravel()})


def _seen(samples: Ragged, data: Data) -> dict[str, np.ndarray]:
    """Which text, or which word of which sentence, a target belongs to."""
    if not samples.per_token:
        return {"example": data.labels[samples.examples], **_flags(samples)}
    sentences = np.repeat(samples.examples, samples.lengths())
    words = samples.arrays["form"][samples.target_rows()]
    return {"sentence": data.labels[sentences], "word": words, **_flags(samples)}


def _told(samples: Ragged, data: Data, said: Any) -> dict[str, np.ndarray]:
    """The truth of each target and what was said of it; of texts also how likely each class was."""
    if not data.classes:
        return {"truth": samples.targets(), "forecast": said[:, 0]}
    classes = np.array(data.tokens)
    told = {"truth": classes[samples.targets()], "guess": classes[metrics.guesses(said)]}
    if samples.per_token:
        return told
    return told | {f"p({name})": said["probabilities"][:, i] for i, name in enumerate(classes)}


def repeated(data: Data, predictor: Any, test: Any, longest: int = 300) -> pd.DataFrame | None:
    """One-step and repeated prediction side by side, from the first origin on: time, truth, one_step, repeated.

    Repeated prediction feeds each answer back as the next row. None where that cannot be: past columns
    would be missing, and an answer of several steps, or one that leaves rows out, is no next row.
    """
    fold = data.folds[0].test
    if data.classes or not isinstance(fold, Windows) or not isinstance(data.train, Windows):
        return None
    next_row = fold.y.offset == fold.x.length and data.train.y.length == 1
    if not next_row or len(data.columns) - data.ahead > 1:
        return None
    origin = int(fold.origins()[0])
    steps = min(int((fold.arrays["first"][origin:] == fold.arrays["first"][origin]).sum()), longest)
    far = Windows(fold.arrays, fold.starts[:1], fold.x, Span(fold.y.array, fold.y.offset, steps))
    said = pd.Series(test[:, 0], index=data.test.target_rows()[:, 0])
    rows = np.arange(origin, origin + steps)
    columns = {"truth": fold.arrays[fold.y.array][rows], "one_step": said.reindex(rows).to_numpy()}
    return pd.DataFrame({"time": data.labels[rows], **columns, "repeated": predictor.predict(far)[0]})

"""What a reader must know of a task before its scores: how it was measured, and on what."""

from typing import Any

import numpy as np
import pandas as pd
from cli import ROOT

from lookback import tasks
from lookback.config import Backtest, Settings
from lookback.data.contract import Data, Fold, Stream, Windows
from lookback.report.table import TaskFacts

SHOWN = 60  # fold dates that are written out


def of(settings: Settings) -> TaskFacts:
    """All of them."""
    task, data = settings.task, tasks.load(settings.task, settings.evaluation, ROOT)
    return TaskFacts(
        name=task.name,
        kind=task.kind,
        unit=task.unit,
        metrics=task.metrics,
        yardstick=task.yardstick,
        span=getattr(task, "span", 1),
        level=settings.evaluation.intervals.level,
        warm=getattr(settings.evaluation, "warm_start", False),
        protocol=tuple(protocol(settings, data)),
        card=tuple(card(settings, data)),
        notes=data.notes,
    )


def protocol(settings: Settings, data: Data) -> list[str]:
    """How the contestants are measured, in sentences."""
    if isinstance(data.test, Stream):
        return [f"The last {len(data.test):,} characters, read once.", _refit(settings)]
    if not isinstance(settings.evaluation, Backtest):
        return [f"{_targets(data)}, from one origin.", _refit(settings)]
    e = settings.evaluation
    how = f"{e.origins} origins, {e.step} rows apart" + (f", after a gap of {e.gap} rows" if e.gap else "")
    again = "fitted anew at each" if e.refit else "fitted once, before the first"
    warm = "; networks go on from the weights of the origin before (warm start)" if e.warm_start else ""
    return [f"Backtest: {how}; contestants {again}{warm}.", f"{_targets(data)}.", f"Origins: {_origins(data)}."]


def _targets(data: Data) -> str:
    assert isinstance(data.test, Windows)
    rows = data.test.target_rows()
    series = f" in {len(data.names)} series" if len(data.names) > 1 else ""
    first, last = when(data.labels[rows].min()), when(data.labels[rows].max())
    ahead = data.test.y.offset - data.test.x.length + 1
    steps = f" of {rows.shape[1]} steps" if rows.shape[1] > 1 else f", {ahead} rows ahead" if ahead > 1 else ""
    return f"{len(rows):,} forecasts{steps}{series}, {first} to {last}"


def _refit(settings: Settings) -> str:
    if settings.task.refit:
        return "Once val had chosen, every contestant was refitted on train+val."
    return "Contestants are fitted on train only (no refit on train+val)."


def _origins(data: Data) -> str:
    days = [when(data.labels[_origin(fold)]) for fold in data.folds]
    if len(days) == 1 and isinstance(data.test, Windows):
        days = [when(data.labels[row]) for row in np.unique(data.test.origins())]
    return ", ".join(days if len(days) <= SHOWN else [*days[:3], "...", *days[-3:]])


def _origin(fold: Fold) -> int:
    assert isinstance(fold.test, Windows)
    return int(fold.test.origins().min())


def card(settings: Settings, data: Data) -> list[tuple[str, str]]:
    """The facts of the data, label and value."""
    parts = (("train", data.train), ("val", data.val), ("test", data.test))
    lines = [
        ("file", getattr(settings.task, "path", "") or "the language reference"),
        ("rows", f"{len(data.labels):,}"),
    ]
    if isinstance(data.test, Windows):
        lines += [
            ("from", when(data.labels[0])),
            ("to", when(data.labels[-1])),
            ("one row per", settings.task.freq),  # type: ignore[union-attr]
            ("series", str(len(data.names))),
            ("columns of a window", ", ".join(data.columns)),
        ]
    for name, samples in parts:
        rows = samples.target_rows()
        span = f", targets {when(data.labels[rows.min()])} to {when(data.labels[rows.max()])}"
        lines.append((name, f"{len(samples):,} samples{span if isinstance(samples, Windows) else ''}"))
    return [*lines, ("look-back", str(settings.task.lookback)), ("SHA-256", data.digest)]


def folds(data: Data) -> pd.DataFrame:
    """The folds: origin, how many samples each was fitted on and foretold, first and last target."""
    lines = []
    for i, fold in enumerate(data.folds, 1):
        rows = fold.test.target_rows()
        ends = {"first_target": when(data.labels[rows.min()]), "last_target": when(data.labels[rows.max()])}
        origin = when(data.labels[_origin(fold)]) if isinstance(fold.test, Windows) else "–"
        lines.append({"fold": i, "origin": origin, "fitted_on": len(fold.train), "foretold": len(fold.test), **ends})
    return pd.DataFrame(lines)


def when(label: Any) -> str:
    """A row's date, or its number."""
    if not isinstance(label, np.datetime64 | pd.Timestamp):
        return str(label)
    time = pd.Timestamp(label)
    return str(time.date()) if time == time.normalize() else f"{time:%Y-%m-%d %H:%M}"

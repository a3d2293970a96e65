"""What forecasts and the classes of the next row share: windows of the rows of a CSV, from origins in time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookback.data.dataset import Data, Fold
from lookback.problems import example_rows, new_rows
from lookback.problems.base import Line, Problem
from lookback.problems.facts import listed_files, parts, refitted, row_label
from lookback.settings import Evaluation, SeriesTask
from lookback.wording import count, when

SHOWN = 60  # fold dates that are written out
ROLES = ("time", "series", "target", "past_covariates", "future_covariates", "calendar")


class Windowed(Problem):
    """A problem on windows of rows."""

    tested = "origins"
    rolling_origins = True
    fixed_lengths = True

    def stand_in(self, task: Any, known: dict[str, Any]) -> Data:
        """One window."""
        return new_rows.stand_in(task, known)

    def unseen(self, task: Any, known: Data, source: Path | pd.DataFrame, rolling: bool) -> Data:
        """The windows of a file or a frame with the columns of the task."""
        return new_rows.load(task, known, source, rolling)

    def inputs(self, task: Any) -> tuple[str, ...]:
        """Time, series, target and covariates."""
        names = (task.time, task.series, task.target, *task.past_covariates, *task.future_covariates)
        return tuple(name for name in names if name is not None)

    def example(self, task: Any, data: Data) -> pd.DataFrame:
        """The last rows."""
        return example_rows.of(task, data)

    def breaches(self, known: Data, new: Data, reads_all: bool) -> list[str]:
        """Columns that leave the range of the file that the model was fitted on."""
        return new_rows.breaches(known, new, reads_all)

    def place(self, samples: Any, data: Data) -> dict[str, np.ndarray]:
        """`moment`, `origin`, `time` and, of several series, `series`: (n * horizon,) each."""
        rows = samples.target_rows()
        origins = np.repeat(samples.origins(), rows.shape[1])
        seen = {
            "moment": samples.arrays["moment"][origins],
            "origin": data.index[origins],
            "time": data.index[rows.ravel()],
        }
        if len(data.names) > 1:
            seen["series"] = np.array(data.names)[samples.arrays["series"][rows.ravel()]]
        return seen

    def protocol(self, task: SeriesTask, evaluation: Evaluation, data: Data) -> list[str]:
        """How the models are measured, in sentences."""
        e: Any = evaluation
        if e.name == "holdout":
            return [f"{_targets(data)}, from one origin.", refitted(task)]
        how = f"{e.origins} origins, {e.step} rows apart" + (f", after a gap of {e.gap} rows" if e.gap else "")
        again = "fitted anew at each" if e.refit else "fitted once, before the first"
        warm = "; networks go on from the weights of the origin before (warm start)" if e.warm_start else ""
        return [f"Backtest: {how}; models {again}{warm}.", f"{_targets(data)}.", f"Origins: {_origins(data)}."]

    def card(self, task: SeriesTask, data: Data) -> list[Line]:
        """The facts of the data for a report."""
        lines = [
            ("file", listed_files(task)),
            ("rows", f"{len(data.index):,}"),
            ("from", when(data.index[0])),
            ("to", when(data.index[-1])),
            ("one row per", task.freq),
            ("series", str(len(data.names))),
            ("columns of a window", ", ".join(data.columns)),
        ]
        for name, samples in parts(data):
            rows = samples.target_rows()
            span = f"targets {when(data.index[rows.min()])} to {when(data.index[rows.max()])}"
            lines.append((name, f"{len(samples):,} samples, {span}"))
        return [*lines, ("look-back", str(task.lookback)), ("SHA-256", data.digest)]

    def checked(self, task: SeriesTask, data: Data) -> Iterator[Line]:
        """File, rows, roles of columns and what else was found in the file."""
        facts = dict(data.facts)
        yield "file", f"{facts.pop('file')}, {facts.pop('rows read')} rows read"
        yield "rows", f"{facts.pop('rows')}, {facts.pop('first')} .. {facts.pop('last')}, one per {task.freq}"
        for role in ROLES:
            if named := getattr(task, role):
                yield role, named if isinstance(named, str) else ", ".join(named)
        yield from ({"gaps": "none"} | facts).items()
        yield from super().checked(task, data)

    def sized(self, task: SeriesTask, data: Data, samples: Any) -> str:
        """How many windows, and when their targets are."""
        rows = samples.target_rows()
        first, last = row_label(data.index[rows.min()]), row_label(data.index[rows.max()])
        return f"{count(len(samples), 'window')}, targets {first} .. {last}"


def _targets(data: Data) -> str:
    rows = data.test.target_rows()  # (n, outputs)
    series = f" in {len(data.names)} series" if len(data.names) > 1 else ""
    first, last = when(data.index[rows].min()), when(data.index[rows].max())
    ahead = data.test.y.offset - data.test.x.length + 1  # type: ignore[union-attr]
    steps = f" of {rows.shape[1]} steps" if rows.shape[1] > 1 else f", {ahead} rows ahead" if ahead > 1 else ""
    return f"{len(rows):,} forecasts{steps}{series}, {first} to {last}"


def _origins(data: Data) -> str:
    days = [when(data.index[_origin(fold)]) for fold in data.folds]
    if len(days) == 1:
        days = [when(data.index[row]) for row in np.unique(data.test.origins())]  # type: ignore[union-attr]
    return ", ".join(days if len(days) <= SHOWN else [*days[:3], "...", *days[-3:]])


def _origin(fold: Fold) -> int:
    return int(fold.test.origins().min())  # type: ignore[union-attr]

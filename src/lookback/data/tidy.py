"""Rows of a file -> rows in time order, one for each time, series after series."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from lookback.data import grid
from lookback.data.findings import Finding, refusal
from lookback.settings import SeriesTask
from lookback.wording import count, some

_RARE = 0.05  # of the rows: two series share far more times, a year has one such hour
_OR_SERIES = "; or, where several series stand in one file, set task.series to the column that tells them apart"


@dataclass(frozen=True)
class Rows:
    """Rows on their way through the checks.

    Attributes:
        times: (rows,) dates, or step numbers.
        numbers: (rows, columns) float64; nan where nothing was measured.
        classes: (rows,) str, "" where there is none; or None.
        series: (rows,) int32, the number of the row's series.
        record: (rows,) int, which row of the file each was; None: row by row the same.
    """

    times: pd.Index
    numbers: np.ndarray
    classes: np.ndarray | None
    series: np.ndarray
    record: np.ndarray | None

    def __len__(self) -> int:
        return len(self.times)

    def take(self, which: np.ndarray) -> "Rows":
        """These rows: numbers of rows, or a mask."""
        classes = None if self.classes is None else self.classes[which]
        record = np.arange(len(self))[which] if self.record is None else self.record[which]
        return Rows(self.times[which], self.numbers[which], classes, self.series[which], record)

    @cached_property
    def edges(self) -> np.ndarray:
        """First row of each series, and the row after the last."""
        if not self.series.any():
            return np.array([0, len(self)])
        return np.concatenate([[0], np.flatnonzero(np.diff(self.series)) + 1, [len(self)]])

    @property
    def ticks(self) -> np.ndarray:
        """Times as whole numbers: (rows,) int64."""
        return self.times.asi8 if isinstance(self.times, pd.DatetimeIndex) else np.asarray(self.times, np.int64)

    @cached_property
    def apart(self) -> np.ndarray:
        """Ticks from the row before to each row: (rows - 1,) int64."""
        return np.diff(self.ticks)

    @cached_property
    def plain(self) -> bool:
        """Whether there is one series, and each row later than the one before."""
        return len(self.edges) == 2 and bool(self.apart.min(initial=1) > 0)

    @property
    def together(self) -> np.ndarray | bool:
        """Whether each row is of the same series as the one before it: (rows - 1,), or True for one series."""
        return True if len(self.edges) == 2 else np.diff(self.series) == 0

    @property
    def dated(self) -> bool:
        """Whether rows have dates."""
        return isinstance(self.times, pd.DatetimeIndex)


@dataclass
class Told:
    """What is told of a file: its name, the lines of its rows, and what was done to it."""

    path: str
    names: tuple[str, ...]
    lines: Callable[[], np.ndarray]
    notes: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    def where(self, rows: Rows, which: np.ndarray) -> list[tuple[int, str]]:
        """(line, name of the series in front of a message) of these rows."""
        lines = self.lines()[which if rows.record is None else rows.record[which]]
        series = [f"series {self.names[s]!r}: " if len(self.names) > 1 else "" for s in rows.series[which]]
        return list(zip(map(int, lines), series, strict=True))


def in_order(rows: Rows, task: SeriesTask, told: Told) -> Rows:
    """Series after series, each in time order.

    Raises:
        FileFaults: a row stands before an earlier one, and `sort` is off.
    """
    if rows.plain:
        return rows
    if (np.diff(rows.series) < 0).any():
        rows = rows.take(np.argsort(rows.series, kind="stable"))
    back = (rows.apart < 0) & rows.together
    if not back.any():
        return rows
    if not task.sort:
        raise refusal(told.path, _inversions(rows, np.flatnonzero(back) + 1, task, told))
    told.notes.append(f"rows put in time order ({count(int(back.sum()), 'row')} stood after a later one)")
    return rows.take(np.lexsort((rows.ticks, rows.series)))


def _inversions(rows: Rows, which: np.ndarray, task: SeriesTask, told: Told) -> list[Finding]:
    newest_first = " (the newest row comes first)" if len(which) == len(rows) - len(rows.edges) + 1 else ""
    return [
        Finding(
            line,
            "TIME-ORDER",
            f"{series}column {task.time!r}: {when(rows.times[i])} follows {when(rows.times[i - 1])}{newest_first}",
            "set task.sort=true" + _OR_SERIES * (task.series is None),
        )
        for i, (line, series) in zip(which, told.where(rows, which), strict=True)
    ]


def without_duplicates(rows: Rows, task: SeriesTask, told: Told) -> Rows:
    """One row for each time of a series: the first of them, or their mean.

    Raises:
        FileFaults: a time stands twice, and `duplicates` is error.
    """
    if rows.plain:
        return rows
    again = np.concatenate([[False], (rows.apart == 0) & rows.together])
    if not again.any():
        return rows
    twice = rows.times[np.flatnonzero(again)].unique()
    if task.duplicates == "error":
        which = np.flatnonzero(again)
        hint = _hint_of_duplicates(rows, which, task)
        raise refusal(
            told.path,
            [
                Finding(
                    line,
                    "TIME-DUPLICATE",
                    f"{series}column {task.time!r}: {when(rows.times[i])} stands there before",
                    hint,
                )
                for i, (line, series) in zip(which, told.where(rows, which), strict=True)
            ],
        )
    told.notes.append(
        f"{count(len(twice), 'duplicate time')} merged ({task.duplicates}): {some_times(twice, len(twice))}"
    )
    return _means(rows, ~again) if task.duplicates == "mean" else rows.take(~again)


def _hint_of_duplicates(rows: Rows, which: np.ndarray, task: SeriesTask) -> str:
    hint = "set task.duplicates=first or task.duplicates=mean"
    few = len(which) <= _RARE * len(rows)
    if few and rows.dated and grid.parsed(task.freq)[1] in ("s", "min", "h"):
        hint += "; where it is the hour that comes twice as summer time ends: task.duplicates=mean task.gaps=fill"
    return hint + _OR_SERIES * (not few and task.series is None)


def thinned(rows: Rows, task: SeriesTask, told: Told) -> Rows:
    """A finer file at the steps of `freq`: the row on each step, or the mean of the rows from there to the next."""
    if task.resample == "none":
        return rows
    steps = grid.floor(rows.times, task.freq)
    if task.resample == "first":
        kept = rows.take(np.asarray(steps == rows.times))
        how = f"the row on each {task.freq} step"
    else:
        rows = replace(rows, times=steps)
        new = np.concatenate([[True], (rows.apart != 0) | ~np.broadcast_to(rows.together, len(rows) - 1)])
        kept = _means(rows, new)
        sizes = np.diff(np.append(np.flatnonzero(new), len(rows)))
        few = int((sizes < np.median(sizes)).sum())
        how = f"the mean of the rows of each {task.freq} step" + (f", {few:,} of them of fewer rows" if few else "")
    told.notes.append(f"{len(rows):,} rows thinned to {len(kept):,}: {how}")
    if not len(kept):
        what = f"column {task.time!r}: no row stands on a step of {task.freq}"
        raise refusal(
            told.path, [Finding(told.where(rows, np.array([0]))[0][0], "TIME-STEP", what, "set task.resample=mean")]
        )
    return kept


def _means(rows: Rows, first: np.ndarray) -> Rows:
    """Means of the numbers from each `first` row to the next; of everything else, what the first one says."""
    begins = np.flatnonzero(first)
    measured = np.isfinite(rows.numbers)
    with np.errstate(invalid="ignore"):  # nothing measured: nan
        means = np.add.reduceat(np.where(measured, rows.numbers, 0), begins) / np.add.reduceat(
            measured, begins, dtype=int
        )
    return replace(rows.take(begins), numbers=means)


def when(time: object) -> str:
    """A date without its midnight, or the number of a row."""
    if not isinstance(time, pd.Timestamp):
        return f"row {time}"
    return str(time.date() if time == time.normalize() else time)


def some_times(times: pd.Index, total: int) -> str:
    """The first five of `total` times, and how many more."""
    return some([when(t) for t in times[:5]], total)

"""Rows of a file on their way to a `Series`, and how messages name them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from lookback.wording import some


@dataclass(frozen=True)
class RawRows:
    """Rows on their way through the checks.

    Attributes:
        times: (rows,) dates, or step numbers.
        values: (rows, columns) float64, as of `Columns`; nan where a cell is empty.
        first_number: the column of them that is the first of numbers: 1 where the target is a name.
        series: (rows,) int32, the number of the row's series.
        record: (rows,) int, which row of the file each was; None: row by row the same.
    """

    times: pd.Index
    values: np.ndarray
    first_number: int
    series: np.ndarray
    record: np.ndarray | None

    def __len__(self) -> int:
        return len(self.times)

    @property
    def numbers(self) -> np.ndarray:
        """(rows, columns of numbers), a view."""
        return self.values[:, self.first_number :]

    def take(self, which: np.ndarray) -> "RawRows":
        """These rows: numbers of rows, or a mask."""
        record = np.arange(len(self))[which] if self.record is None else self.record[which]
        return RawRows(self.times[which], self.values[which], self.first_number, self.series[which], record)

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
class FileReport:
    """What messages need of a file: its name, the lines of its rows, and what was done to it."""

    path: str
    names: tuple[str, ...]
    lines: Callable[[], np.ndarray]
    notes: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    def where(self, rows: RawRows, which: np.ndarray) -> list[tuple[int, str]]:
        """(line, name of the series in front of a message) of these rows."""
        lines = self.lines()[which if rows.record is None else rows.record[which]]
        series = [f"series {self.names[s]!r}: " if len(self.names) > 1 else "" for s in rows.series[which]]
        return list(zip(map(int, lines), series, strict=True))


def when(time: object) -> str:
    """A date without its midnight, or the number of a row."""
    if not isinstance(time, pd.Timestamp):
        return f"row {time}"
    return str(time.date() if time == time.normalize() else time)


def some_times(times: pd.Index, total: int) -> str:
    """The first five of `total` times, and how many more."""
    return some([when(t) for t in times[:5]], total)

"""Where the windows of each split begin. A window never crosses a seam between two series."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lookback.data.csv import frequency
from lookback.errors import DataError


@dataclass(frozen=True)
class SplitBounds:
    """How one series of rows is bound.

    Attributes:
        first: its first row.
        val, test: first row of val, first row of test.
        stop: the row after its last.
        segments: (start, stop) of the unbroken segments of rows in it, in order.
        embargo: rows before val, and before test, whose targets are not yet known at the first forecast of that part.
    """

    first: int
    val: int
    test: int
    stop: int
    segments: tuple[tuple[int, int], ...]
    embargo: int = 0


def starts(first: int, stop: int, lookback: int, span: int, lead: int = 1, lowest: int = 0) -> np.ndarray:
    """First rows of all windows whose targets lie in rows `first .. stop` and nowhere else.

    Inputs may reach back across `first` down to row `lowest`, so the targets do not depend on the
    look-back, as long as there are `lookback` rows before them.

    Args:
        span: rows from the last of a window to its last target.
        lead: rows from the last of a window to its first target.

    Returns:
        (n,) int32 in time order; empty where nothing fits.
    """
    begin = max(first - lookback - lead + 1, lowest)
    return np.arange(begin, stop - lookback - span + 1, dtype=np.int32)


def within(bound: SplitBounds, first: int, stop: int, lookback: int, span: int, lead: int) -> np.ndarray:
    """The same inside the segments of one series: no window crosses a gap."""
    parts = [
        starts(max(first, begin), min(stop, end), lookback, span, lead, lowest=begin)
        for begin, end in bound.segments
        if end > first and begin < stop
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)


def split_starts(
    bounds: list[SplitBounds], lookback: int, span: int, lead: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Starts of train, val and test, series after series.

    Raises:
        DataError: where a part holds no window.
    """
    edges = [
        [(c.first, c.val - c.embargo) for c in bounds],
        [(c.val, c.test - c.embargo) for c in bounds],
        [(c.test, c.stop) for c in bounds],
    ]
    parts = [
        np.concatenate([within(c, *edge, lookback, span, lead) for c, edge in zip(bounds, part, strict=True)])
        for part in edges
    ]
    if min(map(len, parts)) == 0:
        counts = ", ".join(f"{n} {len(p)}" for n, p in zip(("train", "val", "test"), parts, strict=True))
        rows = bounds[-1].stop
        where = (
            f"{rows} rows split at rows {bounds[0].val} and {bounds[0].test}" if len(bounds) == 1 else f"{rows} rows"
        )
        raise DataError(
            "SPLIT-EMPTY",
            f"{where} give windows: {counts}; a window needs "
            f"lookback {lookback} + horizon {span} = {lookback + span} rows; "
            "set task.lookback, task.horizon or task.split",
        )
    return parts[0], parts[1], parts[2]


def steps_since(times: pd.Index, bounds: list[SplitBounds], begins: list[pd.Index], freq: str) -> np.ndarray:
    """Steps from the time that each series begins at, (1,) each, to its rows: (rows,) int64."""
    parts = []
    for bound, begin in zip(bounds, begins, strict=True):
        for start, stop in bound.segments:
            first, last = frequency.steps(times[[start, stop - 1]], begin, freq)[0]
            unbroken = last - first == stop - 1 - start  # always, but where gaps are joined
            rows = times[start:stop]
            parts.append(np.arange(first, last + 1) if unbroken else frequency.steps(rows, begin, freq)[0])
    return np.concatenate(parts)

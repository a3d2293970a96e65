"""A column of a CSV -> samples of (window of rows, next values)."""

from pathlib import Path

import numpy as np
import pandas as pd

from lookback.config import DateSplit, ForecastTask, RowSplit
from lookback.data import series
from lookback.data.contract import Data, Ends, Span, Windows
from lookback.data.series import Series
from lookback.data.windows import split_starts
from lookback.errors import DataError, LookbackError


def load(task: ForecastTask, root: Path) -> Data:
    """Read, check and split one series.

    Args:
        task: the settings; `task.path` is relative to `root`.

    Raises:
        LookbackError: one line about the file or about a setting that does not fit it.
    """
    read = series.read(root / task.path, task)
    try:
        borders = _borders(read.times, task)
        train, val, test = split_starts(len(read.times), borders, task.lookback, task.horizon)
        _check_values(read, task, borders)
    except LookbackError as e:
        raise type(e)(e.code, f"{task.path}: {str(e).split('] ', 1)[1]}") from None
    arrays = {"rows": read.values, "target": read.values[:, 0]}
    samples = [
        Windows(arrays, s, x=Span("rows", 0, task.lookback), y=Span("target", task.lookback, task.horizon))
        for s in (train, val, test)
    ]
    return Data(
        train=samples[0],
        val=samples[1],
        test=samples[2],
        labels=read.times.to_numpy(),
        outputs=task.horizon,
        unit=task.unit,
        digest=read.digest,
        season=task.season,
        ends=Ends(log=task.transform == "log", difference=task.difference),
        loss=task.loss,
        notes=read.notes,
    )


def _borders(times: pd.DatetimeIndex, task: ForecastTask) -> tuple[int, int]:
    """First row of val and first row of test."""
    split, rows = task.split, len(times)
    if isinstance(split, RowSplit):
        return max(rows - split.test - split.val, 0), max(rows - split.test, 0)
    if isinstance(split, DateSplit):
        zone = times.tz
        first_val, first_test = (int(times.searchsorted(pd.Timestamp(d, tz=zone))) for d in (split.val, split.test))
        return first_val, first_test
    return round(rows * split.train), round(rows * (split.train + split.val))


def _check_values(read: Series, task: ForecastTask, borders: tuple[int, int]) -> None:
    target, train = read.values[:, 0], read.values[: borders[0], 0]
    if np.ptp(train) == 0:
        raise DataError(
            "SERIES-CONSTANT", f"column {task.target!r} is {train[0]:g} in every training row: nothing to learn"
        )
    if task.transform == "log" and target.min() <= 0:
        row = int(np.argmax(target <= 0))
        raise DataError(
            "SERIES-LOG",
            f"column {task.target!r} is {target[row]:g} on {read.times[row].date()}; a logarithm needs values above 0; "
            "set task.transform=none",
        )
    if borders[0] <= task.season:
        raise DataError(
            "SERIES-SEASON",
            f"{borders[0]} training rows hold no two values a season ({task.season}) apart; set task.season",
        )

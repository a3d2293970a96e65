"""A CSV of dated numbers -> a `Series`, or one line that says where it is wrong and how to mend it.

Two readers. pandas reads a clean file fast. Where it stumbles over anything, or its result is not
plainly dates and finite numbers, the slow reader (`faults.py`) goes through the file line by line
and says what is wrong: a wrong file is never half-believed.
"""

import csv
import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lookback.config import CHARACTER, ForecastTask
from lookback.data import faults
from lookback.data.files import read_text
from lookback.errors import DataError

_STEP = {
    "h": pd.DateOffset(hours=1),
    "D": pd.DateOffset(days=1),
    "W": pd.DateOffset(weeks=1),
    "MS": pd.DateOffset(months=1),
    "QS": pd.DateOffset(months=3),
    "YS": pd.DateOffset(years=1),
}
_EMPTY = ("", "NA", "NaN", "nan")


@dataclass(frozen=True)
class Series:
    """Rows in time order.

    Attributes:
        times: (rows,) when.
        values: (rows, 1 + past) float64 in the file's units; the target is column 0.
        digest: SHA-256 of the file's bytes.
        notes: what was done to the rows, in words.
    """

    times: pd.DatetimeIndex
    values: np.ndarray
    digest: str
    notes: tuple[str, ...]


def read(path: Path, task: ForecastTask) -> Series:
    """Read the columns that `task` names.

    Raises:
        MissingFile: no such file.
        DataError: anything else that is wrong with it.
    """
    text, raw = read_text(path, task.encoding)
    if task.skip_footer:
        text = "".join(text.splitlines(keepends=True)[: -task.skip_footer])
    try:
        frame = _parse(text, task)
    except Exception as e:  # whatever pandas could not take, the slow reader explains
        faults.explain(path, text, task)
        raise DataError("CSV-READ", f"{path}: {str(e).splitlines()[0]}") from None
    notes: list[str] = []
    frame = _in_order(path, frame, task, notes)
    frame = _without_gaps(path, frame, task, notes)
    return Series(
        pd.DatetimeIndex(frame.index), frame.to_numpy(np.float64), hashlib.sha256(raw).hexdigest(), tuple(notes)
    )


def _parse(text: str, task: ForecastTask) -> pd.DataFrame:
    """Strict and fast: raises on anything but dates and finite numbers (or empty cells, if allowed)."""
    columns = [task.target, *task.past]
    names = [name.strip() for name in next(csv.reader(io.StringIO(text), delimiter=CHARACTER[task.delimiter]))]
    if len(set(names)) < len(names) or not {task.time, *columns} <= set(names):
        raise ValueError("header")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a row with a field too many is only a warning to pandas
        frame = pd.read_csv(
            io.StringIO(text),
            sep=CHARACTER[task.delimiter],
            decimal=CHARACTER[task.decimal],
            thousands=CHARACTER[task.thousands] or None,
            names=names,
            header=0,
            index_col=False,
            dtype={task.time: str},
            keep_default_na=False,
            skipinitialspace=True,
        )
    if frame.empty or frame.isna().any(axis=None):
        raise ValueError("short row")
    frame.index = pd.to_datetime(frame[task.time].str.strip(), format=task.time_format)
    if frame.index.hasnans:
        raise ValueError("empty time")
    return frame[columns].apply(_numbers, may_be_empty=task.missing == "fill").rename_axis(index=task.time)


def _numbers(column: "pd.Series[float]", may_be_empty: bool) -> "pd.Series[float]":
    if column.dtype == bool:
        raise ValueError("bool")
    if may_be_empty and not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column.where(~column.isin(_EMPTY)))
    numbers = column.astype(np.float64) if pd.api.types.is_numeric_dtype(column) else None
    if numbers is None or np.isinf(numbers).any() or (numbers.isna().any() and not may_be_empty):
        raise ValueError("not finite numbers")
    return numbers


def _in_order(path: Path, frame: pd.DataFrame, task: ForecastTask, notes: list[str]) -> pd.DataFrame:
    times = frame.index
    if not times.is_monotonic_increasing:
        if not task.sort:
            row = int(np.argmax(times[1:] < times[:-1])) + 1
            how = "the newest row comes first" if times.is_monotonic_decreasing else "the rows are not in time order"
            raise DataError(
                "TIME-ORDER",
                f"{path}: {how}: {_day(times[row])} follows {_day(times[row - 1])} (data row {row + 1}, column "
                f"'{task.time}'); set task.sort=true",
            )
        frame = frame.sort_index(kind="stable")
        notes.append("rows put in time order")
    if frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()].unique()
        if task.duplicates == "error":
            raise DataError(
                "TIME-DUPLICATE",
                f"{path}: column '{task.time}': {len(twice)} times stand more than once: {_some(twice)}; "
                "set task.duplicates=first or task.duplicates=mean",
            )
        groups = frame.groupby(level=0)
        frame = groups.mean() if task.duplicates == "mean" else groups.first()
        notes.append(f"{len(twice)} duplicate times merged ({task.duplicates}): {_some(twice)}")
    return frame


def _without_gaps(path: Path, frame: pd.DataFrame, task: ForecastTask, notes: list[str]) -> pd.DataFrame:
    grid = pd.date_range(frame.index[0], frame.index[-1], freq=_STEP[task.freq])
    strangers = frame.index.difference(grid)
    if len(strangers):
        raise DataError(
            "TIME-STEP",
            f"{path}: column '{task.time}': {len(strangers)} times are not on the {task.freq} steps from "
            f"{_day(grid[0])}: {_some(strangers)}; set task.freq",
        )
    missing = grid.difference(pd.DatetimeIndex(frame.index))
    if len(missing) and task.gaps == "error":
        raise DataError(
            "TIME-GAP",
            f"{path}: column '{task.time}': {len(missing)} times are missing: {_some(missing)}; set task.gaps=fill "
            "(the last value carried forward) or task.gaps=join (rows count as consecutive)",
        )
    if len(missing) and task.gaps == "join":
        notes.append(f"{len(missing)} missing times joined over: {_some(missing)}")
    elif len(missing):
        frame = frame.reindex(grid)
        notes.append(f"{len(missing)} missing times filled with the value before: {_some(missing)}")
    empty = int(frame.isna().to_numpy().sum()) - len(missing) * frame.shape[1] * (task.gaps == "fill")
    if empty:
        notes.append(f"{empty} empty cells filled with the value before")
    filled = frame.ffill(limit=task.max_fill)
    if filled.isna().any(axis=None):
        where = filled.index[filled.isna().any(axis=1)]
        raise DataError(
            "FILL-LIMIT",
            f"{path}: {len(where)} rows stay empty after filling at most {task.max_fill} in a run: {_some(where)}; "
            "set task.max_fill, or mend the file",
        )
    return filled


def _some(times: pd.Index) -> str:
    more = f" and {len(times) - 5} more" if len(times) > 5 else ""
    return ", ".join(map(_day, times[:5])) + more


def _day(time: pd.Timestamp) -> str:
    return str(time.date() if time == time.normalize() else time)

"""Rows that a trained model has not seen -> the windows that it answers, from the last row on or from every row."""

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookback.data.csv import reader
from lookback.data.csv.planned import Planned
from lookback.data.csv.reader import Block, Series
from lookback.data.dataset import Data
from lookback.data.windows import SplitBounds, steps_since, within
from lookback.errors import DataError, LookbackError, MissingFile
from lookback.problems.facts import row_label
from lookback.problems.series_windows import RowsTask, WindowSplitter, arrays_of, index_of
from lookback.wording import some

FRAME = "frame"  # what messages call a frame


def stand_in(task: RowsTask, known: dict[str, Any]) -> Data:
    """Data of the shape that the model was fitted on, without the rows: all that building it anew needs.

    Args:
        known: the fields `lookback.data.dataset.KEPT` of the data that it was fitted on.
    """
    rows = task.lookback + task.span
    arrays = {
        "rows": np.ones((rows, len(known["columns"]))),
        "target": np.zeros(rows, np.int32) if task.target_is_class else np.ones(rows),
        "series": np.zeros(rows, np.int32),
        "first": np.zeros(rows, np.int32),
        "year": np.zeros(rows),
    }
    splitter = WindowSplitter(arrays, [], task.lookback, task.span, task.lead, task.recursive)
    samples = splitter.windows(np.zeros(1, np.int32), targets=1 if task.recursive else 0)
    return Data(samples, samples, samples, (), np.arange(rows), **known)


def load(task: RowsTask, known: Data, source: Path | pd.DataFrame, rolling: bool) -> Data:
    """The windows of a file or frame, as the `test` part of data that know nothing else.

    Args:
        task: the settings that the model was fitted with.
        known: the stand-in for the data that the model was fitted on.
        source: rows with the columns of the task, in any order. After the last target of a series may come rows
            without one, which hold future covariates.
        rolling: an answer from every row that has `lookback` rows before it; else from the last of each series.

    Raises:
        LookbackError: one line about the file or frame.
    """
    task, (read, planned) = _read(task, source)
    _check_names(read, task, known)
    grown, stops = _grown(read, planned, task)
    bounds = [SplitBounds(b.start, b.stop, b.stop, b.stop, b.segments) for b in grown.blocks]
    arrays, _, _ = arrays_of(grown, task, bounds, known.reach, known.tokens)
    arrays |= _numbered(grown, bounds, task, known)
    parts = [_starts(task, bound, stop, rolling) for bound, stop in zip(bounds, stops, strict=True)]
    for block, bound, stop, part in zip(grown.blocks, bounds, stops, parts, strict=True):
        if not len(part):
            rows = stop - bound.segments[-1][0]
            raise DataError(
                "PREDICT-HISTORY",
                f"{task.path}: {_series(block)}{rows} unbroken rows at the end, and the model reads {task.lookback}; "
                "give more of the rows before",
            )
    starts = np.concatenate(parts)
    _check_planned(grown, task, starts, known.reach)
    windows = WindowSplitter(arrays, bounds, task.lookback, task.span, task.lead, task.recursive).windows(starts)
    return replace(known, test=windows, index=index_of(grown.times), digest=read.digest, notes=read.notes)


def _read(task: RowsTask, source: Path | pd.DataFrame) -> tuple[RowsTask, tuple[Series, Planned]]:
    try:
        if isinstance(source, Path):
            task = task.model_copy(update={"source": None, "path": str(source)})
            return task, reader.read_open(task, Path())
        with tempfile.TemporaryDirectory() as folder:
            task = _of_frame(task, source, Path(folder) / FRAME)
            return task, reader.read_open(task, Path(folder))
    except LookbackError as e:
        if isinstance(e, MissingFile):
            raise MissingFile(e.code, e.message.partition("; set task")[0] + "; set data") from None
        raise type(e)(e.code, _without_settings(e.message)) from None


def _without_settings(message: str) -> str:
    """The settings are those that the model was trained with: a file that does not fit them is to be corrected."""
    parts = [re.sub(r"\? set \"?task\..*", "? rename the column", part) for part in message.split("; ")]
    kept = [part for part in parts if "set task." not in part and 'set "task.' not in part]
    return "; ".join(kept if len(kept) == len(parts) else [*kept, "correct it: the model was trained on such a file"])


def _of_frame(task: RowsTask, frame: pd.DataFrame, path: Path) -> RowsTask:
    """Write a frame as a plain CSV; the task that reads it."""
    if task.time and task.time not in frame and frame.index.name in (None, task.time):
        frame = frame.rename_axis(index=task.time).reset_index()
    written: dict[str, Any] = {
        "source": None, "path": FRAME, "delimiter": "comma", "decimal": "point", "thousands": "none", "comment": "none",
        "encoding": "utf-8", "strip": "", "skip_footer": 0, "max_columns": max(task.max_columns, len(frame.columns)),
    }  # fmt: skip
    if task.time and task.time in frame and pd.api.types.is_datetime64_any_dtype(frame[task.time]):
        times = pd.DatetimeIndex(frame[task.time])
        written["time_format"] = (
            "%Y-%m-%d %H:%M:%S" + (".%f" if (times.microsecond != 0).any() else "") + ("%z" if times.tz else "")
        )
        frame = frame.assign(**{task.time: times.strftime(written["time_format"])})
    frame.to_csv(path, index=False)
    return task.model_copy(update=written)


def breaches(known: Data, new: Data, reads_all: bool) -> list[str]:
    """Values that lie outside what the model has seen, a line for each column, and rows that it would go on from.

    Args:
        reads_all: whether the model reads every row of a series, and not its window alone.
    """
    windows: Any = new.test
    seen = np.unique(windows.x.rows(windows.starts))
    values = windows.arrays["rows"]
    lines = _late(known, new) if reads_all else []
    for place, name in enumerate(known.columns):
        if name not in known.ranges or place >= len(known.columns) - known.ahead:
            continue
        low, high = known.ranges[name]
        column = values[seen, place]
        outside = (column < low) | (column > high)
        if outside.any():
            row = seen[np.argmax(outside)]
            lines.append(
                f"column {name!r}: {outside.sum():,} of {len(seen):,} values lie outside {low:g} to {high:g}, which "
                f"is all that the model has seen; the first is {values[row, place]:g} ({row_label(new.index[row])})"
            )
    return lines


def _late(known: Data, new: Data) -> list[str]:
    samples: Any = new.test
    series, firsts = np.unique(samples.arrays["series"], return_index=True)
    late = [number for number, row in zip(series, firsts, strict=True) if samples.arrays["step"][row] > 0]
    if not late:
        return []
    named = f" of series {known.names[late[0]]!r}" if len(known.names) > 1 else ""
    begin, found = known.begins[late[0]], row_label(new.index[firsts[list(series).index(late[0])]])
    return [
        f"the model goes on from every row{named} since {begin.removesuffix('T00:00:00')}, and the file begins at "
        f"{found}: give the rows before as well, or other forecasts come out"
    ]


def _check_names(read: Series, task: RowsTask, known: Data) -> None:
    """Series and classes that the model was not fitted on."""
    if strange := [block.name for block in read.blocks if block.name not in known.names]:
        raise DataError(
            "PREDICT-SERIES",
            f"{task.path}: series {some(list(map(repr, strange)))} was not there when the model was fitted, which "
            f"knows {some(list(map(repr, known.names)))}; leave it out, or train a model with it",
        )
    if strange := sorted(set(read.classes) - set(known.tokens)):
        raise DataError(
            "PREDICT-CLASS",
            f"{task.path}: column {task.target!r}: the model does not know the class {strange[0]!r}; its classes are "
            f"{some(known.tokens)}; correct the cell, or train a model with it",
        )


def _grown(read: Series, planned: Planned, task: RowsTask) -> tuple[Series, list[int]]:
    """Each series with the rows to come that its last targets stand in, and the row after its last known one."""
    past = 1 + len(task.past_covariates)
    times, values, blocks, stops, start = [], [], [], [], 0
    for block in read.blocks:
        own = read.times[block.start : block.stop]
        ahead, covariates = planned.of(block.name, own[-1:], task.span, task.freq)
        rows = np.full((task.span, read.values.shape[1]), np.nan)
        if covariates is not None:
            rows[:, past:] = covariates
        times += [own, ahead]
        values += [read.values[block.start : block.stop], rows]
        stops.append(start + len(own))
        shift, stop = start - block.start, start + len(own) + task.span
        *inner, (first, _) = ((a + shift, b + shift) for a, b in block.segments)
        blocks.append(Block(block.name, start, stop, (*inner, (first, stop))))
        start = stop
    joined = times[0].append(times[1:])
    return replace(read, times=joined, values=np.concatenate(values), blocks=tuple(blocks)), stops


def _starts(task: RowsTask, bound: SplitBounds, stop: int, rolling: bool) -> np.ndarray:
    """First rows of the windows that lie before row `stop`, or of the last of them: (n,)."""
    starts = within(bound, bound.first, bound.stop, task.lookback, task.span, task.lead)
    last = stop - task.lookback
    return starts[starts <= last] if rolling else starts[starts == last]


def _numbered(grown: Series, bounds: list[SplitBounds], task: RowsTask, known: Data) -> dict[str, np.ndarray]:
    """Series and steps as the model counts them."""
    numbers = [known.names.index(block.name) for block in grown.blocks]
    begins = [_read_time(known.begins[number], grown.times) for number in numbers]
    lengths = [block.stop - block.start for block in grown.blocks]
    return {
        "series": np.repeat(np.array(numbers, np.int32), lengths),
        "step": steps_since(grown.times, bounds, begins, task.freq),
    }


def _read_time(written: str, like: pd.Index) -> pd.Index:
    """One stored time, on the clock and in the unit of others: (1,)."""
    if not isinstance(like, pd.DatetimeIndex):
        return pd.Index([int(written)])
    time = pd.DatetimeIndex([written]).as_unit(like.unit)
    return time.tz_convert(like.tz) if time.tz is not None and like.tz is not None else time.tz_localize(None)


def _check_planned(grown: Series, task: RowsTask, starts: np.ndarray, reach: int) -> None:
    """Future covariates are there for every row that a forecast needs them of."""
    past = 1 + len(task.past_covariates)
    last = starts[:, None] + task.lookback - 1
    needed = np.unique(last + np.arange(1, (task.span if task.recursive else reach) + 1))
    empty = np.isnan(grown.values[needed, past:])
    if not empty.any():
        return
    column = np.argwhere(empty)[0][1]
    name, times = task.future_covariates[column], list(map(row_label, grown.times[needed[empty[:, column]]]))
    raise DataError(
        "PREDICT-COVARIATE",
        f"{task.path}: column {name!r} is known ahead, and its value is missing for {some(times)}; "
        f"add {'this row' if len(times) == 1 else 'these rows'}, with {task.target!r} left empty",
    )


def _series(block: Block) -> str:
    return f"series {block.name!r}: " if block.name else ""

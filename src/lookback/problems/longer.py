"""A file that has grown: whether it begins with the rows that a model knows, and how many are new."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookback.data.csv import reader
from lookback.data.csv.reader import Series
from lookback.data.dataset import Data
from lookback.errors import DataError, LookbackError
from lookback.problems.series_windows import index_of
from lookback.wording import when


@dataclass(frozen=True)
class Growth:
    """What a file has that the old one had not.

    Attributes:
        rows: new ones, of the series that has fewest.
        since: the last old row, of the series that ends last.
    """

    rows: int
    since: object


def growth(task: Any, old_task: Any, known: Data, digest: str, predictions: pd.DataFrame, root: Path) -> Growth:
    """Compare the longer file with the old one and count its new rows.

    The old file is read where it still is what it was. Where it has grown itself, or is gone, the targets of val and
    test are compared, which are stored with the predictions.

    Args:
        task: that reads the longer file.
        old_task: that read the old one.
        known: of the model that was fitted on the old file.
        digest: of the old file.
        predictions: of the run that the model comes from; their last target is the last row of the old file.

    Raises:
        DataError: an old row is missing or another one; the line names the first.
    """
    read = reader.read(task, root)
    names = tuple(block.name for block in read.blocks)
    if names != known.names:
        raise DataError("RETRAIN-ROWS", f"{task.path}: its series are {names}, and the model knows {known.names}")
    frames = _by_series(read)
    old = _old_rows(old_task, digest, root)
    if old is not None:
        for name, frame in _by_series(old).items():
            _check(task, name, frames[name].reindex(frame.index), frame)
    truths = predictions.drop_duplicates([c for c in ("series", "time") if c in predictions])
    ends = []
    for name, begin in zip(names, known.begins, strict=True):
        own = truths[truths["series"] == name] if "series" in truths else truths
        told = own.set_index("time")[["truth"]].sort_index()
        if str(_first(read, name)) != begin:
            raise DataError(
                "RETRAIN-ROWS",
                f"{task.path}: {_of(name)}it begins at {when(frames[name].index[0])}, and the file that the model was "
                f"fitted on began at {begin.removesuffix('T00:00:00')}; the old rows must come first",
            )
        _check(task, name, frames[name][[0]].reindex(told.index), told)
        ends.append((int((frames[name].index > told.index[-1]).sum()), told.index[-1]))
    return Growth(min(rows for rows, _ in ends), max(end for _, end in ends))


def _old_rows(task: Any, digest: str, root: Path) -> Series | None:
    """The old file; None where it is gone or another one."""
    try:
        found = reader.read(task, root)
    except LookbackError:
        return None
    return found if found.digest == digest else None


def _first(read: Series, name: str) -> object:
    time = read.times[next(block.start for block in read.blocks if block.name == name)]
    return time.isoformat() if isinstance(time, pd.Timestamp) else time


def _by_series(read: Series) -> dict[str, pd.DataFrame]:
    """The rows of each series by their time; the target, which comes first, by its name where it is a class."""
    index, frames = index_of(read.times), {}
    for block in read.blocks:
        rows = slice(block.start, block.stop)
        frame = pd.DataFrame(read.values[rows], index=index[rows])
        if read.classes:
            frame[0] = np.array(read.classes, object)[read.values[rows, 0].astype(int)]
        frames[block.name] = frame
    return frames


def _check(task: Any, name: str, new: pd.DataFrame, old: pd.DataFrame) -> None:
    """Refuse the first row that is not what it was."""
    same = (new.to_numpy() == old.to_numpy()) | (new.isna().to_numpy() & old.isna().to_numpy())
    if same.all():
        return
    row, column = np.argwhere(~same)[0]
    now, was = new.iloc[row, column], old.iloc[row, column]
    what = "is not there" if new.iloc[row].isna().all() else f"is {now}"
    title = (task.target, *task.past_covariates, *task.future_covariates)[column]
    raise DataError(
        "RETRAIN-ROWS",
        f"{task.path}: {_of(name)}column {title!r} was {was} on {when(old.index[row])} when the model was fitted, and "
        f"{what} now; the longer file must begin with the old rows, unchanged",
    )


def _of(name: str) -> str:
    return f"series {name!r}: " if name else ""

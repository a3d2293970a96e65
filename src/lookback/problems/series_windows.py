"""Rows of a CSV -> samples of (window of rows, what comes next), split into train, val and folds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookback.data import calendar
from lookback.data.csv import reader
from lookback.data.csv.format import Roles, of
from lookback.data.csv.reader import Block, Series
from lookback.data.dataset import Data, Fold
from lookback.data.samples import Span, Windows
from lookback.data.windows import SplitBounds, split_starts, steps_since, within
from lookback.errors import DataError, LookbackError
from lookback.settings import Backtest, ClassifyTask, DateSplit, Evaluation, ForecastTask, RowSplit

RowsTask = ForecastTask | ClassifyTask


Check = Callable[[Series, Any, SplitBounds, str], None]


def load(task: RowsTask, evaluation: Evaluation, root: Path, check: Check | None = None) -> Data:
    """Read, check and split a file.

    Args:
        task: the settings; `task.path` is relative to `root`.
        check: of one series: whether its target can be what the task wants of it; its last argument names the series.

    Raises:
        LookbackError: one line about the file or about a setting that does not fit it.
    """
    read = reader.read(task, root)
    try:
        bounds = [_cut(read, block, task, evaluation) for block in read.blocks]
        _check_periods(read, bounds, [block.name for block in read.blocks])
        for one, block in zip(bounds, read.blocks, strict=True):
            if check:
                check(read, task, one, f"series {block.name}, " if len(bounds) > 1 else "")
        return _assemble(read, task, evaluation, bounds)
    except LookbackError as e:
        raise type(e)(e.code, f"{task.path}: {e.message}") from None


def _assemble(read: Series, task: RowsTask, evaluation: Evaluation, bounds: list[SplitBounds]) -> Data:
    reach = 1 if task.recursive else task.span
    tokens = _classes(read, bounds) if read.classes else ()
    arrays, columns, ahead = arrays_of(read, task, bounds, reach, tokens)
    splitter = WindowSplitter(arrays, bounds, task.lookback, task.span, task.lead, task.recursive)
    _, val, _ = split_starts(bounds, task.lookback, task.span, task.lead)
    folds, empty = _folds(splitter, evaluation)
    train = splitter.known([c.val - c.embargo for c in bounds])
    return Data(
        train=train,
        val=splitter.windows(val),
        test=splitter.windows(np.concatenate([fold.test.starts for fold in folds])),  # type: ignore[union-attr]
        folds=folds,
        index=index_of(read.times),
        outputs=len(tokens) or train.y.length,
        unit=task.unit,
        digest=read.digest,
        columns=columns,
        ahead=ahead,
        reach=reach,
        season=task.season,
        tokens=tokens,
        names=tuple(block.name for block in read.blocks),
        whole=splitter.known([c.stop for c in bounds]),
        begins=tuple(_written(read.times[c.first]) for c in bounds),
        ranges=_ranges(read, task),
        notes=(*read.notes, *_still(read, task, bounds), *empty),
        facts=read.facts,
    )


@dataclass(frozen=True)
class WindowSplitter:
    """Cuts windows out of the rows, series after series.

    Attributes:
        recursive: models are fitted on the next row, whatever they are asked for.
    """

    arrays: dict[str, np.ndarray]
    bounds: list[SplitBounds]
    lookback: int
    span: int
    lead: int
    recursive: bool

    def windows(self, starts: np.ndarray, targets: int = 0) -> Windows:
        """Samples of `targets` targets; 0: as many as are forecast."""
        y = Span("target", self.lookback + self.lead - 1, targets or self.span - self.lead + 1)
        return Windows(self.arrays, starts, Span("rows", 0, self.lookback), y)

    def known(self, stops: list[int]) -> Windows:
        """Every sample to fit on whose targets lie before these rows, one row for each series."""
        span = 1 if self.recursive else self.span
        parts = [
            within(c, c.first, stop, self.lookback, span, self.lead) for c, stop in zip(self.bounds, stops, strict=True)
        ]
        return self.windows(np.concatenate(parts), targets=1 if self.recursive else 0)

    def between(self, first: int, stop: int) -> Windows:
        """Samples whose origin lies `first .. stop` rows after the first row of test."""
        parts = []
        for c in self.bounds:
            targets = c.test + first + self.lead - 1, min(c.test + stop + self.span - 1, c.stop)
            parts.append(within(c, *targets, self.lookback, self.span, self.lead))
        return self.windows(np.concatenate(parts))


def index_of(times: pd.Index) -> np.ndarray:
    """Times on the clock of `task.timezone`, or step numbers: (rows,)."""
    return (times.tz_localize(None) if isinstance(times, pd.DatetimeIndex) else times).to_numpy()


def _written(time: Any) -> str:
    """A time as text, its offset from UTC included."""
    return time.isoformat() if isinstance(time, pd.Timestamp) else str(time)


def _ranges(read: Series, task: RowsTask) -> dict[str, tuple[float, float]]:
    """Lowest and highest value of every column of numbers."""
    roles = of(Roles, task)
    numbers = read.values[:, int(roles.target_is_class) :]
    return {n: (float(c.min()), float(c.max())) for n, c in zip(roles.numbers, numbers.T, strict=True)}


def _still(read: Series, task: RowsTask, bounds: list[SplitBounds]) -> list[str]:
    """Columns of numbers that do not move in train: nothing tells how to scale them."""
    roles = of(Roles, task)
    numbers = np.concatenate([read.values[c.first : c.val, int(roles.target_is_class) :] for c in bounds])
    return [
        f"column {name!r} is {column[0]:g} in every training row: its scale is 1"
        for name, column in zip(roles.numbers, numbers.T, strict=True)
        if len(column) and np.ptp(column) == 0
    ]


# --- where the parts begin -------------------------------------------------------------------------


def _cut(read: Series, block: Block, task: RowsTask, evaluation: Evaluation) -> SplitBounds:
    """First row of val and of test, in rows of the whole file."""
    split, rows = task.split, block.stop - block.start
    if isinstance(split, RowSplit):
        val, test = rows - split.test - split.val, rows - split.test
    elif isinstance(split, DateSplit):
        times = read.times[block.start : block.stop]
        zone = times.tz  # type: ignore[attr-defined]
        val, test = (int(times.searchsorted(pd.Timestamp(d, tz=zone))) for d in (split.val, split.test))
    else:
        val, test = round(rows * split.train), round(rows * (split.train + split.val))
    embargo = task.lead - 1
    if isinstance(evaluation, Backtest):
        first = rows - evaluation.origins * evaluation.step - task.span + 1
        val, test, embargo = first - evaluation.gap - (test - val), first, evaluation.gap
        if val <= 0:
            raise DataError(
                "BACKTEST-ROWS",
                f"{rows} rows leave none to train on before {evaluation.origins} origins of step {evaluation.step}, "
                f"a gap of {evaluation.gap} and val; set evaluation.origins, evaluation.step or evaluation.gap",
            )
    val, test = max(val, 0), max(test, 0)
    return SplitBounds(block.start, block.start + val, block.start + test, block.stop, block.segments, embargo)


def _folds(splitter: WindowSplitter, evaluation: Evaluation) -> tuple[tuple[Fold, ...], list[str]]:
    """The folds that hold a forecast, and a word on those that do not."""
    bounds = splitter.bounds
    if not isinstance(evaluation, Backtest):
        test = split_starts(bounds, splitter.lookback, splitter.span, splitter.lead)[2]
        return (Fold(splitter.known([c.test - c.embargo for c in bounds]), splitter.windows(test)),), []
    origins, step, gap = evaluation.origins, evaluation.step, evaluation.gap
    count, width = (origins, step) if evaluation.refit else (1, origins * step)
    folds = [
        Fold(splitter.known([c.test + i * step - gap for c in bounds]), splitter.between(i * width, (i + 1) * width))
        for i in range(count)
    ]
    held = tuple(fold for fold in folds if len(fold.test))
    empty = len(folds) - len(held)
    if not held or not len(held[0].train):
        raise DataError(
            "BACKTEST-EMPTY",
            "no origin has both samples to fit on and a window that no gap bounds; set evaluation.origins",
        )
    return held, [f"{empty} origins have no window that no gap bounds, and are left out"] if empty else []


# --- what the windows are cut from -----------------------------------------------------------------


def arrays_of(
    read: Series, task: RowsTask, bounds: list[SplitBounds], reach: int, tokens: tuple[str, ...]
) -> tuple[dict[str, np.ndarray], tuple[str, ...], int]:
    """The arrays that windows are cut from, the names of the columns of "rows", and how many of them are known ahead.

    Args:
        tokens: the classes, in code order; empty where the target is a number.
    """
    past = 1 + len(task.past_covariates)
    target, seen, known = read.values[:, 0], read.values[:, :past], read.values[:, past:]
    names: tuple[str, ...] = (task.target, *task.past_covariates)
    if tokens:
        place = np.nan_to_num(target).astype(int)  # a row to come has no class yet, and nobody reads it
        target = pd.Index(tokens).get_indexer(pd.Index(read.classes))[place].astype(np.int32)
        seen = np.concatenate([np.eye(len(tokens))[target], seen[:, 1:]], axis=1)
        names = (*(f"{task.target}={name}" for name in tokens), *task.past_covariates)
    clock, cycles = calendar.features(read.times, task.calendar, task.harmonics)
    ahead = _ahead(np.concatenate([known, clock], axis=1), bounds, reach)
    arrays = {
        "rows": np.concatenate([seen, ahead], axis=1),
        "target": target,
        "first": _per_row([(start, stop, start) for c in bounds for start, stop in c.segments], len(seen)),
        "series": _per_row([(c.first, c.stop, i) for i, c in enumerate(bounds)], len(seen)),
        "year": calendar.year(read.times),
        "step": steps_since(read.times, bounds, [read.times[c.first : c.first + 1] for c in bounds], task.freq),
        "moment": np.unique(read.times, return_inverse=True)[1] if len(bounds) > 1 else np.arange(len(seen)),
    }
    return arrays, (*names, *task.future_covariates, *cycles), ahead.shape[1]


def _ahead(known: np.ndarray, bounds: list[SplitBounds], reach: int) -> np.ndarray:
    """Each row holds what its segment will be `reach` rows later; nan where the file ends before."""
    shifted = np.full(known.shape, np.nan)
    for bound in bounds:
        for start, stop in bound.segments:
            shifted[start : max(stop - reach, start)] = known[start + reach : stop]
    return shifted


def _per_row(segments: list[tuple[int, int, int]], rows: int) -> np.ndarray:
    filled = np.zeros(rows, np.int32)
    for start, stop, value in segments:
        filled[start:stop] = value
    return filled


def _classes(read: Series, bounds: list[SplitBounds]) -> tuple[str, ...]:
    """The classes that train knows, in the order of their names.

    Raises:
        DataError: there is only one, or val or test hold others.
    """
    classes = np.array(read.classes, object)[read.values[:, 0].astype(int)]  # (rows,)
    train = np.concatenate([classes[c.first : c.val] for c in bounds])
    tokens = tuple(sorted(set(train)))
    if len(tokens) < 2:
        raise DataError("CLASS-ONE", f"every training row is of the class {tokens[0]!r}: nothing to tell apart")
    strangers = sorted(set(classes) - set(tokens))
    if strangers:
        row = int(np.argmax(classes == strangers[0]))
        raise DataError(
            "CLASS-UNSEEN",
            f"the class {strangers[0]!r} (data row {row + 1}) does not occur in train, whose classes are "
            f"{_some(tokens)}; set task.split so that train holds it, or correct the cell",
        )
    return tokens


def _check_periods(read: Series, bounds: list[SplitBounds], names: list[str]) -> None:
    """Series that are tested at other times would be forecast by a model that was fitted on their future.

    Raises:
        DataError: test does not begin at one date in all of them.
    """
    if not isinstance(read.times, pd.DatetimeIndex):
        return
    first = [read.times[c.test] for c in bounds if c.test < c.stop]
    other = next((i for i, time in enumerate(first) if time != first[0]), None)
    if other is not None:
        raise DataError(
            "SERIES-PERIODS",
            f"test would begin on {_when(first[0])} in series {names[0]} and on {_when(first[other])} in series "
            f"{names[other]}: one model would know the future of the other; set task.split={{by: date, val: ..., "
            "test: ...}, or give all series the same last row",
        )


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _when(time: object) -> str:
    return str(time.date()) if isinstance(time, pd.Timestamp) else f"row {time}"

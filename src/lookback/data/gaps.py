"""What is not there: cells that hold nothing, times without a row. Nothing is ever carried back in time."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from lookback.data import grid
from lookback.data.faults import MISSING
from lookback.data.findings import Finding, refusal
from lookback.data.tidy import Rows, Told, some_times, when
from lookback.settings import SeriesTask
from lookback.wording import count

Segments = list[tuple[int, int]]


def without_sentinels(rows: Rows, names: tuple[str, ...], task: SeriesTask, told: Told) -> Rows:
    """Numbers that mean "not measured" become nan, and are counted."""
    for sentinel in task.sentinels:
        found = rows.numbers == sentinel
        if found.any():
            each = ", ".join(f"{name!r} {n:,}" for name, n in zip(names, found.sum(axis=0), strict=True) if n)
            told.notes.append(f"{sentinel:g} counts as not measured: {each}")
            rows.numbers[found] = np.nan
    return rows


def without_empty_rows(rows: Rows, names: tuple[str, ...], task: SeriesTask, told: Told) -> Rows:
    """Rows in which nothing named is empty, or all of them where `fill` will see to it.

    Raises:
        FileFaults: a cell is empty, and `missing` is error.
    """
    empty = np.isnan(rows.numbers).any(axis=1)
    if rows.classes is not None:
        empty |= rows.classes == ""
    if not empty.any():
        return rows
    which = np.flatnonzero(empty)
    if task.missing == "fill":
        cells = int(np.isnan(rows.numbers).sum()) + (0 if rows.classes is None else int((rows.classes == "").sum()))
        told.notes.append(f"{count(cells, 'empty cell')} filled with the value before")
        return rows
    if task.missing == "error":
        raise refusal(told.path, _empty_cells(rows, which, names, task, told))
    told.notes.append(
        f"{count(len(which), 'row')} with empty cells dropped: {some_times(rows.times[which], len(which))}"
    )
    return rows.take(~empty)


def _empty_cells(rows: Rows, which: np.ndarray, names: tuple[str, ...], task: SeriesTask, told: Told) -> list[Finding]:
    findings = []
    for i, (line, series) in zip(which, told.where(rows, which), strict=True):
        columns = [name for name, value in zip(names, rows.numbers[i], strict=True) if np.isnan(value)]
        columns += [task.target] if rows.classes is not None and rows.classes[i] == "" else []
        what = "; ".join(f"{series}column {name!r}: the cell is empty or a sentinel" for name in columns)
        findings.append(Finding(line, "CSV-MISSING", what, MISSING))
    return findings


def without_gaps(rows: Rows, task: SeriesTask, told: Told) -> tuple[Rows, Segments]:
    """Rows on the steps of `freq`, and the (start, stop) of their unbroken segments.

    Raises:
        FileFaults: a time off the steps; a gap, and `gaps` is error; a gap longer than `max_fill`.
    """
    if rows.plain and grid.is_regular(rows.times, rows.apart, task.freq):
        return rows, [(0, len(rows))]
    edges = rows.edges
    firsts = rows.times[:1] if len(edges) == 2 else rows.times[np.repeat(edges[:-1], np.diff(edges))]
    numbers, on = grid.steps(rows.times, firsts, task.freq)
    if not on.all():
        raise refusal(told.path, _off_the_grid(rows, np.flatnonzero(~on), task, told))
    lost = np.where(rows.together, np.diff(numbers) - 1, 0)  # (rows - 1,) rows missing after each
    if not lost.any():
        return rows, [(int(a), int(b)) for a, b in pairwise(edges)]
    before = np.flatnonzero(lost)
    if task.gaps == "error" or (task.gaps == "fill" and lost.max() > task.max_fill):
        raise refusal(told.path, _gap_findings(rows, before, numbers, lost, task, told))
    total = int(lost.sum())
    made = _made(rows, before[:5], numbers, np.minimum(lost, 5), task)
    how = {"join": "joined over", "segment": "left open: no window crosses them",
           "fill": "filled with the value before"}[task.gaps]  # fmt: skip
    told.notes.append(f"{count(total, 'missing time')} {how}: {some_times(made, total)}")
    told.facts["gaps"] = f"{count(len(before), 'gap')}, {count(total, 'row')} ({task.gaps})"
    if task.gaps == "fill":
        rows = _with_made_rows(rows, lost, _made(rows, before, numbers, lost, task))
        edges = rows.edges
    cuts = np.union1d(edges, before + 1) if task.gaps == "segment" else edges
    return rows, [(int(a), int(b)) for a, b in pairwise(cuts)]


def _off_the_grid(rows: Rows, which: np.ndarray, task: SeriesTask, told: Told) -> list[Finding]:
    guessed = grid.guess(rows.times[: rows.edges[1]])
    hint = f"set task.freq={guessed}" if guessed not in (None, task.freq) else "correct the time or remove the row"
    if task.resample == "none" and rows.dated and len(which) > 1:
        hint += f", or task.resample=first to keep the rows on the {task.freq} steps"
    begins = rows.times[rows.edges[:-1]][np.searchsorted(rows.edges, which, "right") - 1]
    return [
        Finding(
            line,
            "TIME-STEP",
            f"{series}column {task.time!r}: {when(rows.times[i])} is not on the {task.freq} steps from {when(begin)}",
            hint,
        )
        for i, begin, (line, series) in zip(which, begins, told.where(rows, which), strict=True)
    ]


def _gap_findings(
    rows: Rows, before: np.ndarray, numbers: np.ndarray, lost: np.ndarray, task: SeriesTask, told: Told
) -> list[Finding]:
    code, hint = "TIME-GAP", (
        "set task.gaps=segment (no window crosses a gap), task.gaps=fill (the last value carried forward) "
        "or task.gaps=join (rows count as consecutive)"
    )  # fmt: skip
    guessed = grid.guess(rows.times[: rows.edges[1]])
    if len(before) > len(rows) // 4 and guessed not in (None, task.freq):
        hint = f"set task.freq={guessed}"
    elif task.gaps == "fill":
        before = before[lost[before] > task.max_fill]
        code, hint = "FILL-LIMIT", f"set task.max_fill={lost.max()} or task.gaps=segment"
    findings = []
    for i, (line, series) in zip(before, told.where(rows, before + 1), strict=True):
        times = some_times(_made(rows, np.array([i]), numbers, np.minimum(lost, 5), task), int(lost[i]))
        are = "time is missing" if lost[i] == 1 else "times are missing"
        limit = f" (task.max_fill={task.max_fill})" if code == "FILL-LIMIT" else ""
        findings.append(Finding(line, code, f"{series}column {task.time!r}: {lost[i]:,} {are}{limit}: {times}", hint))
    return findings


def _made(rows: Rows, before: np.ndarray, numbers: np.ndarray, lost: np.ndarray, task: SeriesTask) -> pd.Index:
    """The times of the rows that are missing behind the rows `before`."""
    runs = lost[before]
    first = np.repeat(np.cumsum(runs) - runs, runs)
    steps = np.repeat(numbers[before], runs) + np.arange(runs.sum()) - first + 1
    begins = rows.edges[np.searchsorted(rows.edges, before, "right") - 1]
    return grid.at(rows.times[np.repeat(begins, runs)], steps, task.freq)


def _with_made_rows(rows: Rows, lost: np.ndarray, made: pd.Index) -> Rows:
    """A row for every step; those that are made up hold nothing."""
    source = np.repeat(np.arange(len(rows)), 1 + np.append(lost, 0))
    new = np.concatenate([[False], np.diff(source) == 0])
    out = rows.take(source)
    out.numbers[new] = np.nan
    if out.classes is not None:
        out.classes[new] = ""
    places = np.empty(len(out), np.int64)
    places[~new], places[new] = np.arange(len(rows)), np.arange(len(rows), len(out))
    return replace(out, times=rows.times.append(made).take(places))


def filled(rows: Rows, task: SeriesTask, told: Told) -> Rows:
    """Every nan takes the value before it in its series, `max_fill` rows far at most.

    Raises:
        FileFaults: a run is longer, or nothing stands before it.
    """
    empty = np.isnan(rows.numbers)
    cells = int(empty.sum())
    if rows.classes is not None:
        empty = np.column_stack([rows.classes == "", empty])
    if not empty.any():
        return rows
    begin = np.repeat(rows.edges[:-1], np.diff(rows.edges))[:, None]
    row = np.arange(len(rows))[:, None]
    last = np.maximum.accumulate(np.where(empty, -1, row), axis=0)  # the last row that holds something
    too_far = empty & ((last < begin) | (row - last > task.max_fill))
    if too_far.any():
        raise refusal(told.path, _unfilled(rows, too_far, last < begin, task, told))
    if rows.classes is not None:
        rows = replace(rows, classes=rows.classes[last[:, 0]])
        last = last[:, 1:]
    told.facts["filled"] = count(cells, "cell")
    return replace(rows, numbers=np.take_along_axis(rows.numbers, last, axis=0))


def _unfilled(rows: Rows, too_far: np.ndarray, nothing: np.ndarray, task: SeriesTask, told: Told) -> list[Finding]:
    which = np.flatnonzero(too_far.any(axis=1))
    runs = _longest_run(np.asarray(too_far.any(axis=1))) + task.max_fill
    findings = []
    for i, (line, series) in zip(which, told.where(rows, which), strict=True):
        if (nothing[i] & too_far[i]).any():
            what, hint = f"{series}nothing stands before {when(rows.times[i])} to fill it with", "set task.missing=drop"
        else:
            what = f"{series}{when(rows.times[i])} stays empty after filling at most {task.max_fill} rows in a run"
            hint = f"set task.max_fill={runs} or task.missing=drop"
        findings.append(Finding(line, "FILL-LIMIT", what, hint))
    return findings


def _longest_run(mask: np.ndarray) -> int:
    ends = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return int((ends[1::2] - ends[::2]).max())

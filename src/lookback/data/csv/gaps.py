"""What is not there: cells that hold nothing, times without a row. Nothing is ever carried back in time."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from lookback.data.csv import frequency
from lookback.data.csv.diagnostics import MISSING
from lookback.data.csv.format import Repair, Roles
from lookback.data.csv.raw_rows import FileReport, RawRows, some_times, when
from lookback.data.findings import Finding, refusal
from lookback.wording import count

Segments = list[tuple[int, int]]


def without_sentinels(
    rows: RawRows, names: tuple[str, ...], sentinels: tuple[float, ...], report: FileReport
) -> RawRows:
    """Numbers that mean "not measured" become nan, and are counted."""
    for sentinel in sentinels:
        found = rows.numbers == sentinel
        if found.any():
            each = ", ".join(f"{name!r} {n:,}" for name, n in zip(names, found.sum(axis=0), strict=True) if n)
            report.notes.append(f"{sentinel:g} counts as not measured: {each}")
            rows.numbers[found] = np.nan
    return rows


def without_empty_rows(rows: RawRows, roles: Roles, repair: Repair, report: FileReport) -> RawRows:
    """Rows in which nothing named is empty, or all of them where `fill` will see to it.

    Raises:
        FileFaults: a cell is empty, and `missing` is error.
    """
    empty = np.isnan(rows.values).any(axis=1)
    if not empty.any():
        return rows
    which = np.flatnonzero(empty)
    if repair.missing == "fill":
        cells = int(np.isnan(rows.values).sum())
        report.notes.append(f"{count(cells, 'empty cell')} filled with the value before")
        return rows
    if repair.missing == "error":
        raise refusal(report.path, _empty_cells(rows, which, roles, report))
    report.notes.append(
        f"{count(len(which), 'row')} with empty cells dropped: {some_times(rows.times[which], len(which))}"
    )
    return rows.take(~empty)


def _empty_cells(rows: RawRows, which: np.ndarray, roles: Roles, report: FileReport) -> list[Finding]:
    findings = []
    for i, (line, series) in zip(which, report.where(rows, which), strict=True):
        columns = [name for name, value in zip(roles.values, rows.values[i], strict=True) if np.isnan(value)]
        what = "; ".join(f"{series}column {name!r}: the cell is empty or a sentinel" for name in columns)
        findings.append(Finding(line, "CSV-MISSING", what, MISSING))
    return findings


def without_gaps(rows: RawRows, roles: Roles, repair: Repair, report: FileReport) -> tuple[RawRows, Segments]:
    """Rows on the steps of `freq`, and the (start, stop) of their unbroken segments.

    Raises:
        FileFaults: a time off the steps; a gap, and `gaps` is error; a gap longer than `max_fill`.
    """
    if rows.plain and frequency.is_regular(rows.times, rows.apart, roles.freq):
        return rows, [(0, len(rows))]
    edges = rows.edges
    firsts = rows.times[:1] if len(edges) == 2 else rows.times[np.repeat(edges[:-1], np.diff(edges))]
    numbers, on = frequency.steps(rows.times, firsts, roles.freq)
    if not on.all():
        raise refusal(report.path, _off_the_grid(rows, np.flatnonzero(~on), roles, repair, report))
    lost = np.where(rows.together, np.diff(numbers) - 1, 0)  # (rows - 1,) rows missing after each
    if not lost.any():
        return rows, [(int(a), int(b)) for a, b in pairwise(edges)]
    before = np.flatnonzero(lost)
    if repair.gaps == "error" or (repair.gaps == "fill" and lost.max() > repair.max_fill):
        raise refusal(report.path, _gap_findings(rows, before, numbers, lost, roles, repair, report))
    total = int(lost.sum())
    made = _made(rows, before[:5], numbers, np.minimum(lost, 5), roles)
    how = {"join": "joined over", "segment": "left open: no window crosses them",
           "fill": "filled with the value before"}[repair.gaps]  # fmt: skip
    report.notes.append(f"{count(total, 'missing time')} {how}: {some_times(made, total)}")
    report.facts["gaps"] = f"{count(len(before), 'gap')}, {count(total, 'row')} ({repair.gaps})"
    if repair.gaps == "fill":
        rows = _with_made_rows(rows, lost, _made(rows, before, numbers, lost, roles))
        edges = rows.edges
    cuts = np.union1d(edges, before + 1) if repair.gaps == "segment" else edges
    return rows, [(int(a), int(b)) for a, b in pairwise(cuts)]


def _off_the_grid(rows: RawRows, which: np.ndarray, roles: Roles, repair: Repair, report: FileReport) -> list[Finding]:
    guessed = frequency.guess(rows.times[: rows.edges[1]])
    hint = f"set task.freq={guessed}" if guessed not in (None, roles.freq) else "correct the time or remove the row"
    if repair.resample == "none" and rows.dated and len(which) > 1:
        hint += f", or task.resample=first to keep the rows on the {roles.freq} steps"
    begins = rows.times[rows.edges[:-1]][np.searchsorted(rows.edges, which, "right") - 1]
    return [
        Finding(
            line,
            "TIME-STEP",
            f"{series}column {roles.time!r}: {when(rows.times[i])} is not on the {roles.freq} steps from {when(begin)}",
            hint,
        )
        for i, begin, (line, series) in zip(which, begins, report.where(rows, which), strict=True)
    ]


def _gap_findings(
    rows: RawRows,
    before: np.ndarray,
    numbers: np.ndarray,
    lost: np.ndarray,
    roles: Roles,
    repair: Repair,
    report: FileReport,
) -> list[Finding]:
    code, hint = "TIME-GAP", (
        "set task.gaps=segment (no window crosses a gap), task.gaps=fill (the last value carried forward) "
        "or task.gaps=join (rows count as consecutive)"
    )  # fmt: skip
    guessed = frequency.guess(rows.times[: rows.edges[1]])
    if len(before) > len(rows) // 4 and guessed not in (None, roles.freq):
        hint = f"set task.freq={guessed}"
    elif repair.gaps == "fill":
        before = before[lost[before] > repair.max_fill]
        code, hint = "FILL-LIMIT", f"set task.max_fill={lost.max()} or task.gaps=segment"
    findings = []
    for i, (line, series) in zip(before, report.where(rows, before + 1), strict=True):
        times = some_times(_made(rows, np.array([i]), numbers, np.minimum(lost, 5), roles), int(lost[i]))
        are = "time is missing" if lost[i] == 1 else "times are missing"
        limit = f" (task.max_fill={repair.max_fill})" if code == "FILL-LIMIT" else ""
        findings.append(Finding(line, code, f"{series}column {roles.time!r}: {lost[i]:,} {are}{limit}: {times}", hint))
    return findings


def _made(rows: RawRows, before: np.ndarray, numbers: np.ndarray, lost: np.ndarray, roles: Roles) -> pd.Index:
    """The times of the rows that are missing behind the rows `before`."""
    runs = lost[before]
    first = np.repeat(np.cumsum(runs) - runs, runs)
    steps = np.repeat(numbers[before], runs) + np.arange(runs.sum()) - first + 1
    begins = rows.edges[np.searchsorted(rows.edges, before, "right") - 1]
    return frequency.at(rows.times[np.repeat(begins, runs)], steps, roles.freq)


def _with_made_rows(rows: RawRows, lost: np.ndarray, made: pd.Index) -> RawRows:
    """A row for every step; those that are made up hold nothing."""
    source = np.repeat(np.arange(len(rows)), 1 + np.append(lost, 0))
    new = np.concatenate([[False], np.diff(source) == 0])
    out = rows.take(source)
    out.values[new] = np.nan
    places = np.empty(len(out), np.int64)
    places[~new], places[new] = np.arange(len(rows)), np.arange(len(rows), len(out))
    return replace(out, times=rows.times.append(made).take(places))


def filled(rows: RawRows, repair: Repair, report: FileReport) -> RawRows:
    """Every nan takes the value before it in its series, `max_fill` rows far at most.

    Raises:
        FileFaults: a run is longer, or nothing stands before it.
    """
    empty = np.isnan(rows.values)
    if not empty.any():
        return rows
    begin = np.repeat(rows.edges[:-1], np.diff(rows.edges))[:, None]
    row = np.arange(len(rows))[:, None]
    last = np.maximum.accumulate(np.where(empty, -1, row), axis=0)  # the last row that holds something
    too_far = empty & ((last < begin) | (row - last > repair.max_fill))
    if too_far.any():
        raise refusal(report.path, _unfilled(rows, too_far, last < begin, repair, report))
    report.facts["filled"] = count(int(empty.sum()), "cell")
    return replace(rows, values=np.take_along_axis(rows.values, last, axis=0))


def _unfilled(
    rows: RawRows, too_far: np.ndarray, nothing: np.ndarray, repair: Repair, report: FileReport
) -> list[Finding]:
    which = np.flatnonzero(too_far.any(axis=1))
    runs = _longest_run(np.asarray(too_far.any(axis=1))) + repair.max_fill
    findings = []
    for i, (line, series) in zip(which, report.where(rows, which), strict=True):
        if (nothing[i] & too_far[i]).any():
            what, hint = f"{series}nothing stands before {when(rows.times[i])} to fill it with", "set task.missing=drop"
        else:
            what = f"{series}{when(rows.times[i])} stays empty after filling at most {repair.max_fill} rows in a run"
            hint = f"set task.max_fill={runs} or task.missing=drop"
        findings.append(Finding(line, "FILL-LIMIT", what, hint))
    return findings


def _longest_run(mask: np.ndarray) -> int:
    ends = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return int((ends[1::2] - ends[::2]).max())

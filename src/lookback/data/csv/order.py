"""Rows of a file -> rows in time order, one for each time, series after series."""

from dataclasses import replace

import numpy as np

from lookback.data.csv import frequency
from lookback.data.csv.format import Repair, Roles
from lookback.data.csv.raw_rows import FileReport, RawRows, some_times, when
from lookback.data.findings import Finding, refusal
from lookback.wording import count

_RARE = 0.05  # of the rows: two series share far more times, a year has one such hour
_OR_SERIES = "; or, where several series stand in one file, set task.series to the column that tells them apart"


def in_order(rows: RawRows, roles: Roles, repair: Repair, report: FileReport) -> RawRows:
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
    if not repair.sort:
        raise refusal(report.path, _inversions(rows, np.flatnonzero(back) + 1, roles, report))
    report.notes.append(f"rows put in time order ({count(int(back.sum()), 'row')} stood after a later one)")
    return rows.take(np.lexsort((rows.ticks, rows.series)))


def _inversions(rows: RawRows, which: np.ndarray, roles: Roles, report: FileReport) -> list[Finding]:
    newest_first = " (the newest row comes first)" if len(which) == len(rows) - len(rows.edges) + 1 else ""
    return [
        Finding(
            line,
            "TIME-ORDER",
            f"{series}column {roles.time!r}: {when(rows.times[i])} follows {when(rows.times[i - 1])}{newest_first}",
            "set task.sort=true" + _OR_SERIES * (roles.series is None),
        )
        for i, (line, series) in zip(which, report.where(rows, which), strict=True)
    ]


def without_duplicates(rows: RawRows, roles: Roles, repair: Repair, report: FileReport) -> RawRows:
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
    if repair.duplicates == "error":
        which = np.flatnonzero(again)
        hint = _hint_of_duplicates(rows, which, roles)
        raise refusal(
            report.path,
            [
                Finding(
                    line,
                    "TIME-DUPLICATE",
                    f"{series}column {roles.time!r}: {when(rows.times[i])} stands there before",
                    hint,
                )
                for i, (line, series) in zip(which, report.where(rows, which), strict=True)
            ],
        )
    report.notes.append(
        f"{count(len(twice), 'duplicate time')} merged ({repair.duplicates}): {some_times(twice, len(twice))}"
    )
    return _means(rows, ~again) if repair.duplicates == "mean" else rows.take(~again)


def _hint_of_duplicates(rows: RawRows, which: np.ndarray, roles: Roles) -> str:
    hint = "set task.duplicates=first or task.duplicates=mean"
    few = len(which) <= _RARE * len(rows)
    if few and rows.dated and frequency.parsed(roles.freq)[1] in ("s", "min", "h"):
        hint += "; where it is the hour that comes twice as summer time ends: task.duplicates=mean task.gaps=fill"
    return hint + _OR_SERIES * (not few and roles.series is None)


def thinned(rows: RawRows, roles: Roles, repair: Repair, report: FileReport) -> RawRows:
    """A finer file at the steps of `freq`: the row on each step, or the mean of the rows from there to the next."""
    if repair.resample == "none":
        return rows
    steps = frequency.floor(rows.times, roles.freq)
    if repair.resample == "first":
        kept = rows.take(np.asarray(steps == rows.times))
        how = f"the row on each {roles.freq} step"
    else:
        rows = replace(rows, times=steps)
        new = np.concatenate([[True], (rows.apart != 0) | ~np.broadcast_to(rows.together, len(rows) - 1)])
        kept = _means(rows, new)
        sizes = np.diff(np.append(np.flatnonzero(new), len(rows)))
        few = int((sizes < np.median(sizes)).sum())
        how = f"the mean of the rows of each {roles.freq} step" + (f", {few:,} of them of fewer rows" if few else "")
    report.notes.append(f"{len(rows):,} rows thinned to {len(kept):,}: {how}")
    if not len(kept):
        what = f"column {roles.time!r}: no row stands on a step of {roles.freq}"
        raise refusal(
            report.path, [Finding(report.where(rows, np.array([0]))[0][0], "TIME-STEP", what, "set task.resample=mean")]
        )
    return kept


def _means(rows: RawRows, first: np.ndarray) -> RawRows:
    """Means of the numbers from each `first` row to the next; of everything else, what the first one says."""
    begins = np.flatnonzero(first)
    kept, numbers = rows.take(begins), rows.numbers
    measured = np.isfinite(numbers)
    with np.errstate(invalid="ignore"):  # nothing measured: nan
        sums = np.add.reduceat(np.where(measured, numbers, 0), begins)
        kept.numbers[:] = sums / np.add.reduceat(measured, begins, dtype=int)
    return kept

"""Which column of a CSV says when, in which pattern, and how often: for a task that leaves it open."""

from datetime import datetime
from typing import Any, NoReturn

import pandas as pd

from lookback.data.csv import frequency as frequencies
from lookback.data.csv import time_formats
from lookback.data.csv.sniff import Sniffed
from lookback.data.findings import override
from lookback.errors import DataError

_CYCLE = {  # unit of a frequency -> how many of them make the cycle that goes with it, and its name
    "s": (3600, "an hour"), "min": (1440, "a day"), "h": (24, "a day"), "D": (7, "a week"), "B": (5, "a week"),
    "W": (52, "a year"), "MS": (12, "a year"), "QS": (4, "a year"),
}  # fmt: skip
_UNIT = {
    "s": "second", "min": "minute", "h": "hour", "D": "day", "B": "business day", "W": "week", "MS": "month",
    "QS": "quarter", "YS": "year",
}  # fmt: skip

_LONG = 5  # rows of a series, on the average, at least
_OFTEN = 0.4  # of the rows repeat the time of the row before: two series or more, a day in its month


def find(task: dict[str, Any], seen: Sniffed) -> tuple[str | None, str]:
    """The column that holds dates, and their pattern. (None, "") where there is none.

    A column whose name speaks of time comes first, then the order of the file. Columns that have a
    role already are no candidates.

    Raises:
        DataError: the column may be read in two ways, or the one that the user named in none.
    """
    taken = {task["target"], task["series"], *task["past_covariates"], *task["future_covariates"], ""}
    free = sorted((name for name in seen.header if name not in taken), key=lambda name: not time_formats.timelike(name))
    for column in [task["time"]] if task["time"] else free:
        found = _patterns(task, column, seen.cells(column))
        if found:
            return column, _undoubted(task, column, seen.cells(column), found)
    if task["time"]:
        hint = "set task.time_format, or task.freq=step if rows are steps"
        _refuse("TIME-FORMAT", task, task["time"], seen.cells(task["time"]), f"is no date of a known form; {hint}")
    return None, ""


def frequency(task: dict[str, Any], seen: Sniffed) -> str:
    """One row per what: of neighbours in the same piece of the file, and of the same series.

    Raises:
        DataError: most rows repeat the time of the row before, or their distance differs from row to row.
    """
    cells, groups = seen.cells(task["time"]), pd.Series(seen.pieces).astype(str)
    if task["series"]:
        groups = groups + "\0" + seen.cells(task["series"])
    times = time_formats.parse(cells, task["time_format"])
    apart = frequencies.apart(times, groups.to_numpy())
    if (apart == pd.Timedelta(0)).mean() > _OFTEN:
        named = series(task, seen)
        hint = override("task.series", named) if named else "task.series to the column that tells series apart"
        hint = f"set {hint}, or task.duplicates=first and task.freq"
        _refuse("TIME-REPEATED", task, task["time"], cells, f"and most other times stand in several rows; {hint}")
    found = frequencies.commonest(times, apart)
    if found is None:
        hint = "set task.freq=step to take rows as steps, or a task.freq and task.resample=mean"
        _refuse("TIME-UNEVEN", task, task["time"], cells, f"and the times after it are not evenly spaced; {hint}")
    return found


def series(task: dict[str, Any], seen: Sniffed) -> str | None:
    """The column of names that seems to tell series apart: times come again, but not with the same name."""
    taken = {task["target"], task["time"], *task["past_covariates"], *task["future_covariates"], ""}
    times = seen.cells(task["time"])
    if task["series"] or not times.duplicated().any():
        return None
    for column in (name for name in seen.header if name not in taken):
        names = seen.cells(column)
        few = names.nunique() <= len(names) / _LONG and pd.to_numeric(names, errors="coerce").isna().all()
        if few and not (times + "\0" + names).duplicated().any():
            return column
    return None


def season(freq: str) -> tuple[int, str]:
    """Rows in the cycle that goes with a frequency, and its name; 1 where they do not fill it evenly."""
    number, unit = frequencies.parsed(freq)
    cycle, name = _CYCLE.get(unit, (1, ""))
    return (cycle // number, name) if cycle % number == 0 else (1, "")


def every(freq: str) -> str:
    """A frequency in words: a day, every 10 minutes."""
    number, unit = frequencies.parsed(freq)
    name = _UNIT.get(unit, unit)
    return f"every {number} {name}s" if number > 1 else f"{'an' if unit == 'h' else 'a'} {name}"


def _patterns(task: dict[str, Any], column: str, cells: "pd.Series[str]") -> list[str]:
    given = task["time_format"]
    if given:
        return [given] if time_formats.parse(cells, given).notna().mean() > 0.5 else []
    if not task["time"] and not task["series"] and cells[0].isdigit() and (cells == cells.shift()).mean() > _OFTEN:
        return []  # the year of a day, beside its month, is no date
    return time_formats.patterns(cells, named=bool(task["time"]) or time_formats.timelike(column))


def _undoubted(task: dict[str, Any], column: str, cells: "pd.Series[str]", found: list[str]) -> str:
    """The first of the patterns, if nobody could mean another one."""
    first, twin = found[0], time_formats.swapped(found[0])
    if task["time_format"]:
        return first
    if "%y" in first:
        latest = [time_formats.parse(cells, pattern).max().year for pattern in found]
        sure = [pattern for pattern, year in zip(found, latest, strict=True) if year <= datetime.now().year]
        hint = "write the years in full, or set task.freq=step (rows are steps)"
        hint += f", or, if 69-99 are 1969-1999 and 00-68 are 2000-2068, {_either(sure)}" if sure else ""
        _refuse("TIME-CENTURY", task, column, cells, f"does not say its century; {hint}")
    if twin in found[1:]:
        why = "may be two dates, and so may every other row"
        _refuse("TIME-AMBIGUOUS", task, column, cells, f"{why}: which number is the day? set {_either([first, twin])}")
    if first == time_formats.MILLISECONDS:
        hint = "divide by 1,000 for task.time_format=unix, or set task.freq=step"
        _refuse("TIME-UNIX", task, column, cells, f"looks like milliseconds since 1970; {hint}")
    return first


def _either(patterns: list[str]) -> str:
    return " or ".join(override("task.time_format", pattern) for pattern in patterns)


def _refuse(code: str, task: dict[str, Any], column: str, cells: "pd.Series[str]", why: str) -> NoReturn:
    first = next(filter(None, cells), "")
    raise DataError(code, f"{task['path']}: column {column!r}: {first!r} {why}")

"""The formats that times are written in, in one table: which of them a column has."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import pandas as pd

from lookback.data.csv.number_cells import BLANKS
from lookback.data.findings import override
from lookback.settings import UNIX

# Patterns that a column may have, the likelier first.
_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%m.%d.%Y",
    "%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%b %Y", "%B %Y", "%b-%Y", "%Y %b", "%Y-%b",
    "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_ZONES = ("", "%z", " %z")
_TIMES = [f"{mark}{clock}{zone}" for mark in " T" for clock in _CLOCKS for zone in _ZONES]
_NEARLY_ALL = 0.9  # of the cells; the reader says where the others are
_WORDS = {
    "date", "datum", "time", "timestamp", "datetime", "ts", "ds", "utc", "unix", "epoch", "period",
    "year", "quarter", "month", "week", "day", "hour", "minute",
}  # fmt: skip

MILLISECONDS = "milliseconds"
_DIGITS = {  # how many digits -> what they may mean, where the name of the column speaks of time
    4: ("%Y",), 6: ("%Y%m",), 8: ("%Y%m%d",), 9: (UNIX,), 10: ("%Y%m%d%H", UNIX),
    12: ("%Y%m%d%H%M", MILLISECONDS), 13: (MILLISECONDS,), 14: ("%Y%m%d%H%M%S",),
}  # fmt: skip
_YEARS = (1700, 2200)
_FORMATS = [f"{date}{time}" for time in ["", *_TIMES] for date in (*_DATES, "%Y%m%d")] + ["%Y"]


def timelike(column: str) -> bool:
    """Whether the name of a column speaks of time."""
    return bool(_WORDS & set(re.findall(r"[a-z]+", column.lower())))


def patterns(cells: "pd.Series[str]", named: bool) -> list[str]:
    """The patterns that fit nearly all cells, and as many as any other does.

    Two that only differ in which of two numbers is the day mean that nobody can tell. `unix` are
    seconds since 1970, `milliseconds` the same times 1,000.

    Args:
        cells: of a column; empty ones count for nothing.
        named: its name speaks of time: digits alone and years of two digits may be dates too.
    """
    cells = cells[cells != ""]
    if cells.empty:
        return []
    if pd.to_numeric(cells.iloc[:100], errors="coerce").notna().mean() > _NEARLY_ALL:
        return _of_digits(cells) if named else []
    found = _fitting(cells, _candidates(cells, _DATES))
    if named and not found:
        found = _fitting(cells, _candidates(cells, [pattern.replace("%Y", "%y") for pattern in _DATES]))
    return found


def swapped(pattern: str) -> str:
    """The same with day and month in each other's place."""
    return re.sub("%[dm]", lambda m: {"%d": "%m", "%m": "%d"}[m[0]], pattern)


def parse(cells: "pd.Series[str]", pattern: str) -> "pd.Series[pd.Timestamp]":
    """Cells -> times without a zone; NaT where the pattern does not fit."""
    if pattern in (UNIX, MILLISECONDS):
        unit: Literal["s", "ms"] = "s" if pattern == UNIX else "ms"
        return pd.to_datetime(pd.to_numeric(cells, errors="coerce"), unit=unit, errors="coerce")
    times = pd.to_datetime(cells, format=pattern, errors="coerce", utc="%z" in pattern)
    return times.dt.tz_localize(None) if "%z" in pattern else times


def _of_digits(cells: "pd.Series[str]") -> list[str]:
    for pattern in _DIGITS.get(len(cells.iloc[0]), ()):
        if parse(cells, pattern).dt.year.between(*_YEARS).mean() >= _NEARLY_ALL:
            return [pattern]
    return []


def _candidates(cells: "pd.Series[str]", dates: Iterable[str]) -> list[str]:
    """Patterns that read any of the first cells."""
    found: dict[str, None] = {}
    for cell in cells.iloc[:5]:
        if split := re.fullmatch(r"(.*?)(?:([T ])(\d{1,2}:\d\d.*))?", cell):
            date, between, clock = split.groups()
            clocks = [c + zone for c in _CLOCKS for zone in _ZONES if _reads(clock, c + zone)] if clock else [""]
            found |= {d + (between or "") + c: None for d in dates if _reads(date, d) for c in clocks}
    return list(found)


def _fitting(cells: "pd.Series[str]", candidates: Iterable[str]) -> list[str]:
    shares = {pattern: parse(cells, pattern).notna().mean() for pattern in candidates}
    best = max(shares.values(), default=0)
    return [pattern for pattern, share in shares.items() if share == best >= _NEARLY_ALL]


# --- where a cell does not match the given time format ------------------------------------------------


def formats_that_read(cells: Iterable[str]) -> list[str]:
    """Every known pattern that reads all of these cells, the likelier first; `unix` for seconds since 1970."""
    cells = [c.strip(BLANKS) for c in cells]
    if not cells:
        return []
    if all(re.fullmatch("[0-9]{9,10}", c) for c in cells):
        return [UNIX]
    left = _FORMATS
    for cell in cells:
        left = [p for p in left if _reads(cell, p)]
    return left


def hint(cells: list[str]) -> tuple[str, str]:
    """(remark, hint) for a column with a cell that does not match the given time format."""
    found, steps = formats_that_read(cells), "or set task.time=null task.freq=step (rows are steps)"
    if len(found) > 1 and {found[0][:2], found[1][:2]} == {"%d", "%m"}:
        either = (override("task.time_format", p) for p in found[:2])
        return " (ambiguous: day or month first?)", f"set {' or '.join(either)}"
    if found:
        return "", f"set {override('task.time_format', found[0])}"
    if cells and all(re.fullmatch("[0-9]{12,19}", c) for c in cells):
        return " (parts of a second since 1970?)", f"write whole seconds and set task.time_format=unix, {steps}"
    if cells and all(re.fullmatch("([0-9]{1,2}[-/.]){1,2}[0-9]{1,2}", c) for c in cells):
        return " (a year of one or two digits has no century)", f"write years in full, {steps}"
    return "", "set task.time_format, or correct the cell"


def _reads(cell: str, pattern: str) -> bool:
    if pattern.startswith("%Y%m%d") and not re.match("[0-9]{8}", cell):
        return False  # 202011 is no 2020-01-01
    try:
        datetime.strptime(cell, pattern)
    except ValueError:
        return False
    return True

"""Which pattern dates are written in, and how far apart rows stand: read off the cells."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import numpy as np
import pandas as pd

from lookback.settings import UNIX

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%m.%d.%Y",
    "%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%b %Y", "%B %Y", "%b-%Y", "%Y %b", "%Y-%b",
    "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_ZONES = ("", "%z", " %z")
_NEARLY_ALL = 0.9  # of the cells; the reader says where the others are
_MONTH = 30.44  # days
_ABOUT = 0.1  # months differ by less
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


def steps(times: "pd.Series[pd.Timestamp]", groups: np.ndarray) -> "pd.Series[pd.Timedelta]":
    """How far apart neighbours stand that are of the same group: (fewer than rows,), without a sign."""
    dated = times.notna().to_numpy()
    return times[dated].groupby(groups[dated]).diff().abs().dropna()


def frequency(times: "pd.Series[pd.Timestamp]", apart: "pd.Series[pd.Timedelta]") -> str | None:
    """One row per what: the commonest of the steps `apart`. None where fewer than half are about as long.

    Returns:
        a frequency such as `task.freq` takes: 10min, h, D, B, W, MS, QS, YS.
    """
    moves = apart[apart > pd.Timedelta(0)]
    if moves.empty or ((apart - moves.mode().iloc[0]).abs() <= _ABOUT * moves.mode().iloc[0]).mean() < 0.5:
        return None
    step, day = moves.mode().iloc[0], times.dt.day
    days = step / pd.Timedelta(days=1)
    if days >= 28 and (day.min() == day.max() or times.dropna().dt.is_month_end.all()):
        return _months(round(days / _MONTH))
    if days == 1 and times.dt.day_of_week.max() < 5 and (apart == pd.Timedelta(days=3)).any():
        return "B"
    seconds = step.total_seconds()
    for unit, size in (("W", 604_800), ("D", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if seconds % size == 0:
            return _times(int(seconds) // size, unit)
    return None


def _months(n: int) -> str:
    for unit, size in (("YS", 12), ("QS", 3)):
        if n % size == 0:
            return _times(n // size, unit)
    return _times(n, "MS")


def _times(n: int, unit: str) -> str:
    return unit if n == 1 else f"{n}{unit}"


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


def _reads(cell: str, pattern: str) -> bool:
    try:
        datetime.strptime(cell, pattern)
    except ValueError:
        return False
    return True

"""Steps of a series: which step a time is, the time of a step, and the step that a file seems to have.

Seconds, minutes and hours are counted on the line of time itself; days and what is longer on the
clock of the place, where a day may have 23 hours.
"""

import re

import numpy as np
import pandas as pd

from lookback.errors import ConfigError

_SECONDS = {"s": 1, "min": 60, "h": 3600, "D": 86_400, "W": 604_800}
_MONTHS = {"MS": 1, "QS": 3, "YS": 12}
_DAY = 86_400
_MONTH = 30.44  # days
_ABOUT = 0.1  # months differ by less


def parsed(freq: str) -> tuple[int, str]:
    """10min -> (10, min)."""
    found = re.fullmatch(r"(\d*)(\D+)", freq)
    if not found or (found[1] and int(found[1]) == 0):
        raise ConfigError(
            "CONFIG-VALUE", f"task.freq: got {freq!r}: a step has a length; set task.freq={freq.lstrip('0')}"
        )
    return int(found[1] or 1), found[2]


def steps(times: pd.Index, firsts: pd.Index, freq: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps from the first time of each row's series to the row, and whether the row stands on a step.

    Args:
        times: (rows,) dates, or step numbers.
        firsts: (rows,) or (1,) of the same kind.

    Returns:
        (rows,) int64 and (rows,) bool.
    """
    every, unit = parsed(freq)
    if unit == "step":
        counted, rest = np.asarray(times, np.int64) - np.asarray(firsts, np.int64), np.zeros(1, np.int64)
    elif unit in _MONTHS:
        counted, rest = _months(_clock(times), _clock(firsts))
        every *= _MONTHS[unit]
    elif unit == "B":
        counted, rest = _business_days(_clock(times), _clock(firsts))
    else:
        line = _instants if _SECONDS[unit] < _DAY else _clock
        ticks = (line(times) - line(firsts)).astype("m8[us]" if _fine(times) else "m8[s]").astype(np.int64)
        every *= _SECONDS[unit] * (10**6 if _fine(times) else 1)
        counted, rest = ticks, np.zeros(1, np.int64)
    whole = counted // every
    return whole, (whole * every == counted) & (rest == 0)


def is_regular(times: pd.Index, apart: np.ndarray, freq: str) -> bool:
    """Whether every row is a step behind the one before, as far as a glance tells: no for months and local days.

    Args:
        apart: (rows - 1,) int64, ticks from row to row.
    """
    every, unit = parsed(freq)
    if unit not in _SECONDS or (_SECONDS[unit] >= _DAY and times.tz is not None):  # type: ignore[attr-defined]
        return False
    length = every * _SECONDS[unit] * (10**6 if _fine(times) else 1)
    return bool(apart.min(initial=length) == apart.max(initial=length) == length)


def at(firsts: pd.Index, numbers: np.ndarray, freq: str) -> pd.Index:
    """The times of these steps of series that begin at `firsts`: (n,) or (1,) and (n,) int64 -> (n,)."""
    every, unit = parsed(freq)
    if not isinstance(firsts, pd.DatetimeIndex):
        return pd.Index(np.asarray(firsts, np.int64) + numbers * every)
    if unit in ("s", "min", "h"):
        found = pd.DatetimeIndex(_instants(firsts) + (numbers * every * _SECONDS[unit]).astype("m8[s]"))
        return found if firsts.tz is None else found.tz_localize("UTC").tz_convert(firsts.tz)
    clock = _clock(firsts)
    if unit in _MONTHS:
        clock = _month_steps(clock, numbers * every * _MONTHS[unit])
    elif unit == "B":
        days = clock.astype("M8[D]")
        clock = np.busday_offset(days, numbers * every) + (clock - days)
    else:
        clock = clock + (numbers * every * _SECONDS[unit]).astype("m8[s]")
    found = pd.DatetimeIndex(clock)
    return found if firsts.tz is None else found.tz_localize(firsts.tz, ambiguous=True, nonexistent="shift_forward")


def floor(times: pd.DatetimeIndex, freq: str) -> pd.DatetimeIndex:
    """The step that each time falls into: the last one at or before it. Weeks begin on Monday."""
    every, unit = parsed(freq)
    clock = _clock(times)
    if unit in ("s", "min", "h"):
        past = (clock.astype("M8[us]").astype(np.int64) % (every * _SECONDS[unit] * 10**6)).astype("m8[us]")
        return times - pd.TimedeltaIndex(past)
    if unit in _MONTHS:
        months = clock.astype("M8[M]").astype(np.int64)
        begun = (months - months % (every * _MONTHS[unit])).astype("M8[M]")
    else:
        days = clock.astype("M8[D]").astype(np.int64) + 3 * (unit == "W")  # 1970-01-01 was a Thursday
        begun = (days - days % (every * (7 if unit == "W" else 1)) - 3 * (unit == "W")).astype("M8[D]")
    found = pd.DatetimeIndex(begun.astype("M8[s]"))
    return found if times.tz is None else found.tz_localize(times.tz, ambiguous=True, nonexistent="shift_forward")


def guess(times: pd.Index) -> str | None:
    """The step that times in order seem to have; None where they have none."""
    if not isinstance(times, pd.DatetimeIndex):
        return "step"
    clock = pd.Series(times[:10_000].tz_localize(None))
    return commonest(clock, clock.diff().iloc[1:])


def apart(times: "pd.Series[pd.Timestamp]", groups: np.ndarray) -> "pd.Series[pd.Timedelta]":
    """How far apart neighbours stand that are of the same group: (fewer than rows,), without a sign."""
    dated = times.notna().to_numpy()
    return times[dated].groupby(groups[dated]).diff().abs().dropna()


def commonest(times: "pd.Series[pd.Timestamp]", apart: "pd.Series[pd.Timedelta]") -> str | None:
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
        return _named_months(round(days / _MONTH))
    if days == 1 and times.dt.day_of_week.max() < 5 and (apart == pd.Timedelta(days=3)).any():
        return "B"
    seconds = step.total_seconds()
    for unit, size in (("W", 604_800), ("D", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if seconds % size == 0:
            return _written(int(seconds) // size, unit)
    return None


def _fine(times: pd.Index) -> bool:
    return getattr(times, "unit", "s") != "s"


def _instants(times: pd.Index) -> np.ndarray:
    return times.tz_convert("UTC").tz_localize(None).to_numpy() if times.tz is not None else times.to_numpy()  # type: ignore[attr-defined]


def _clock(times: pd.Index) -> np.ndarray:
    return times.tz_localize(None).to_numpy()  # type: ignore[attr-defined]


def _months(times: np.ndarray, firsts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    month, first = times.astype("M8[M]"), firsts.astype("M8[M]")
    hour, rest = _hour(times) - _hour(firsts), (times - month) - (firsts - first)
    # 31 January, 28 February, 31 March; and 28 February for the 30th of every month.
    ends = _is_last_day(times) & (_is_last_day(firsts) | (rest < np.timedelta64(0, "s")))
    return (month - first).astype(np.int64), np.where(ends, hour, rest).astype(np.int64)


def _hour(times: np.ndarray) -> np.ndarray:
    return times - times.astype("M8[D]")


def _is_last_day(times: np.ndarray) -> np.ndarray:
    day = times.astype("M8[D]")
    return (day + 1).astype("M8[M]") > day.astype("M8[M]")


def _month_steps(firsts: np.ndarray, months: np.ndarray) -> np.ndarray:
    month = firsts.astype("M8[M]")
    day = firsts.astype("M8[D]") - month.astype("M8[D]")
    ends = (month + months + 1).astype("M8[D]") - np.timedelta64(1, "D")
    days = np.minimum((month + months).astype("M8[D]") + day, ends)
    return np.where(_is_last_day(firsts), ends, days) + _hour(firsts)


def _business_days(times: np.ndarray, firsts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    days, first = times.astype("M8[D]"), firsts.astype("M8[D]")
    rest = ((times - days) - (firsts - first)).astype(np.int64)
    return np.busday_count(first, days), np.where(np.is_busday(days), rest, 1)


def _named_months(n: int) -> str:
    for unit, size in (("YS", 12), ("QS", 3)):
        if n % size == 0:
            return _written(n // size, unit)
    return _written(n, "MS")


def _written(n: int, unit: str) -> str:
    return unit if n == 1 else f"{n}{unit}"

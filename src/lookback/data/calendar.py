"""Columns that the clock itself gives: known as far ahead as anybody likes, in true calendar time."""

import numpy as np
import pandas as pd


def features(times: pd.Index, calendar: tuple[str, ...], harmonics: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Sine and cosine of each cycle and of its first `harmonics` multiples.

    Args:
        times: (rows,), dates where there is a `calendar`.
        calendar: of month, day_of_year, weekday, hour.

    Returns:
        (rows, 2 * harmonics * cycles), and a name for each column.
    """
    columns, names = [], []
    for cycle in calendar:
        phase = _PHASES[cycle](times)
        for k in range(1, harmonics + 1):
            columns += [np.sin(2 * np.pi * k * phase), np.cos(2 * np.pi * k * phase)]
            names += [f"sin {k} {cycle}", f"cos {k} {cycle}"]
    return np.stack(columns, axis=1) if columns else np.zeros((len(times), 0)), tuple(names)


def year(times: pd.Index) -> np.ndarray:
    """Share of its year that has gone by at each row: (rows,) in 0 .. 1; nan where rows are steps."""
    if not isinstance(times, pd.DatetimeIndex):
        return np.full(len(times), np.nan)
    return _day_of_year(times)


def _day_of_year(times: pd.DatetimeIndex) -> np.ndarray:
    """By the mean Gregorian year of 365.2425 days, so that the phase runs evenly through leap years."""
    days = (times.tz_localize(None).normalize() - pd.Timestamp("1970-01-01")).days.to_numpy()
    return ((days + _hour(times)) / 365.2425) % 1


def _hour(times: pd.DatetimeIndex) -> np.ndarray:
    return (times.hour.to_numpy() + times.minute.to_numpy() / 60) / 24


_PHASES = {
    "month": lambda times: (times.month.to_numpy() - 1) / 12,
    "day_of_year": _day_of_year,
    "weekday": lambda times: times.day_of_week.to_numpy() / 7,
    "hour": _hour,
}

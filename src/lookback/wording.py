"""Counts, lists and times as people write them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

_SHOWN = 5


def count(n: int, thing: str) -> str:
    """1 row, 2 rows, 1,234 rows."""
    return f"{n:,} {thing}{'s' * (n != 1)}"


def some(things: Sequence[object], total: int | None = None) -> str:
    """The first five of `total` things (as many as are given), and how many more."""
    total = len(things) if total is None else total
    more = f" and {total - _SHOWN:,} more" if total > _SHOWN else ""
    return ", ".join(map(str, things[:_SHOWN])) + more


def when(label: object) -> str:
    """A date without its midnight, or the number or name of a row."""
    if not isinstance(label, np.datetime64 | pd.Timestamp):
        return str(label)
    time = pd.Timestamp(label)
    return str(time.date()) if time == time.normalize() else f"{time:%Y-%m-%d %H:%M}"

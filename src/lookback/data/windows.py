"""Where the windows of each split begin."""

import itertools

import numpy as np

from lookback.errors import DataError


def starts(first: int, stop: int, lookback: int, horizon: int) -> np.ndarray:
    """First rows of all windows whose targets lie in rows `first .. stop` and nowhere else.

    Inputs may reach back across `first`, so the targets do not depend on the look-back, as long
    as the series has `lookback` rows before them.

    Returns:
        (n,) int32 in time order; empty where nothing fits.
    """
    lowest = max(first - lookback, 0)
    return np.arange(lowest, stop - lookback - horizon + 1, dtype=np.int32)


def split_starts(
    rows: int, borders: tuple[int, int], lookback: int, horizon: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Starts of train, val and test for `borders` (first row of val, first row of test).

    Raises:
        DataError: where a part holds no window.
    """
    edges = (0, *borders, rows)
    parts = [starts(first, stop, lookback, horizon) for first, stop in itertools.pairwise(edges)]
    if min(map(len, parts)) == 0:
        counts = ", ".join(f"{n} {len(p)}" for n, p in zip(("train", "val", "test"), parts, strict=True))
        need = lookback + horizon
        raise DataError(
            "SPLIT-EMPTY",
            f"{rows} rows split at rows {borders[0]} and {borders[1]} give windows: {counts}; a window needs "
            f"lookback {lookback} + horizon {horizon} = {need} rows; set task.lookback, task.horizon or task.split",
        )
    return parts[0], parts[1], parts[2]

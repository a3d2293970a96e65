"""Numbers that look as if they meant "not measured"."""

import numpy as np

_FAR = 6  # interquartile ranges
_OFTEN = 3
_SAMPLE = 100_000


def notes(numbers: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """A warning for each column whose lowest or highest number stands far off, and again and again.

    Args:
        numbers: (rows, columns); nan where a cell is empty.
    """
    return [note for i, name in enumerate(names) for note in _of_column(numbers[:, i], name)]


def _of_column(values: np.ndarray, name: str) -> list[str]:
    low, high = _fences(values[:: max(len(values) // _SAMPLE, 1)])
    found = []
    for extreme in (np.fmin.reduce(values), np.fmax.reduce(values)):
        if not (extreme < low or extreme > high):
            continue
        times = int((values == extreme).sum())
        if times >= _OFTEN:
            sentinel = f"task.sentinels=[{extreme:g}] task.missing=fill"
            others = values[values != extreme]
            span = f"{np.fmin.reduce(others):g} .. {np.fmax.reduce(others):g}"
            found.append(
                f"column {name!r}: {extreme:g} stands {times:,} times, the others lie in {span}: "
                f"a sentinel? set {sentinel}"
            )
    return found


def _fences(values: np.ndarray) -> tuple[float, float]:
    """Beyond which a number is far off. Where most rows hold the same one (no rain), the others are asked."""
    values = values[~np.isnan(values)]
    if not len(values):
        return -np.inf, np.inf
    first, third = np.percentile(values, [25, 75])
    if first == third:
        values = values[values != first]
        first, third = np.percentile(values, [25, 75]) if len(values) else (first, third)
    if first == third:
        return -np.inf, np.inf
    return first - _FAR * (third - first), third + _FAR * (third - first)

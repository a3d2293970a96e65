"""Which rows a baseline may read: those of its own series up to the end of the window, never later ones."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from lookback.data.samples import Windows

BLOCK = 16_384  # windows copied out at a time


def blocks(samples: Windows) -> Iterator[Windows]:
    """The same samples, at most `BLOCK` at a time; one block of none where there are none."""
    for first in range(0, max(len(samples), 1), BLOCK):
        yield replace(samples, starts=samples.starts[first : first + BLOCK])


def steps(samples: Windows) -> np.ndarray:
    """How many rows after the last one of the window each target lies: (horizon,)."""
    return samples.y.offset - samples.x.offset - samples.x.length + 1 + np.arange(samples.y.length)


def values(samples: Windows) -> np.ndarray:
    """The target column, every row of it: (rows,)."""
    return samples.arrays[samples.y.array]


def latest_of_season(samples: Windows, season: int) -> tuple[np.ndarray, np.ndarray]:
    """The latest seen row that lies whole seasons before each target.

    Returns:
        rows (n, horizon), the last of the window where the segment is too short; and the number of seasons (horizon,).
    """
    ahead = steps(samples)  # (horizon,)
    seasons = -(-ahead // season)
    last = samples.origins()[:, None] - 1  # (n, 1)
    rows = last + ahead - season * seasons  # (n, horizon)
    return np.where(rows >= samples.arrays["first"][last], rows, last), seasons


def known_segments(train: Windows) -> list[tuple[int, int, int]]:
    """What a baseline that reads rows and not windows learns from.

    Returns:
        (series, first row, row after the last) of every unbroken segment, up to the last target of its series.
    """
    found: list[tuple[int, int, int]] = []
    last = train.target_rows()[:, -1]  # (n,)
    owner = train.arrays["series"][last]
    for series in np.unique(owner):
        stop = int(last[owner == series].max()) + 1
        begin = int(np.argmax(train.arrays["series"] == series))
        firsts = np.unique(train.arrays["first"][begin:stop])
        found += [(int(series), int(a), int(b)) for a, b in zip(firsts, [*firsts[1:], stop], strict=True)]
    return found


def harmonics(samples: Windows, taken: np.ndarray, pairs: int) -> np.ndarray:
    """Sine and cosine of the year at the rows `taken`, and of its multiples: (..., 2 * pairs)."""
    phase = 2 * np.pi * samples.arrays["year"][taken][..., None] * np.arange(1, pairs + 1)
    return np.concatenate([np.sin(phase), np.cos(phase)], axis=-1)


def dated(samples: Windows) -> bool:
    """Whether the rows know what time of the year it is."""
    return not np.isnan(samples.arrays["year"]).any()


def longest_segments(train: Windows, most: int) -> list[tuple[int, int]]:
    """(first row, row after the last) of each series' longest unbroken segment in train, its last `most` rows."""
    longest = [(0, 1)] * (int(train.arrays["series"].max()) + 1)
    for series, start, stop in sorted(known_segments(train), key=lambda s: s[2] - s[1]):
        longest[series] = max(start, stop - most), stop
    return longest


def by_segment(samples: Windows, say: Callable[[Windows, int, int], np.ndarray]) -> np.ndarray:
    """Ask for the samples of each unbroken segment in turn: (n, horizon).

    Args:
        say: samples of one segment, the number of its series, the segment's first row -> their forecasts.
    """
    last = samples.origins() - 1  # (n,)
    first, series = samples.arrays["first"][last], samples.arrays["series"][last]
    answers = np.empty((len(samples), samples.y.length))
    for segment in np.unique(first):
        mine = first == segment
        part = replace(samples, starts=samples.starts[mine])
        answers[mine] = say(part, int(series[mine][0]), int(segment))
    return answers

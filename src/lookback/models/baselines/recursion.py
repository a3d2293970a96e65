"""Forecasts of many steps from what was fitted for one: each answer is fed back as if it had been seen."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lookback.data.samples import Span, Windows
from lookback.models.baselines import seen_rows


def roll_forward(samples: Windows, one_step: Callable[[Windows], np.ndarray]) -> np.ndarray:
    """Say all steps of `samples` with a forecaster of the next row that reads its window and nothing before it.

    Args:
        one_step: windows whose target is the next row -> (n, 1). It is given copies of the rows, in which its
            own answers stand in place of the target column.

    Returns:
        (n, horizon).
    """
    return np.concatenate([_roll(block, one_step) for block in seen_rows.blocks(samples)])


def _roll(samples: Windows, one_step: Callable[[Windows], np.ndarray]) -> np.ndarray:
    n, horizon, lookback = len(samples), samples.y.length, samples.x.length
    length = lookback + horizon
    taken = samples.starts[:, None] + samples.x.offset + np.arange(length)  # (n, length)
    arrays = {name: array[taken.ravel()] for name, array in samples.arrays.items()}  # one sample after the other
    starts = (np.arange(n) * length).astype(np.int32)
    arrays["first"] = np.repeat(starts, length)
    target = arrays[samples.y.array].reshape(n, length)
    window = arrays[samples.x.array].reshape(n, length, -1)
    target[:, lookback:] = window[:, lookback:, 0] = np.nan  # nobody has seen these; the columns known ahead stay
    x, y = Span(samples.x.array, 0, lookback), Span(samples.y.array, lookback, 1)
    for step in range(horizon):
        answer = one_step(Windows(arrays, starts + np.int32(step), x, y))[:, 0]
        target[:, lookback + step] = window[:, lookback + step, 0] = answer
    return target[:, lookback:]


def next_row(samples: Windows) -> Windows:
    """The same windows, their target the next row alone."""
    return replace(samples, y=Span(samples.y.array, samples.x.offset + samples.x.length, 1))

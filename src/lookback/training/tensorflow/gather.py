"""From numbers of samples to tensors, inside the compiled programs.

A number below 0 is padding: `~number` is a sample that exists, and its weight is 0.

Shapes in comments: b samples of a batch, t steps.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from lookback.data.samples import Ragged, Samples, Span, Windows

Arrays = Mapping[str, Any]
_uploaded: dict[str, Any] = {}


class FromWindows:
    """Gathers windows: the number of a sample is its first row."""

    def __init__(self, samples: Windows):
        self.x, self.y = samples.x, samples.y

    def __call__(self, arrays: Arrays, numbers: Any, length: Any) -> tuple[list[Any], Any, Any]:
        """[x] (b, t) or (b, t, c), y (b, o) or (b, t), weight (b,)."""
        starts, weight = _real(numbers)
        x = tf.gather(arrays[self.x.array], rows_of(starts, self.x))
        return [x], tf.gather(arrays[self.y.array], rows_of(starts, self.y)), weight


class FromRagged:
    """Gathers examples of their own length, padded with 0 to the length of their bucket."""

    def __init__(self, samples: Ragged):
        self.x, self.y, self.per_token = samples.x, samples.y, samples.per_token

    def __call__(self, arrays: Arrays, numbers: Any, length: Any) -> tuple[list[Any], Any, Any]:
        """x: (b, t) or (b, t, letters) each; y and weight: (b,), or (b, t) where each token has a target."""
        examples, weight = _real(numbers)
        first = tf.gather(arrays["first"], examples)  # (b,)
        steps = first[:, None] + tf.range(length)  # (b, t)
        there = steps < tf.gather(arrays["first"], examples + 1)[:, None]  # (b, t)
        steps = tf.where(there, steps, 0)
        xs = [_blank(tf.gather(arrays[name], steps), there) for name in self.x]
        if not self.per_token:
            return xs, tf.gather(arrays[self.y], examples), weight
        return xs, tf.gather(arrays[self.y], steps), weight[:, None] * tf.cast(there, tf.float32)


Gather = FromWindows | FromRagged
_BY_LAYOUT: dict[type, Any] = {Windows: FromWindows, Ragged: FromRagged}


def gather_of(samples: Any) -> Gather:
    """How batches of these samples are put together."""
    return _BY_LAYOUT[type(samples)](samples)


def upload(samples: Samples) -> dict[str, Any]:
    """The arrays that the samples take from on the device, numbers as float32.

    The last ones stay there: the folds of a backtest all take from the same.
    """
    if _uploaded.get("arrays") is not samples.arrays:
        tensors = {name: _tensor(samples.arrays[name]) for name in sorted(samples.array_names())}
        _uploaded.update(arrays=samples.arrays, tensors=tensors)
    return _uploaded["tensors"]


def rows_of(starts: Any, span: Span) -> Any:
    """Row numbers of a span: (b,) -> (b, length)."""
    return starts[:, None] + tf.range(span.offset, span.offset + span.length)


def _tensor(array: np.ndarray) -> Any:
    return tf.constant(array.astype(np.float32) if array.dtype.kind == "f" else array)


def _real(numbers: Any) -> tuple[Any, Any]:
    """The samples meant, (b,), and 1 for each that counts, (b,)."""
    counts = numbers >= 0
    return tf.where(counts, numbers, -1 - numbers), tf.cast(counts, tf.float32)


def _blank(x: Any, there: Any) -> Any:
    return tf.where(tf.reshape(there, tf.concat([tf.shape(there), [1] * (len(x.shape) - 2)], 0)), x, 0)


def filled(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The values in the corner of an array of this shape, zeros elsewhere: no program asks for those."""
    values = np.asarray(values)
    filled = np.zeros(shape, values.dtype)
    filled[tuple(slice(n) for n in values.shape)] = values
    return filled

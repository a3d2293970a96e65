"""From numbers of samples to tensors, inside the compiled programs: the only place that knows how samples lie.

A number below 0 is padding: `~number` is a sample that exists, and its weight is 0.

Shapes in comments: b samples of a batch, t steps.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from lookback.data.samples import Ragged, Samples, Span, Stream, Windows

Arrays = Mapping[str, Any]
_uploaded: dict[str, Any] = {}


class FromWindows:
    """Gathers windows: the number of a sample is its first row."""

    def __init__(self, samples: Windows):
        self.x, self.y = samples.x, samples.y
        self.key = repr((samples.x, samples.y))

    def __call__(self, arrays: Arrays, numbers: Any, length: Any) -> tuple[list[Any], Any, Any]:
        """[x] (b, t) or (b, t, c), y (b, o) or (b, t), weight (b,)."""
        starts, weight = _real(numbers)
        x = tf.gather(arrays[self.x.array], rows_of(starts, self.x))
        return [x], tf.gather(arrays[self.y.array], rows_of(starts, self.y)), weight


class FromRows:
    """Gathers examples of their own length, padded with 0 to the length of their bucket."""

    def __init__(self, samples: Ragged):
        self.x, self.y, self.per_token = samples.x, samples.y, samples.per_token
        self.key = repr((samples.x, samples.y, samples.per_token))

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


Gather = FromWindows | FromRows


def gather_of(samples: Windows | Ragged) -> Gather:
    """How batches of these samples are put together."""
    return FromRows(samples) if isinstance(samples, Ragged) else FromWindows(samples)


def epoch(
    samples: Windows | Ragged, size: int, stateful: bool, seed: int, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """What an epoch visits, batch after batch: a function of (seed, number).

    Args:
        stateful: each place of a batch follows one segment of a text, from batch to batch.

    Returns:
        numbers of samples, (steps, size) int32, and the padded length of each batch, (steps,) int32, 0 for windows.
    """
    if isinstance(samples, Ragged):
        return _shuffled_rows(samples, size, np.random.default_rng([seed, number]))
    starts = samples.epoch(seed, number)
    steps = math.ceil(len(starts) / size)
    if stateful:
        numbers = padded(np.sort(starts), steps * size).reshape(size, steps).T
    else:
        numbers = padded(starts, steps * size).reshape(steps, size)
    return numbers, np.zeros(steps, np.int32)


def steps_of(samples: Windows | Ragged, size: int) -> int:
    """Batches in an epoch."""
    return len(samples.batches(size)[1]) if isinstance(samples, Ragged) else math.ceil(len(samples) / size)


def real(samples: Ragged, places: np.ndarray) -> np.ndarray:
    """Places in `samples.examples`, -1 for none, as numbers of examples."""
    return np.where(places < 0, ~samples.examples[0], samples.examples[places]).astype(np.int32)


def _shuffled_rows(samples: Ragged, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    places, lengths = samples.batches(size, rng.permutation(len(samples)))
    order = rng.permutation(len(lengths))
    return real(samples, places[order]), lengths[order]


def upload(samples: Samples) -> dict[str, Any]:
    """The arrays that the samples take from on the device, numbers as float32.

    The last ones stay there: the folds of a backtest all take from the same.
    """
    if _uploaded.get("arrays") is not samples.arrays:
        tensors = {name: _tensor(samples.arrays[name]) for name in sorted(_wanted(samples))}
        _uploaded.update(arrays=samples.arrays, tensors=tensors)
    return _uploaded["tensors"]


def rows_of(starts: Any, span: Span) -> Any:
    """Row numbers of a span: (b,) -> (b, length)."""
    return starts[:, None] + tf.range(span.offset, span.offset + span.length)


def padded(numbers: np.ndarray, length: int) -> np.ndarray:
    """Filled up to `length` with samples of weight 0."""
    return np.concatenate([numbers, np.full(length - len(numbers), ~numbers[0], np.int32)]).astype(np.int32)


def _wanted(samples: Samples) -> set[str]:
    if isinstance(samples, Stream):
        return {samples.array}
    if isinstance(samples, Ragged):
        return {"first", samples.y, *samples.x}
    return {samples.x.array, samples.y.array}


def _tensor(array: np.ndarray) -> Any:
    return tf.constant(array.astype(np.float32) if array.dtype.kind == "f" else array)


def _real(numbers: Any) -> tuple[Any, Any]:
    """The samples meant, (b,), and 1 for each that counts, (b,)."""
    counts = numbers >= 0
    return tf.where(counts, numbers, -1 - numbers), tf.cast(counts, tf.float32)


def _blank(x: Any, there: Any) -> Any:
    return tf.where(tf.reshape(there, tf.concat([tf.shape(there), [1] * (len(x.shape) - 2)], 0)), x, 0)

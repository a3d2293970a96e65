"""Predictions and losses of trained weights, compiled.

Shapes in comments: b samples of a batch, t steps, n samples in all.
"""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from lookback.data.samples import Ragged, padded
from lookback.training.tensorflow.gather import Arrays, Gather, rows_of
from lookback.training.tensorflow.losses import BatchLoss

EVALUATE = 256  # windows in a batch that is only evaluated
BATCHES = 16  # the most such batches that one call runs
EXAMPLES = 64  # examples of their own length in a batch that is only evaluated


class Evaluation:
    """Compiled evaluation of one network.

    Attributes:
        outputs: numbers that it says at once.
        traces: how often a loop was traced.
    """

    def __init__(self, network: Any, gather: Gather, batch_loss: BatchLoss, xla: bool):
        self.network, self.outputs, self.traces = network, network.core.output_shape[-1], 0
        self._gather, self._batch_loss = gather, batch_loss
        compiled = {"jit_compile": xla, "reduce_retracing": False}
        self._evaluate = tf.function(self._evaluate_loop, **compiled)
        self._recursive = tf.function(self._recursive_loop, **compiled)
        self._answer = tf.function(self._answer_batch)

    def evaluate(self, arrays: Arrays, starts: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean loss over windows, and the core's answer for each: (n, outputs), in the units of the arrays.

        One program of one shape serves any number of windows: it runs as many batches as it must.
        """
        total, seen, answers = 0.0, 0.0, []
        for first in range(0, len(starts), EVALUATE * BATCHES):
            block = starts[first : first + EVALUATE * BATCHES]
            order = tf.constant(padded(block, EVALUATE * BATCHES))
            lost, weights, answer = self._evaluate(arrays, order, tf.constant(len(block)))
            total, seen = total + float(lost), seen + float(weights)
            answers.append(answer.numpy().reshape(EVALUATE * BATCHES, -1)[: len(block)])
        return total / seen, np.concatenate(answers).astype(np.float64)

    def _evaluate_loop(self, arrays: Arrays, order: Any, count: Any) -> Any:
        self.traces += 1

        def step(i: Any, total: Any, seen: Any, answers: Any) -> Any:
            batch = batch_of(self._gather, arrays, order, i, EVALUATE)
            loss, weights, answer = self._batch_loss(*batch, training=False)
            here = tf.reduce_sum(weights)
            return i + 1, total + loss * here, seen + here, answers.write(i, answer)

        shape = (EVALUATE, self.outputs)
        answers = tf.TensorArray(tf.float32, BATCHES, element_shape=shape)
        begin = (tf.constant(0), tf.constant(0.0), tf.constant(0.0), answers)
        batches = (count + EVALUATE - 1) // EVALUATE
        _, total, seen, answers = tf.while_loop(lambda i, *_: i < batches, step, begin)
        return total, seen, answers.stack()

    def recursive_forecast(self, arrays: Arrays, starts: np.ndarray, steps: int) -> np.ndarray:
        """Recursive forecast: each answer takes its place in the window of the next: (n, steps).

        All windows go on side by side in one program. What is known ahead is read from the rows to
        come; the target never is.
        """
        answers = []
        for first in range(0, len(starts), EVALUATE):
            block = starts[first : first + EVALUATE]
            size, order = in_batches(block)
            answer = self._recursive(arrays, tf.constant(np.where(order < 0, ~order, order)), size, steps)
            answers.append(answer.numpy()[: len(block)])
        return np.concatenate(answers).astype(np.float64)

    def _recursive_loop(self, arrays: Arrays, starts: Any, size: int, steps: int) -> Any:
        self.traces += 1
        span: Any = self._gather.x
        rows = arrays[span.array]

        def step(i: Any, recent: Any, answers: Any) -> Any:
            rest = tf.gather(rows, rows_of(starts + i, span))[:, :, 1:]  # (b, t, c - 1)
            x = tf.concat([recent[:, :, None], rest], axis=2)  # (b, t, c)
            answer = self.network.core(x, training=False)[:, :1]  # (b, 1)
            return i + 1, tf.concat([recent[:, 1:], answer], axis=1), answers.write(i, answer[:, 0])

        answers = tf.TensorArray(tf.float32, steps, element_shape=(size,))
        recent = tf.gather(rows, rows_of(starts, span))[:, :, 0]  # (b, t)
        _, _, answers = tf.while_loop(lambda i, *_: i < steps, step, (tf.constant(0), recent, answers))
        return tf.transpose(answers.stack())  # (b, steps)

    def answer(self, arrays: Arrays, samples: Ragged) -> tuple[float, np.ndarray]:
        """Mean loss over examples, and the model's answer for every target: (targets, outputs)."""
        places, lengths = samples.batches(EXAMPLES)
        sizes, total, seen = samples.lengths() if samples.per_token else np.ones(len(samples), int), 0.0, 0.0
        answers = np.zeros((sizes.sum(), self.outputs))
        ends = np.cumsum(sizes)
        for own, length, numbers in zip(places, lengths, samples.numbers(places), strict=True):
            lost, weight, answer = self._answer(arrays, tf.constant(numbers), tf.constant(length))
            total, seen = total + float(lost), seen + float(weight)
            there = own[own >= 0]
            answer = answer.numpy().reshape(EXAMPLES, -1, self.outputs)[: len(there)]  # full batches come first
            for place, one in zip(there, answer, strict=True):
                answers[ends[place] - sizes[place] : ends[place]] = one[: sizes[place]]
        return total / seen, answers

    def _answer_batch(self, arrays: Arrays, numbers: Any, length: Any) -> Any:
        self.traces += 1
        loss, weights, answer = self._batch_loss(*self._gather(arrays, numbers, length), training=False)
        here = tf.reduce_sum(weights)
        return loss * here, here, answer


def batch_of(gather: Gather, arrays: Arrays, order: Any, i: Any, size: int) -> tuple[Any, Any, Any]:
    """Batch `i` of windows in an order."""
    return gather(arrays, tf.gather(order, i * size + tf.range(size)), tf.constant(0))


def in_batches(starts: np.ndarray) -> tuple[int, np.ndarray]:
    """(windows in a batch, starts padded to whole batches); small sets make one batch of a power of two."""
    size = min(EVALUATE, 1 << (len(starts) - 1).bit_length())
    return size, padded(starts, size * math.ceil(len(starts) / size))

"""Everything that is compiled: training, losses, predictions, streams and writing, on TensorFlow.

Keras's own `fit` spends nearly all its time between steps on models of this size. Here one compiled
program runs many steps: it gathers the windows of a batch from the series by their starts, goes
forward and back, and applies the optimizer, all inside one `tf.while_loop`.

`program_for` is the boundary: it takes a network, a loss and the kind of samples and returns the
programs. A trial of an architecture that was seen before overwrites the weights, the optimizer's
slots and the learning rate of the program that exists, and nothing is compiled again.

Shapes in comments: b samples of a batch, t steps, v tokens, n samples in all.
"""

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from lookback.data.contract import Span, Stream, Windows

EVALUATE = 256  # windows in a batch that is only evaluated
BATCHES = 16  # the most such batches that one call runs
READ = 256  # steps of a stream that a recurrent layer reads at once
READS = 16  # how often one program does so
CHUNK_SECONDS = 2.0  # about how long one program runs before Python is asked again
GRAPH_FROM = 128  # units from which TensorFlow's own kernels beat XLA's on a CPU

Arrays = Mapping[str, tf.Tensor]
Weights = list[np.ndarray]


class Network(Protocol):
    """What the engine needs of a network: views of one set of weights (see lookback.models.networks)."""

    model: keras.Model
    trainer: keras.Model
    carrier: keras.Model | None


_LOSSES: dict[str, Callable[..., Any]] = {
    "mae": keras.losses.MeanAbsoluteError,
    "mse": keras.losses.MeanSquaredError,
    "huber": keras.losses.Huber,
    "crossentropy": lambda **kw: keras.losses.SparseCategoricalCrossentropy(from_logits=True, **kw),
}
_programs: dict[str, "Program"] = {}


def program_for(network: Network, loss: str, samples: Windows, batch_size: int, clip_norm: float, xla: bool) -> "Program":
    """The compiled programs for an architecture: made once in a process, then reused.

    The program may own another network of the same architecture: weights go in by `load`.
    """
    config = re.sub(r'"seed": \d+', '"seed": 0', json.dumps(network.trainer.get_config(), sort_keys=True, default=str))
    key = repr((config, loss, samples.x, samples.y, batch_size, clip_norm, xla))
    if key not in _programs:
        _programs[key] = Program(network, loss, samples.x, samples.y, batch_size, clip_norm, xla)
    return _programs[key]


def uses_xla(compiler: str, units: int, per_step: bool) -> bool:
    """Whether training is compiled by XLA or runs as a TensorFlow graph.

    A rule on size and not a race: the two differ in the last bits, and a run must be repeatable.
    """
    return compiler == "xla" or (compiler == "auto" and units < GRAPH_FROM and not per_step)


class Program:
    """Compiled loops over the variables of one network.

    Attributes:
        network: whose weights are trained.
        traces: how often a loop was traced: 0 for a trial that reuses everything.
    """

    def __init__(self, network: Network, loss: str, x: Span, y: Span, batch_size: int, clip_norm: float, xla: bool):
        self.network, self.batch_size, self.traces = network, batch_size, 0
        self._x, self._y = x, y
        # The mean over weights, not over the batch: padding has weight 0 and is no part of any mean.
        self._loss = _LOSSES[loss](reduction="mean_with_sample_weight")
        self._trainable = network.trainer.trainable_variables
        self._optimizer = keras.optimizers.Adam(global_clipnorm=clip_norm)
        self._optimizer.build(self._trainable)
        compiled = {"jit_compile": xla, "reduce_retracing": False}
        self._train = tf.function(self._train_loop, **compiled)
        self._evaluate = tf.function(self._evaluate_loop, **compiled)
        # One sequence at a time leaves TensorFlow's kernels nothing to share out: XLA, whatever the size.
        self._read = tf.function(self._read_loop, jit_compile=True)
        self._write = tf.function(self._write_loop, jit_compile=True)

    # --- weights ---

    def load(self, weights: Weights) -> None:
        """Put weights into the network (all its variables, seeds of dropout included)."""
        for variable, value in zip(self.network.trainer.variables, weights, strict=True):
            variable.assign(value)

    def weights(self) -> Weights:
        """A copy of all variables of the network."""
        return [v.numpy() for v in self.network.trainer.variables]

    def begin(self, weights: Weights, learning_rate: float) -> None:
        """A new trial: these weights, an optimizer that has seen nothing."""
        self.load(weights)
        for variable in self._optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        self.set_learning_rate(learning_rate)

    def set_learning_rate(self, learning_rate: float) -> None:
        """From the next step on."""
        self._optimizer.learning_rate.assign(learning_rate)

    # --- training ---

    def train(
        self, arrays: Arrays, starts: np.ndarray, capacity: int, limit: int | None, watch: Callable[[int, int, float], None]
    ) -> tuple[float, bool]:
        """One epoch over the windows at `starts`, in that order.

        Args:
            arrays: from `upload`.
            capacity: the most windows that any epoch of this trial has; the program is compiled for
                it, so that the refit, which has more windows, compiles nothing.
            limit: at most so many steps.
            watch: called after every chunk with (steps done, steps in all, mean loss so far).

        Returns:
            The mean loss, and whether every loss and gradient was finite. After one that was not,
            no update is applied.
        """
        steps = min(math.ceil(len(starts) / self.batch_size), limit or len(starts))
        order = tf.constant(_padded(starts, self.batch_size * math.ceil(capacity / self.batch_size)))
        count, first, chunk = tf.constant(len(starts)), 0, min(steps, 64)
        totals = (tf.constant(0.0), tf.constant(0.0), tf.constant(True))
        while first < steps and bool(totals[2]):
            began, last = time.perf_counter(), min(first + chunk, steps)
            totals = self._train(arrays, order, count, tf.constant(first), tf.constant(last), *totals)
            loss = float(totals[0]) / max(float(totals[1]), 1.0)
            # Where chunks end changes no sum: the totals travel through them.
            pace = (last - first) / max(time.perf_counter() - began, 1e-6)
            first, chunk = last, max(int(pace * CHUNK_SECONDS), 1)
            watch(first, steps, loss)
        return loss, bool(totals[2])

    def _train_loop(self, arrays: Arrays, order: Any, count: Any, first: Any, last: Any, total: Any, seen: Any, fine: Any) -> Any:
        self.traces += 1

        def step(i: Any, total: Any, seen: Any, fine: Any) -> Any:
            x, y, weight = self._batch(arrays, order, count, i, self.batch_size)
            with tf.GradientTape() as tape:
                loss, weights, _ = self._batch_loss(x, y, weight, training=True)
            gradients = tape.gradient(loss, self._trainable)
            fine = tf.math.is_finite(loss) & tf.math.is_finite(tf.linalg.global_norm(gradients))
            tf.cond(fine, lambda: self._apply(gradients), lambda: 0)
            here = tf.reduce_sum(weights)
            return i + 1, total + loss * here, seen + here, fine

        _, total, seen, fine = tf.while_loop(
            lambda i, total, seen, fine: (i < last) & fine, step, (first, total, seen, fine)
        )
        return total, seen, fine

    def _apply(self, gradients: Any) -> int:
        self._optimizer.apply(gradients, self._trainable)
        return 0

    def _batch(self, arrays: Arrays, order: Any, count: Any, i: Any, size: int) -> tuple[Any, Any, Any]:
        places = i * size + tf.range(size)  # (b,)
        starts = tf.gather(order, places)  # (b,)
        x = tf.gather(arrays[self._x.array], _rows(starts, self._x))  # (b, t) or (b, t, c)
        y = tf.gather(arrays[self._y.array], _rows(starts, self._y))  # (b, o) or (b, t)
        return x, y, tf.cast(places < count, tf.float32)

    def _batch_loss(self, x: Any, y: Any, weight: Any, training: bool) -> tuple[Any, Any, Any]:
        target, prediction, answer = self.network.trainer([x, y], training=training)
        if self.network.carrier is not None:  # a loss at every step: weights of its full shape, Keras does not broadcast
            weight = tf.repeat(weight[:, None], target.shape[1], axis=1)  # (b, t)
        return self._loss(target, prediction, sample_weight=weight), weight, answer

    # --- windows ---

    def evaluate(self, arrays: Arrays, starts: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean loss over windows, and the model's answer for each: (n, outputs), in the units of the file.

        One program of one shape serves any number of windows: it runs as many batches as it must.
        """
        total, seen, answers = tf.constant(0.0), tf.constant(0.0), []
        for first in range(0, len(starts), EVALUATE * BATCHES):
            block = starts[first : first + EVALUATE * BATCHES]
            order = tf.constant(_padded(block, EVALUATE * BATCHES))
            total, seen, said = self._evaluate(arrays, order, tf.constant(len(block)), total, seen)
            answers.append(said.numpy().reshape(EVALUATE * BATCHES, -1)[: len(block)])
        return float(total) / float(seen), np.concatenate(answers).astype(np.float64)

    def _evaluate_loop(self, arrays: Arrays, order: Any, count: Any, total: Any, seen: Any) -> Any:
        self.traces += 1

        def step(i: Any, total: Any, seen: Any, answers: Any) -> Any:
            x, y, weight = self._batch(arrays, order, count, i, EVALUATE)
            loss, weights, answer = self._batch_loss(x, y, weight, training=False)
            here = tf.reduce_sum(weights)
            return i + 1, total + loss * here, seen + here, answers.write(i, answer)

        batches = (count + EVALUATE - 1) // EVALUATE
        answers = tf.TensorArray(tf.float32, BATCHES, element_shape=(EVALUATE, self.network.model.output_shape[-1]))
        _, total, seen, answers = tf.while_loop(lambda i, *_: i < batches, step, (tf.constant(0), total, seen, answers))
        return total, seen, answers.stack()

    # --- streams ---

    def read(self, arrays: Arrays, stream: Stream) -> dict[str, np.ndarray]:
        """Read a stream once, state carried from zero: nats of every target and the likeliest guess, (n,) each."""
        codes = arrays[stream.array]
        states = self._no_memory(1)
        nats, guesses = [], []
        for first in range(stream.start, stream.stop, READ * READS):
            lost, guess, states = self._read(codes, tf.constant(first), tf.constant(stream.stop), states)
            nats.append(lost.numpy().ravel())
            guesses.append(guess.numpy().ravel())
        n = len(stream)
        return {"nats": np.concatenate(nats)[:n].astype(np.float64), "guess": np.concatenate(guesses)[:n]}

    def _read_loop(self, codes: Any, first: Any, stop: Any, states: Any) -> Any:
        self.traces += 1

        def step(i: Any, lost: Any, guess: Any, states: Any) -> Any:
            places = tf.minimum(first + i * READ + tf.range(READ), stop - 1)  # (t,)
            logits, *states = self.network.carrier([tf.gather(codes, places - 1)[None], *states], training=False)  # type: ignore[misc]
            lost_here = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(codes, places), logits[0])  # (t,)
            return i + 1, lost.write(i, lost_here), guess.write(i, tf.argmax(logits[0], -1, tf.int32)), states

        lost = tf.TensorArray(tf.float32, READS, element_shape=(READ,))
        guess = tf.TensorArray(tf.int32, READS, element_shape=(READ,))
        _, lost, guess, states = tf.while_loop(
            lambda i, *_: i < READS, step, (tf.constant(0), lost, guess, states)
        )
        return lost.stack(), guess.stack(), states

    def _no_memory(self, sequences: int) -> list[Any]:
        inputs = self.network.carrier.inputs[1:]  # type: ignore[union-attr]
        return [tf.zeros((sequences, *state.shape[1:])) for state in inputs]

    def write(self, prompt: np.ndarray, length: int, seed: int, temperature: float = 1.0) -> np.ndarray:
        """Let a language model go on after `prompt`: (length,) tokens, drawn with `seed`.

        Token 0, the unknown character, is never drawn.
        """
        luck = np.random.default_rng([seed, length]).random(length, np.float32)
        return self._write(tf.constant(prompt[None], tf.int32), tf.constant(luck), tf.constant(temperature, tf.float32)).numpy()

    def _write_loop(self, prompt: Any, luck: Any, temperature: Any) -> Any:
        self.traces += 1
        logits, *states = self.network.carrier([prompt, *self._no_memory(1)], training=False)  # type: ignore[misc]

        def step(i: Any, written: Any, logits: Any, states: Any) -> Any:
            chances = tf.cumsum(tf.nn.softmax(logits[0, 1:] / temperature))  # (v - 1,)
            token = 1 + tf.reduce_sum(tf.cast(chances < luck[i] * chances[-1], tf.int32))
            after, *states = self.network.carrier([token[None, None], *states], training=False)  # type: ignore[misc]
            return i + 1, written.write(i, token), after[:, -1], states

        length = luck.shape[0]
        written = tf.TensorArray(tf.int32, length, element_shape=())
        loop = tf.while_loop(
            lambda i, *_: i < length, step, (tf.constant(0), written, logits[:, -1], states)
        )
        return loop[1].stack()


def upload(samples: Windows | Stream) -> dict[str, Any]:
    """The arrays on the device, numbers as float32."""
    return {
        name: tf.constant(array.astype(np.float32) if array.dtype.kind == "f" else array)
        for name, array in samples.arrays.items()
    }


def _rows(starts: Any, span: Span) -> Any:
    return starts[:, None] + tf.range(span.offset, span.offset + span.length)  # (b, length)


def _padded(starts: np.ndarray, length: int) -> np.ndarray:
    """Filled up with a window that exists; its weight will be 0."""
    return np.concatenate([starts, np.full(length - len(starts), starts[0], np.int32)]).astype(np.int32)

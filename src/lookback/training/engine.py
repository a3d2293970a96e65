"""Everything that is compiled: training, losses, predictions, streams and writing, on TensorFlow.

Keras's own `fit` spends nearly all its time between steps on models of this size. Here one compiled
program runs many steps: it gathers the windows of a batch from the series by their starts, goes
forward and back, and applies the optimizer, all inside one `tf.while_loop`. Short epochs run in
blocks of many: validation, early stopping and the best weights are inside the program too. Long
ones are cut into chunks of about two seconds, so that progress and Ctrl-C stay alive.

`program_for` is the boundary: it takes a network, a loss and the kind of samples and returns the
programs. A trial of an architecture that was seen before overwrites the weights, the optimizer's
slots and the learning rate of the program that exists, and nothing is compiled again.

Shapes in comments: b samples of a batch, t steps, v tokens, n samples in all.
"""

import json
import math
import re
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from lookback.data.samples import Ragged, Windows
from lookback.settings import Training
from lookback.training import cudnn
from lookback.training.batches import Arrays, FromWindows, epoch, gather_of, padded, real, rows_of, steps_of, upload
from lookback.training.callbacks import Callback
from lookback.training.compiler import uses_xla
from lookback.training.course import Course, Epochs
from lookback.training.streams import Streams

__all__ = ["Epochs", "Program", "epoch", "program_for", "steps_of", "upload", "uses_xla"]

EVALUATE = 256  # windows in a batch that is only evaluated
BATCHES = 16  # the most such batches that one call runs
EXAMPLES = 64  # examples of their own length in a batch that is only evaluated
CHUNK_SECONDS = 2.0  # about how long one program runs before Python is asked again
BLOCK_STEPS = 2048  # short epochs are run in blocks of about so many steps, validation included
PROGRAMS = 8  # that are kept: a sweep trains the seeds of an architecture one after the other

Weights = list[np.ndarray]


class Network(Protocol):
    """What the engine needs of a network: views of one set of weights (see lookback.models.networks)."""

    @property
    def core(self) -> keras.Model:
        """From x, as the arrays hold it, to a prediction in the same units."""

    @property
    def loss_model(self) -> keras.Model:
        """From [x, y] to [target, prediction] as the loss sees them, and what `core` says."""

    @property
    def step_model(self) -> keras.Model | None:
        """From [x, *states] to [prediction, *states]; None where a model speaks once."""


_LOSSES: dict[str, Callable[..., Any]] = {
    "mae": keras.losses.MeanAbsoluteError,
    "mse": keras.losses.MeanSquaredError,
    "huber": keras.losses.Huber,
    "crossentropy": lambda **kw: keras.losses.SparseCategoricalCrossentropy(from_logits=True, **kw),
}
_programs: dict[str, "Program"] = {}


def program_for(network: Network, loss: str, samples: Windows | Ragged, training: Training, xla: bool) -> "Program":
    """The compiled programs for an architecture: made once in a process, then reused.

    The program may own another network of the same architecture: weights go in by `load`.
    """
    config = re.sub(
        r'"seed": \d+', '"seed": 0', json.dumps(network.loss_model.get_config(), sort_keys=True, default=str)
    )
    numbers = training.batch_size, training.clip_norm, training.weight_decay, training.stateful
    key = repr((config, loss, gather_of(samples).key, numbers, xla))
    program = _programs.pop(key, None) or Program(network, loss, samples, training, xla)
    _programs[key] = program  # the one that was used last stands last
    while len(_programs) > PROGRAMS:
        del _programs[next(iter(_programs))]
    return program


class Program:
    """Compiled loops over the variables of one network.

    Attributes:
        network: whose weights are trained.
        streams: its reading and writing; None where it is no language model.
        outputs: numbers that it says at once.
        classes: whether these are the probabilities of classes.
        traces: how often a loop was traced: 0 for a trial that reuses everything.
    """

    def __init__(self, network: Network, loss: str, samples: Windows | Ragged, training: Training, xla: bool):
        self.network, self.batch_size, self.traces = network, training.batch_size, 0
        if xla:
            cudnn.forbid(network.loss_model)
        self._gather = gather_of(samples)
        self.outputs = network.core.output_shape[-1]
        self.classes = loss == "crossentropy" and network.step_model is None
        # The mean over weights, not over the batch: padding has weight 0 and is no part of any mean.
        self._loss = _LOSSES[loss](reduction="mean_with_sample_weight")
        self._trainable = network.loss_model.trainable_variables
        self._optimizer = keras.optimizers.Adam(
            global_clipnorm=training.clip_norm, weight_decay=training.weight_decay or None
        )
        self._optimizer.build(self._trainable)
        self._best = [tf.Variable(v.value) for v in self._trainable]
        self.streams = Streams(network.step_model) if network.step_model is not None else None
        self._memory = self._no_memory() if training.stateful else []
        # A stream, and examples of their own length, are judged by the caller.
        self._judges_inside = isinstance(samples, Windows) and self.streams is None
        self._course = Course()
        self._pace: float | None = None  # steps a second
        compiled = {"jit_compile": xla, "reduce_retracing": False}
        self._train = tf.function(self._train_loop, **compiled)
        self._judge = tf.function(self._end_of_epoch)
        self._evaluate = tf.function(self._evaluate_loop, **compiled)
        self._roll = tf.function(self._roll_loop, **compiled)
        self._answer = tf.function(self._answer_batch)

    # --- weights ---

    def load(self, weights: Weights) -> None:
        """Put weights into the network (all its variables, seeds of dropout included)."""
        for variable, value in zip(self.network.loss_model.variables, weights, strict=True):
            variable.assign(value)

    def weights(self) -> Weights:
        """A copy of all variables of the network."""
        return [v.numpy() for v in self.network.loss_model.variables]

    def restore_best(self) -> None:
        """Go back to the weights of the best val loss, if there was one."""
        if int(self._course.best_epoch):
            for variable, value in zip(self._trainable, self._best, strict=True):
                variable.assign(value)

    def begin(self, weights: Weights) -> None:
        """A new trial: these weights, an optimizer that has seen nothing, no best epoch yet."""
        self.load(weights)
        for variable in self._optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        self._course.begin()

    # --- training ---

    def block(self, capacity: int) -> int:
        """How many epochs of at most `capacity` steps are run at once."""
        return max(BLOCK_STEPS // capacity, 1)

    def train(self, arrays: Arrays, epochs: Epochs, val: Windows | None, patience: int, callback: Callback) -> None:
        """Run a block of epochs, or as many of them as early stopping and finite losses allow.

        Args:
            arrays: from `upload`.
            epochs: at most `block(capacity)` of them.
            val: windows to judge each epoch by; None: nobody judges, or the caller does by `judge`.
            patience: epochs without a better val loss before `stopped`.
            callback: told of every chunk and every epoch.
        """
        rows, steps = self.block(epochs.capacity), min(len(epochs.orders[0]), epochs.limit or sys.maxsize)
        given = [
            _filled(epochs.orders, (rows, epochs.capacity, self.batch_size)),
            _filled(epochs.lengths, (rows, epochs.capacity)),
            _filled(np.array(epochs.rates, np.float32), (rows,)),
        ]
        size, val_order = _in_batches(val.starts if val else ~epochs.orders[0][0, :1])
        given = [tf.constant(array) for array in (*given, val_order)]
        first, last, done = 0, len(epochs.orders) * steps, 0
        before = int(self._course.epoch)
        while first < last and not self.stopped:
            began, to = time.perf_counter(), min(last, first + self._chunk())
            told = self._train(arrays, *given, tf.constant([steps, first, to, patience]), size).numpy()  # (2, epochs)
            # Where chunks end changes no sum: the totals stay in the program.
            self._pace = (to - first) / max(time.perf_counter() - began, 1e-6)
            ended = int(self._course.epoch) - before
            for loss, val_loss in told[:, done:ended].T.tolist():
                done += 1
                callback.on_epoch_end(before + done, loss, val_loss if val else math.nan)
            if to % steps and not self.stopped:
                callback.on_steps_end(before + done + 1, to % steps, steps, float(self._course.mean()))
            first = to

    def judge(self, val_loss: float, patience: int) -> None:
        """Say how good the epoch that `train` ended is, where its caller measures that."""
        self._judge(tf.constant(val_loss), tf.constant(patience))

    @property
    def stopped(self) -> bool:
        """Whether early stopping or a loss that is not finite ended the trial."""
        return bool(self._course.stopped)

    @property
    def diverged(self) -> bool:
        """Whether some loss or gradient was not finite. No update was applied since."""
        return not bool(self._course.fine)

    @property
    def best_epoch(self) -> int:
        """The epoch of the best val loss, from 1; 0 where there was none."""
        return int(self._course.best_epoch)

    def _chunk(self) -> int:
        return max(int(self._pace * CHUNK_SECONDS), 1) if self._pace else 64

    def _train_loop(
        self, arrays: Arrays, orders: Any, lengths: Any, rates: Any, val_order: Any, counts: Any, size: int
    ) -> Any:
        self.traces += 1
        steps, first, last, patience = tf.unstack(counts)
        course = self._course

        def step(g: Any, told: Any) -> Any:
            epoch, i = g // steps, g % steps
            self._optimizer.learning_rate.assign(tf.gather(rates, epoch))  # an index [epoch] would be compiled in
            here = tf.stack([epoch, i])
            batch = self._gather(arrays, tf.gather_nd(orders, here), tf.gather_nd(lengths, here))
            with tf.GradientTape() as tape:
                loss, weights, _ = self._batch_loss(*batch, training=True, goes_on=i > 0)
            gradients = tape.gradient(loss, self._trainable)
            fine = tf.math.is_finite(loss) & tf.math.is_finite(tf.linalg.global_norm(gradients))
            tf.cond(fine, lambda: self._apply(gradients), lambda: 0)
            course.add(loss, tf.reduce_sum(weights), fine)
            ends = (i == steps - 1) | ~fine
            told = tf.cond(ends, lambda: self._tell(arrays, told, epoch, val_order, size, patience), lambda: told)
            return g + 1, told

        told = tf.zeros((2, rates.shape[0]))
        return tf.while_loop(lambda g, _: (g < last) & ~course.stopped, step, (first, told))[1]

    def _apply(self, gradients: Any) -> int:
        self._optimizer.apply(gradients, self._trainable)
        return 0

    def _tell(self, arrays: Arrays, told: Any, epoch: Any, val_order: Any, size: int, patience: Any) -> Any:
        """The end of an epoch inside the program: its mean loss and val loss are written down."""
        loss, val_loss = self._course.close_epoch(), tf.constant(math.nan)
        if self._judges_inside:
            total, seen = self._judged(arrays, val_order, size)
            val_loss = total / seen  # nan where there is no val
            self._end_of_epoch(val_loss, patience)
        return tf.tensor_scatter_nd_update(told, [[0, epoch], [1, epoch]], [loss, val_loss])

    def _end_of_epoch(self, val_loss: Any, patience: Any) -> None:
        """Keep the weights if they are the best so far; stop where they have not been for `patience` epochs."""
        course = self._course
        better = val_loss < course.best_loss
        tf.cond(better, self._keep, lambda: 0)
        course.best_loss.assign(tf.where(better, val_loss, course.best_loss))
        course.best_epoch.assign(tf.where(better, course.epoch, course.best_epoch))
        late = course.epoch - course.best_epoch >= patience
        course.stopped.assign(late | course.stopped)

    def _keep(self) -> int:
        for best, variable in zip(self._best, self._trainable, strict=True):
            best.assign(variable.value)
        return 0

    def _judged(self, arrays: Arrays, order: Any, size: int) -> tuple[Any, Any]:
        """Sum of losses and sum of weights over the windows that judge an epoch."""

        def step(i: Any, total: Any, seen: Any) -> Any:
            loss, weights, _ = self._batch_loss(*self._batch(arrays, order, i, size), training=False)
            here = tf.reduce_sum(weights)
            return i + 1, total + loss * here, seen + here

        begin = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        if order.shape[0] == size:  # one batch: no loop to compile
            return step(*begin)[1:]
        return tf.while_loop(lambda i, *_: i < order.shape[0] // size, step, begin)[1:]

    def _batch(self, arrays: Arrays, order: Any, i: Any, size: int) -> tuple[Any, Any, Any]:
        return self._gather(arrays, tf.gather(order, i * size + tf.range(size)), tf.constant(0))

    def _batch_loss(self, xs: Any, y: Any, weight: Any, training: bool, goes_on: Any = None) -> tuple[Any, Any, Any]:
        if self._memory and training:
            target, prediction = y, self._remembered(xs[0], goes_on)
            answer = prediction
        else:
            target, prediction, answer = self.network.loss_model([*xs, y], training=training)
        if self.streams is not None:  # a loss at every step: weights of its full shape, Keras does not broadcast
            weight = tf.repeat(weight[:, None], tf.shape(y)[1], axis=1)  # (b, t)
        return self._loss(target, prediction, sample_weight=weight), weight, answer

    def _remembered(self, x: Any, goes_on: Any) -> Any:
        """Logits (b, t, v) of windows that begin with what the ones before left behind, or with nothing."""
        keep = tf.cast(goes_on, tf.float32)
        logits, *after = self.network.step_model([x, *(m * keep for m in self._memory)], training=True)  # type: ignore[misc]
        for memory, state in zip(self._memory, after, strict=True):
            memory.assign(state)
        return logits

    def _no_memory(self) -> list[Any]:
        return [tf.Variable(state) for state in self.streams.no_memory(self.batch_size)]  # type: ignore[union-attr]

    # --- windows ---

    def evaluate(self, arrays: Arrays, starts: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean loss over windows, and the core's answer for each: (n, outputs), in the units of the arrays.

        One program of one shape serves any number of windows: it runs as many batches as it must.
        """
        total, seen, answers = 0.0, 0.0, []
        for first in range(0, len(starts), EVALUATE * BATCHES):
            block = starts[first : first + EVALUATE * BATCHES]
            order = tf.constant(padded(block, EVALUATE * BATCHES))
            lost, weights, said = self._evaluate(arrays, order, tf.constant(len(block)))
            total, seen = total + float(lost), seen + float(weights)
            answers.append(said.numpy().reshape(EVALUATE * BATCHES, -1)[: len(block)])
        return total / seen, np.concatenate(answers).astype(np.float64)

    def _evaluate_loop(self, arrays: Arrays, order: Any, count: Any) -> Any:
        self.traces += 1

        def step(i: Any, total: Any, seen: Any, answers: Any) -> Any:
            batch = self._batch(arrays, order, i, EVALUATE)
            loss, weights, answer = self._batch_loss(*batch, training=False)
            here = tf.reduce_sum(weights)
            return i + 1, total + loss * here, seen + here, answers.write(i, answer)

        shape = (EVALUATE, self.outputs)
        answers = tf.TensorArray(tf.float32, BATCHES, element_shape=shape)
        begin = (tf.constant(0), tf.constant(0.0), tf.constant(0.0), answers)
        batches = (count + EVALUATE - 1) // EVALUATE
        _, total, seen, answers = tf.while_loop(lambda i, *_: i < batches, step, begin)
        return total, seen, answers.stack()

    def roll(self, arrays: Arrays, starts: np.ndarray, steps: int) -> np.ndarray:
        """Repeated prediction: each answer takes its place in the window of the next: (n, steps).

        All windows go on side by side in one program. What is known ahead is read from the rows to
        come; the target never is.
        """
        answers = []
        for first in range(0, len(starts), EVALUATE):
            block = starts[first : first + EVALUATE]
            size, order = _in_batches(block)
            said = self._roll(arrays, tf.constant(np.where(order < 0, ~order, order)), size, steps)
            answers.append(said.numpy()[: len(block)])
        return np.concatenate(answers).astype(np.float64)

    def _roll_loop(self, arrays: Arrays, starts: Any, size: int, steps: int) -> Any:
        self.traces += 1
        assert isinstance(self._gather, FromWindows)
        span = self._gather.x
        rows = arrays[span.array]

        def step(i: Any, recent: Any, answers: Any) -> Any:
            rest = tf.gather(rows, rows_of(starts + i, span))[:, :, 1:]  # (b, t, c - 1)
            x = tf.concat([recent[:, :, None], rest], axis=2)  # (b, t, c)
            said = self.network.core(x, training=False)[:, :1]  # (b, 1)
            return i + 1, tf.concat([recent[:, 1:], said], axis=1), answers.write(i, said[:, 0])

        answers = tf.TensorArray(tf.float32, steps, element_shape=(size,))
        recent = tf.gather(rows, rows_of(starts, span))[:, :, 0]  # (b, t)
        _, _, answers = tf.while_loop(lambda i, *_: i < steps, step, (tf.constant(0), recent, answers))
        return tf.transpose(answers.stack())  # (b, steps)

    # --- examples of their own length ---

    def answer(self, arrays: Arrays, samples: Ragged) -> tuple[float, np.ndarray]:
        """Mean loss over examples, and the model's answer for every target: (targets, outputs)."""
        places, lengths = samples.batches(EXAMPLES)
        sizes, total, seen = samples.lengths() if samples.per_token else np.ones(len(samples), int), 0.0, 0.0
        answers = np.zeros((sizes.sum(), self.outputs))
        ends = np.cumsum(sizes)
        for own, length, numbers in zip(places, lengths, real(samples, places), strict=True):
            lost, weight, said = self._answer(arrays, tf.constant(numbers), tf.constant(length))
            total, seen = total + float(lost), seen + float(weight)
            there = own[own >= 0]
            said = said.numpy().reshape(EXAMPLES, -1, self.outputs)[: len(there)]  # full batches come first
            for place, one in zip(there, said, strict=True):
                answers[ends[place] - sizes[place] : ends[place]] = one[: sizes[place]]
        return total / seen, answers

    def _answer_batch(self, arrays: Arrays, numbers: Any, length: Any) -> Any:
        self.traces += 1
        loss, weights, answer = self._batch_loss(*self._gather(arrays, numbers, length), training=False)
        here = tf.reduce_sum(weights)
        return loss * here, here, answer


def _filled(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The values in the corner of an array of this shape, zeros elsewhere: no program asks for those."""
    values = np.asarray(values)
    filled = np.zeros(shape, values.dtype)
    filled[tuple(slice(n) for n in values.shape)] = values
    return filled


def _in_batches(starts: np.ndarray) -> tuple[int, np.ndarray]:
    """(windows in a batch, starts padded to whole batches); small sets make one batch of a power of two."""
    size = min(EVALUATE, 1 << (len(starts) - 1).bit_length())
    return size, padded(starts, size * math.ceil(len(starts) / size))

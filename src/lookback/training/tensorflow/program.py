"""Training compiled by TensorFlow.

Keras's own `fit` spends nearly all its time between steps on models of this size. Here one compiled
program runs many steps: it gathers the windows of a batch from the series by their starts, goes
forward and back, and applies the optimizer, all inside one `tf.while_loop`. Short epochs run in
blocks of many: validation, early stopping and the best weights are inside the program too. Long
ones are cut into chunks of about two seconds, so that progress and Ctrl-C stay alive.

Shapes in comments: b samples of a batch, t steps, n samples in all.
"""

import math
import sys
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lookback.data.samples import Ragged, Samples, Stream, Windows
from lookback.data.sampling import SamplingConfig
from lookback.evaluation.predictions import Classes, Points, Prediction, Tokens
from lookback.settings import Training
from lookback.training.callbacks import Callback
from lookback.training.program import Tree, Weights
from lookback.training.schedule import Epochs
from lookback.training.tensorflow import cudnn
from lookback.training.tensorflow.evaluation import Evaluation, batch_of, in_batches
from lookback.training.tensorflow.gather import Arrays, filled, gather_of, upload
from lookback.training.tensorflow.losses import BatchLoss
from lookback.training.tensorflow.stopping import EarlyStopping
from lookback.training.tensorflow.streams import Streams

CHUNK_SECONDS = 2.0  # about how long one program runs before Python is asked again
BLOCK_STEPS = 2048  # short epochs are run in blocks of about so many steps, validation included


class TensorFlowProgram:
    """Compiled loops over the variables of one network: see `training.program.Program`.

    Attributes:
        network: whose weights are trained.
        streams: its reading and writing; None where it is no language model.
    """

    def __init__(self, network: Any, samples: Windows | Ragged, training: Training, xla: bool):
        self.network, self.batch_size, self._traces = network, training.batch_size, 0
        if xla:
            cudnn.forbid(network.loss_model)
        self._gather = gather_of(samples)
        self._trainable = network.loss_model.trainable_variables
        self._optimizer = keras.optimizers.Adam(
            global_clipnorm=training.clip_norm, weight_decay=training.weight_decay or None
        )
        self._optimizer.build(self._trainable)
        self._best = [tf.Variable(v.value) for v in self._trainable]
        self.streams = Streams(network.step_model) if network.step_model is not None else None
        stateful = training.stateful and self.streams is not None
        self._batch_loss = BatchLoss(network, self.streams.initial_state(self.batch_size) if stateful else [])  # type: ignore[union-attr]
        self.evaluation = Evaluation(network, self._gather, self._batch_loss, xla)
        self._says_classes = network.loss == "crossentropy" and self.streams is None
        # A stream, and examples of their own length, are validated by the caller.
        self.validates_inside = samples.fixed_length and self.streams is None
        self._stopping = EarlyStopping()
        self._pace: float | None = None  # steps a second
        self._train = tf.function(self._train_loop, jit_compile=xla, reduce_retracing=False)
        self._keep_best = tf.function(self._early_stopping)

    @property
    def traces(self) -> int:
        """How often a loop was traced: no more for a trial that reuses everything."""
        return self._traces + self.evaluation.traces

    # --- weights and state ---

    def load(self, weights: Weights) -> None:
        """Put weights into the network (all its variables, seeds of dropout included)."""
        for variable, value in zip(self.network.loss_model.variables, weights, strict=True):
            variable.assign(value)

    def weights(self) -> Weights:
        """A copy of all variables of the network."""
        return [v.numpy() for v in self.network.loss_model.variables]

    def restore_best(self) -> None:
        """Go back to the weights of the best val loss, if there was one."""
        if int(self._stopping.best_epoch):
            for variable, value in zip(self._trainable, self._best, strict=True):
                variable.assign(value)

    def start(self, weights: Weights) -> None:
        """A new trial: these weights, an optimizer that has seen nothing, no best epoch yet."""
        self.load(weights)
        for variable in self._optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        self._stopping.start()

    def state(self) -> Tree:
        """All that a run goes on from, as arrays: weights, optimizer, best weights, early stopping, memory."""
        return {
            "weights": self.weights(),
            "optimizer": [np.asarray(v) for v in self._optimizer.variables],
            "best": [v.numpy() for v in self._best],
            "stopping": self._stopping.state(),
            "memory": [v.numpy() for v in self._batch_loss.memory],
        }

    def restore(self, state: Tree) -> None:
        """Go on from the state of a program of the same architecture."""
        self.load(state["weights"])
        for variables, values in (
            (self._optimizer.variables, state["optimizer"]),
            (self._best, state["best"]),
            (self._batch_loss.memory, state["memory"]),
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        self._stopping.restore(state["stopping"])

    # --- predictions ---

    def predict(self, samples: Samples) -> Prediction:
        """What the weights say of every target, in the units of the network.

        Windows that ask for more steps than the network says at once get recursive forecasts.
        """
        answer = _ANSWERS[type(samples)](self, samples)
        if isinstance(answer, Prediction):
            return answer
        return Classes(answer) if self._says_classes else Points(answer)

    def validation_loss(self, samples: Samples) -> float:
        """The mean loss of samples that are validated from outside the program."""
        if self.streams is not None:
            return float(self.read(samples).nats.mean())  # type: ignore[arg-type]
        return self.evaluation.answer(upload(samples), samples)[0]  # type: ignore[arg-type]

    def recursive_forecast(self, samples: Windows) -> np.ndarray:
        """Each answer takes its place in the window of the next: (n, steps)."""
        return self.evaluation.recursive_forecast(upload(samples), samples.starts, samples.y.length)

    def read(self, stream: Stream) -> Tokens:
        """Read a text once, front to back, the state carried along."""
        return self.streams.read(upload(stream), stream)  # type: ignore[union-attr]

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """Go on after `prompt`, (k, t): blocks of tokens, (k, some), `length` in all."""
        return self.streams.write(prompt, length, sampling)  # type: ignore[union-attr]

    # --- training ---

    def block(self, capacity: int) -> int:
        """How many epochs of at most `capacity` steps are run at once."""
        return max(BLOCK_STEPS // capacity, 1)

    def run(self, samples: Samples, epochs: Epochs, val: Windows | None, patience: int, callback: Callback) -> None:
        """Run a block of epochs, or as many of them as early stopping and finite losses allow.

        Args:
            samples: to train on.
            epochs: at most `block(capacity)` of them.
            val: windows to judge each epoch by; None: nobody does, or the caller says it by `validated`.
            patience: epochs without a better val loss before `stopped`.
            callback: told of every chunk and every epoch.
        """
        arrays = upload(samples)
        rows, steps = self.block(epochs.capacity), min(len(epochs.indices[0]), epochs.limit or sys.maxsize)
        given = [
            filled(epochs.indices, (rows, epochs.capacity, self.batch_size)),
            filled(epochs.lengths, (rows, epochs.capacity)),
            filled(np.array(epochs.rates, np.float32), (rows,)),
        ]
        size, val_order = in_batches(val.starts if val else ~epochs.indices[0][0, :1])
        given = [tf.constant(array) for array in (*given, val_order)]
        first, last, done = 0, len(epochs.indices) * steps, 0
        before = int(self._stopping.epoch)
        while first < last and not self.stopped:
            began, to = time.perf_counter(), min(last, first + self._chunk())
            epoch_losses = self._train(
                arrays, *given, tf.constant([steps, first, to, patience]), size
            ).numpy()  # (2, epochs)
            # Where chunks end changes no sum: the totals stay in the program.
            self._pace = (to - first) / max(time.perf_counter() - began, 1e-6)
            ended = int(self._stopping.epoch) - before
            for loss, val_loss in epoch_losses[:, done:ended].T.tolist():
                done += 1
                callback.on_epoch_end(before + done, loss, val_loss if val else math.nan)
            if to % steps and not self.stopped:
                callback.on_steps_end(before + done + 1, to % steps, steps, float(self._stopping.mean()))
            first = to

    def validated(self, val_loss: float, patience: int) -> None:
        """Say how good the epoch that `run` ended is, where its caller measures that."""
        self._keep_best(tf.constant(val_loss), tf.constant(patience))

    @property
    def stopped(self) -> bool:
        """Whether early stopping or a loss that is not finite ended the trial."""
        return bool(self._stopping.stopped)

    @property
    def diverged(self) -> bool:
        """Whether some loss or gradient was not finite. No update was applied since."""
        return not bool(self._stopping.finite)

    @property
    def best_epoch(self) -> int:
        """The epoch of the best val loss, from 1; 0 where there was none."""
        return int(self._stopping.best_epoch)

    def _chunk(self) -> int:
        return max(int(self._pace * CHUNK_SECONDS), 1) if self._pace else 64

    def _train_loop(
        self, arrays: Arrays, indices: Any, lengths: Any, rates: Any, val_order: Any, counts: Any, size: int
    ) -> Any:
        self._traces += 1
        steps, first, last, patience = tf.unstack(counts)
        stopping = self._stopping

        def step(g: Any, epoch_losses: Any) -> Any:
            epoch, i = g // steps, g % steps
            self._optimizer.learning_rate.assign(tf.gather(rates, epoch))  # an index [epoch] would be compiled in
            here = tf.stack([epoch, i])
            batch = self._gather(arrays, tf.gather_nd(indices, here), tf.gather_nd(lengths, here))
            with tf.GradientTape() as tape:
                loss, weights, _ = self._batch_loss(*batch, training=True, goes_on=i > 0)
            gradients = tape.gradient(loss, self._trainable)
            finite = tf.math.is_finite(loss) & tf.math.is_finite(tf.linalg.global_norm(gradients))
            tf.cond(finite, lambda: self._apply(gradients), lambda: 0)
            stopping.add(loss, tf.reduce_sum(weights), finite)
            ends = (i == steps - 1) | ~finite
            epoch_losses = tf.cond(
                ends,
                lambda: self._end_epoch(arrays, epoch_losses, epoch, val_order, size, patience),
                lambda: epoch_losses,
            )
            return g + 1, epoch_losses

        epoch_losses = tf.zeros((2, rates.shape[0]))
        return tf.while_loop(lambda g, _: (g < last) & ~stopping.stopped, step, (first, epoch_losses))[1]

    def _apply(self, gradients: Any) -> int:
        self._optimizer.apply(gradients, self._trainable)
        return 0

    def _end_epoch(
        self, arrays: Arrays, epoch_losses: Any, epoch: Any, val_order: Any, size: int, patience: Any
    ) -> Any:
        """The end of an epoch inside the program: its mean loss and val loss are written down."""
        loss, val_loss = self._stopping.end_epoch(), tf.constant(math.nan)
        if self.validates_inside:
            total, seen = self._validate(arrays, val_order, size)
            val_loss = total / seen  # nan where there is no val
            self._early_stopping(val_loss, patience)
        return tf.tensor_scatter_nd_update(epoch_losses, [[0, epoch], [1, epoch]], [loss, val_loss])

    def _early_stopping(self, val_loss: Any, patience: Any) -> None:
        """Keep the weights if they are the best so far; stop where they have not been for `patience` epochs."""
        stopping = self._stopping
        better = val_loss < stopping.best_loss
        tf.cond(better, self._keep, lambda: 0)
        stopping.best_loss.assign(tf.where(better, val_loss, stopping.best_loss))
        stopping.best_epoch.assign(tf.where(better, stopping.epoch, stopping.best_epoch))
        late = stopping.epoch - stopping.best_epoch >= patience
        stopping.stopped.assign(late | stopping.stopped)

    def _keep(self) -> int:
        for best, variable in zip(self._best, self._trainable, strict=True):
            best.assign(variable.value)
        return 0

    def _validate(self, arrays: Arrays, order: Any, size: int) -> tuple[Any, Any]:
        """Sum of losses and sum of weights over the windows that judge an epoch."""

        def step(i: Any, total: Any, seen: Any) -> Any:
            loss, weights, _ = self._batch_loss(*batch_of(self._gather, arrays, order, i, size), training=False)
            here = tf.reduce_sum(weights)
            return i + 1, total + loss * here, seen + here

        begin = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        if order.shape[0] == size:  # one batch: no loop to compile
            return step(*begin)[1:]
        return tf.while_loop(lambda i, *_: i < order.shape[0] // size, step, begin)[1:]


def _of_windows(program: TensorFlowProgram, samples: Windows) -> np.ndarray:
    if samples.y.length > program.evaluation.outputs:
        return program.recursive_forecast(samples)
    return program.evaluation.evaluate(upload(samples), samples.starts)[1]


_ANSWERS: dict[type, Any] = {
    Windows: _of_windows,
    Stream: TensorFlowProgram.read,
    Ragged: lambda program, samples: program.evaluation.answer(upload(samples), samples)[1],
}

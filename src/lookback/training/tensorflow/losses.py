"""The loss of a batch, with the memory of a stateful language model.

Shapes in comments: b samples of a batch, t steps, v tokens.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

_LOSSES: dict[str, Callable[..., Any]] = {
    "mae": keras.losses.MeanAbsoluteError,
    "mse": keras.losses.MeanSquaredError,
    "huber": keras.losses.Huber,
    "crossentropy": lambda **kw: keras.losses.SparseCategoricalCrossentropy(from_logits=True, **kw),
}


class BatchLoss:
    """From a batch to its mean loss.

    Args:
        network: views of one set of weights.
        initial_state: of each place of a batch that follows a text from batch to batch; none where nobody does.
    """

    def __init__(self, network: Any, initial_state: list[Any]):
        self._network = network
        # The mean over weights, not over the batch: padding has weight 0 and is no part of any mean.
        self._loss = _LOSSES[network.loss](reduction="mean_with_sample_weight")
        self.memory = [tf.Variable(state) for state in initial_state]

    def __call__(self, xs: Any, y: Any, weight: Any, training: bool, goes_on: Any = None) -> tuple[Any, Any, Any]:
        """Mean loss, the weight of each term of it, and what the core says."""
        if self.memory and training:
            target, prediction = y, self._with_memory(xs[0], goes_on)
            answer = prediction
        else:
            target, prediction, answer = self._network.loss_model([*xs, y], training=training)
        if (
            self._network.step_model is not None
        ):  # a loss at every step: weights of its full shape, Keras does not broadcast
            weight = tf.repeat(weight[:, None], tf.shape(y)[1], axis=1)  # (b, t)
        return self._loss(target, prediction, sample_weight=weight), weight, answer

    def _with_memory(self, x: Any, goes_on: Any) -> Any:
        """Logits (b, t, v) of windows that begin with what the ones before left behind, or with nothing."""
        keep = tf.cast(goes_on, tf.float32)
        logits, *after = self._network.step_model([x, *(m * keep for m in self.memory)], training=True)  # type: ignore[misc]
        for memory, state in zip(self.memory, after, strict=True):
            memory.assign(state)
        return logits

"""Early stopping as data inside the compiled program."""

import math
from typing import Any

import numpy as np
import tensorflow as tf


class EarlyStopping:
    """How a trial stands: variables that live in the program, so that it can validate and stop by itself."""

    def __init__(self) -> None:
        self.total, self.seen = tf.Variable(0.0), tf.Variable(0.0)  # of the epoch that runs
        self.epoch, self.best_epoch = tf.Variable(0), tf.Variable(0)
        self.best_loss = tf.Variable(math.inf)
        self.finite, self.stopped = tf.Variable(True), tf.Variable(False)

    def start(self) -> None:
        """A new trial."""
        for variable, value in ((self.total, 0.0), (self.seen, 0.0), (self.epoch, 0), (self.best_epoch, 0)):
            variable.assign(value)
        self.best_loss.assign(math.inf)
        self.finite.assign(True)
        self.stopped.assign(False)

    def add(self, loss: Any, weight: Any, finite: Any) -> None:
        """A step is done."""
        self.total.assign_add(loss * weight)
        self.seen.assign_add(weight)
        self.finite.assign(self.finite & finite)
        self.stopped.assign(self.stopped | ~finite)

    def mean(self) -> Any:
        """Mean loss of the epoch so far."""
        return self.total / tf.maximum(self.seen, 1)

    def end_epoch(self) -> Any:
        """The epoch is done: its mean loss."""
        loss = self.mean()
        self.total.assign(0.0)
        self.seen.assign(0.0)
        self.epoch.assign_add(1)
        return loss

    def state(self) -> dict[str, np.ndarray]:
        """All of it as arrays."""
        return {name: variable.numpy() for name, variable in vars(self).items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from a state."""
        for name, variable in vars(self).items():
            variable.assign(state[name])

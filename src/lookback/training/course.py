"""What goes into a run of epochs, what comes out, and how a trial stands while it runs."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Epochs:
    """Epochs to run.

    Attributes:
        orders: numbers of the samples of each batch, (steps, batch size); all epochs have as many.
        lengths: what the examples of each batch are padded to, (steps,); 0 for windows.
        rates: learning rate of each.
        capacity: the most steps that an epoch of this trial has: programs are compiled for it, so
            that the refit, which has more samples, compiles nothing.
        limit: at most so many steps an epoch.
    """

    orders: list[np.ndarray]
    lengths: list[np.ndarray]
    rates: list[float]
    capacity: int
    limit: int | None


class Course:
    """How a trial goes: variables that live in the program, so that it can judge and stop by itself."""

    def __init__(self) -> None:
        self.total, self.seen = tf.Variable(0.0), tf.Variable(0.0)  # of the epoch that runs
        self.epoch, self.best_epoch = tf.Variable(0), tf.Variable(0)
        self.best_loss = tf.Variable(math.inf)
        self.fine, self.stopped = tf.Variable(True), tf.Variable(False)

    def begin(self) -> None:
        """A new trial."""
        for variable, value in ((self.total, 0.0), (self.seen, 0.0), (self.epoch, 0), (self.best_epoch, 0)):
            variable.assign(value)
        self.best_loss.assign(math.inf)
        self.fine.assign(True)
        self.stopped.assign(False)

    def add(self, loss: Any, weight: Any, fine: Any) -> None:
        """A step is done."""
        self.total.assign_add(loss * weight)
        self.seen.assign_add(weight)
        self.fine.assign(self.fine & fine)
        self.stopped.assign(self.stopped | ~fine)

    def mean(self) -> Any:
        """Mean loss of the epoch so far."""
        return self.total / tf.maximum(self.seen, 1)

    def close_epoch(self) -> Any:
        """The epoch is done: its mean loss."""
        loss = self.mean()
        self.total.assign(0.0)
        self.seen.assign(0.0)
        self.epoch.assign_add(1)
        return loss

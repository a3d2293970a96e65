"""Which epochs a run has, and how fast each learns."""

import math
from dataclasses import dataclass

import numpy as np

from lookback.settings import Training


@dataclass(frozen=True)
class Epochs:
    """Epochs to run.

    Attributes:
        indices: numbers of the samples of each batch, (steps, batch size); all epochs have as many.
        lengths: what the examples of each batch are padded to, (steps,); 0 for windows.
        rates: learning rate of each.
        capacity: the most steps that an epoch of this trial has: programs are compiled for it, so
            that the refit, which has more samples, compiles nothing.
        limit: at most so many steps an epoch.
    """

    indices: list[np.ndarray]
    lengths: list[np.ndarray]
    rates: list[float]
    capacity: int
    limit: int | None


def learning_rate(training: Training, epoch: int) -> float:
    """Of an epoch, from 1. The refit follows the same schedule and stops where val chose."""
    if training.decay == "none":
        return training.learning_rate
    return training.learning_rate * (1 + math.cos(math.pi * (epoch - 1) / training.epochs)) / 2

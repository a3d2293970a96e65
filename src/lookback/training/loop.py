"""Fit a contestant, floor or network alike, and hand back something that predicts."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lookback.config import Training
from lookback.data.contract import Data, Samples, Stream, Windows

if TYPE_CHECKING:
    from lookback.training.course import Watch

Prediction = np.ndarray | dict[str, np.ndarray]


class Floor(Protocol):
    """A contestant without gradients."""

    parameters: int

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Learn from `train`; choose on `val`, or keep what was chosen where it is None."""

    def predict(self, samples: Samples) -> Prediction:
        """What comes next, for every sample."""


@dataclass
class Fitted:
    """A contestant that has learnt.

    Attributes:
        chosen: predicts as fitted on train: what val scores and choices come from.
        final: predicts as refitted on train+val (or `chosen` where the task does not refit).
        epochs: that val chose; 0 for floors.
        diverged: a loss or gradient was not finite; these are the last finite weights.
        parameters: trainable numbers.
        seconds: of fitting and refitting, imports aside, compilation included.
    """

    chosen: Any
    final: Any
    parameters: int
    seconds: float
    epochs: int = 0
    diverged: bool = False
    compiler: str = "none"
    history: list[tuple[float, float]] = field(default_factory=list)


def fit_floor(floor: Floor, data: Data, refit: bool) -> Fitted:
    """Fit, choose on val, and refit on train+val where the task says so."""
    began = time.perf_counter()
    floor.fit(data.train, data.val)
    final = floor
    if refit:
        final = copy.copy(floor)
        final.fit(data.train_and_val, None)
    return Fitted(floor, final, floor.parameters, time.perf_counter() - began)


def fit_network(
    build: Callable[[Data], Any], units: int, data: Data, training: Training, seed: int, refit: bool, watch: "Watch"
) -> Fitted:
    """Train with early stopping on val, then anew on train+val for the epochs that val chose.

    Args:
        build: data -> `lookback.models.networks.Network` with fresh weights from Keras's global seed.
        units: of the body; decides between XLA and graph mode.
        seed: of the weights, of dropout and of the order of the samples.
    """
    began = time.perf_counter()
    capacity = len(data.train) + (len(data.val) if refit else 0)
    longest = min(training.epochs, training.limit_epochs or training.epochs)
    chosen, history, best = _train(build, units, data, training, seed, longest, capacity, watch, stop=True)
    diverged, final = chosen.diverged, chosen
    if refit and not diverged:
        everything = replace(data, train=data.train_and_val)
        final, _, _ = _train(build, units, everything, training, seed, best, capacity, watch, stop=False)
        diverged = final.diverged
    parameters = sum(int(np.prod(v.shape)) for v in chosen.program.network.trainer.trainable_variables)
    return Fitted(
        chosen,
        final,
        parameters,
        time.perf_counter() - began,
        best,
        diverged,
        "xla" if chosen.xla else "graph",
        history,
    )


@dataclass
class Trained:
    """Weights, and the program that computes with them."""

    program: Any
    weights: list[np.ndarray]
    xla: bool
    diverged: bool

    def predict(self, samples: Samples) -> Prediction:
        """Windows -> (n, outputs); a stream -> nats and guess of every target."""
        from lookback.training import engine

        self.program.load(self.weights)
        arrays = engine.upload(samples)
        if isinstance(samples, Stream):
            return self.program.read(arrays, samples)
        return self.program.evaluate(arrays, samples.starts)[1]

    def write(self, prompt: np.ndarray, length: int, seed: int) -> np.ndarray:
        """Let a language model go on after `prompt`: (length,) tokens."""
        self.program.load(self.weights)
        return self.program.write(prompt, length, seed)

    @property
    def model(self) -> Any:
        """The Keras model, with these weights in it until the program is used again."""
        self.program.load(self.weights)
        return self.program.network.model


def _train(
    build: Callable[[Data], Any],
    units: int,
    data: Data,
    training: Training,
    seed: int,
    epochs: int,
    capacity: int,
    watch: "Watch",
    stop: bool,
) -> tuple[Trained, list[tuple[float, float]], int]:
    """Train for `epochs`; with `stop`, keep the weights of the best val loss and stop when it no longer falls."""
    import keras

    from lookback.training import engine

    keras.utils.set_random_seed(seed)
    fresh = build(data)
    xla = engine.uses_xla(training.compiler, units, data.per_step)
    program = engine.program_for(fresh, data.loss, data.train, training.batch_size, training.clip_norm, xla)
    program.begin([v.numpy() for v in fresh.trainer.variables])
    arrays, history = engine.upload(data.train), History(watch)
    inside = data.val if stop and isinstance(data.val, Windows) else None
    at_once = program.block(capacity) if inside or not stop else 1

    for first in range(1, epochs + 1, at_once):
        numbers = range(first, min(first + at_once, epochs + 1))
        block = engine.Epochs(
            orders=[data.train.epoch(seed, epoch) for epoch in numbers],
            rates=[_learning_rate(training, epoch) for epoch in numbers],
            capacity=capacity,
            limit=training.limit_steps,
        )
        program.train(arrays, block, inside, training.patience if stop else epochs, history)
        if stop and not inside and not program.diverged:  # a stream is read from outside
            val_loss = float(program.read(arrays, data.val)["nats"].mean())  # type: ignore[arg-type]
            program.judge(val_loss, training.patience)
            history.judged(val_loss)
        if program.stopped:
            break
    if stop:
        program.restore_best()
    return Trained(program, program.weights(), xla, program.diverged), history.losses, max(program.best_epoch, 1)


class History:
    """Loss and val loss of every epoch; passes on what it sees once both are known."""

    def __init__(self, watch: "Watch"):
        self.losses: list[tuple[float, float]] = []
        self.steps = watch.steps
        self._watch = watch

    def epoch(self, epoch: int, loss: float, val_loss: float) -> None:
        """An epoch is done."""
        self.losses.append((loss, val_loss))
        if math.isfinite(val_loss):
            self._watch.epoch(epoch, loss, val_loss)

    def judged(self, val_loss: float) -> None:
        """The val loss of the last epoch, measured from outside."""
        loss, _ = self.losses[-1]
        self.losses[-1] = loss, val_loss
        self._watch.epoch(len(self.losses), loss, val_loss)


def _learning_rate(training: Training, epoch: int) -> float:
    """Of an epoch, from 1. The refit follows the same course and stops where val chose."""
    if training.decay == "none":
        return training.learning_rate
    return training.learning_rate * (1 + math.cos(math.pi * (epoch - 1) / training.epochs)) / 2

"""Fit a contestant, floor or network alike, and hand back something that predicts."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from lookback.config import Training
from lookback.data.contract import Data, Samples, Stream, Windows

Prediction = np.ndarray | dict[str, np.ndarray]


class Floor(Protocol):
    """A contestant without gradients."""

    parameters: int

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Learn from `train`; choose on `val`, or keep what was chosen where it is None."""

    def predict(self, samples: Samples) -> Prediction:
        """What comes next, for every sample."""


class Watch(Protocol):
    """Somebody who looks on: a progress bar, a tracker. It changes nothing."""

    def steps(self, epoch: int, done: int, total: int, loss: float) -> None:
        """Some steps of an epoch are done."""

    def epoch(self, epoch: int, loss: float, val_loss: float) -> None:
        """An epoch is done."""


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
    build: Callable[[Data], Any], units: int, data: Data, training: Training, seed: int, refit: bool, watch: Watch
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
    watch: Watch,
    stop: bool,
) -> tuple[Trained, list[tuple[float, float]], int]:
    """Train for `epochs`; with `stop`, keep the weights of the best val loss and stop when it no longer falls."""
    import keras

    from lookback.training import engine

    keras.utils.set_random_seed(seed)
    fresh = build(data)
    xla = engine.uses_xla(training.compiler, units, data.per_step)
    program = engine.program_for(fresh, data.loss, data.train, training.batch_size, training.clip_norm, xla)
    program.begin([v.numpy() for v in fresh.trainer.variables], training.learning_rate)
    arrays = engine.upload(data.train)

    history: list[tuple[float, float]] = []
    best_loss, best_epoch, best, fine = math.inf, 0, program.weights(), True
    for epoch in range(1, epochs + 1):
        program.set_learning_rate(_learning_rate(training, epoch))
        order = data.train.epoch(seed, epoch)
        loss, fine = program.train(
            arrays, order, capacity, training.limit_steps, lambda *a, epoch=epoch: watch.steps(epoch, *a)
        )
        val_loss = _val_loss(program, arrays, data.val) if stop else math.nan
        fine = fine and (not stop or math.isfinite(val_loss))
        history.append((loss, val_loss))
        watch.epoch(epoch, loss, val_loss)
        if stop and val_loss < best_loss:
            best_loss, best_epoch, best = val_loss, epoch, program.weights()
        if not fine or (stop and epoch - best_epoch >= training.patience):
            break
    if not stop:
        best_epoch, best = epochs, program.weights()
    return Trained(program, best, xla, not fine), history, max(best_epoch, 1)


def _val_loss(program: Any, arrays: Any, val: Samples) -> float:
    if isinstance(val, Stream):
        return float(program.read(arrays, val)["nats"].mean())
    return program.evaluate(arrays, val.starts)[0]


def _learning_rate(training: Training, epoch: int) -> float:
    """Of an epoch, from 1. The refit follows the same course and stops where val chose."""
    if training.decay == "none":
        return training.learning_rate
    return training.learning_rate * (1 + math.cos(math.pi * (epoch - 1) / training.epochs)) / 2

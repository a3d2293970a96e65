"""Fit a model, baseline or network alike: val chooses, then it is fitted anew for each fold."""

import contextlib
import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lookback.data.dataset import Data, Fold
from lookback.settings import Training
from lookback.training.callbacks import Callback, Fit
from lookback.training.compiler import uses_xla
from lookback.training.fitted import Baseline, Ensemble, Fitted, Stopwatch, Trained
from lookback.training.program import Program, program_for
from lookback.training.schedule import Epochs, learning_rate


def fit_baseline(baseline: Baseline, data: Data, refit: bool, callback: Callback | None = None) -> Fitted:
    """Fit, choose on val, and fit anew for each fold where the task says so."""
    stopwatch, finals = Stopwatch(), [baseline] * len(data.folds)
    first = Fit(0, len(data.folds) if refit else 0, epochs=1)
    with _told(callback, first):
        baseline.fit(data.train, data.val)
    for i, fold in enumerate(data.folds if refit else ()):
        with _told(callback, replace(first, fold=i + 1)):
            finals[i] = _refitted(baseline, fold)
    return Fitted(baseline, finals, baseline.parameters, *stopwatch.read())


@contextlib.contextmanager
def _told(callback: Callback | None, fit: Fit) -> Iterator[None]:
    """A fit of a baseline: one epoch without a loss."""
    if callback:
        callback.on_fit_begin(fit)
    yield
    if callback:
        callback.on_epoch_end(1, math.nan, math.nan)


def _refitted(baseline: Baseline, fold: Fold) -> Baseline:
    final = copy.copy(baseline)
    final.fit(fold.train, None)
    return final


@dataclass(frozen=True)
class Recipe:
    """How a network is made and trained.

    Attributes:
        build: data -> `lookback.models.networks.Network` with fresh weights from Keras's global seed.
        units: of the backbone; decides between XLA and graph mode.
        members: networks whose mean is the answer.
        average_models: Keras models -> one model that answers with their mean.
        refit: fit anew for each fold, for the epochs that val chose.
        warm_start: each fold goes on from the weights of the one before.
        after_epoch: called with the network as it stands and the number of the epoch, where val judges from outside.
    """

    build: Callable[[Data], Any]
    units: int
    members: int
    average_models: Callable[[list[Any]], Any]
    training: Training
    refit: bool
    warm_start: bool
    after_epoch: Callable[[Trained, int], None] | None = None


def fit_network(recipe: Recipe, data: Data, seed: int, callback: Callback) -> Fitted:
    """Train with early stopping on val, then anew for each fold for the epochs that val chose.

    Args:
        seed: of the weights, of dropout and of the order of the samples. Member i of an ensemble of
            n has the seed n * seed + i.
    """
    stopwatch = Stopwatch()
    fits = [_fit_member(recipe, data, seed, i, callback) for i in range(recipe.members)]
    if recipe.members == 1:
        chosen, finals = fits[0].chosen, fits[0].finals
    else:
        chosen = Ensemble([fit.chosen for fit in fits], recipe.average_models)
        finals = [
            Ensemble(list(several), recipe.average_models) for several in zip(*(f.finals for f in fits), strict=True)
        ]
    return Fitted(
        chosen,
        finals,
        sum(fit.parameters for fit in fits),
        *stopwatch.read(),
        round(sum(fit.epochs for fit in fits) / len(fits)),
        any(fit.diverged for fit in fits),
        fits[0].compiler,
        fits[0].history,
    )


def restored(recipe: Recipe, data: Data, units: Any, models: list[Any]) -> Trained | Ensemble:
    """A network that was fitted before, from the Keras models of its members.

    Args:
        data: of the same shape as what it was fitted on, see `Problem.stand_in`.
        units: in which the members compute.
        models: values of the file in, predictions out.
    """
    members = []
    for model in models:
        fresh = replace(recipe.build(data), units=units)
        fresh.model.set_weights(model.get_weights())
        weights = [v.numpy() for v in fresh.loss_model.variables]
        members.append(Trained(_program(recipe, fresh, data)[0], units, weights, diverged=False))
    return members[0] if len(members) == 1 else Ensemble(members, recipe.average_models)


def _program(recipe: Recipe, fresh: Any, data: Data) -> tuple[Program, bool]:
    """The program of an architecture, and whether XLA compiles it."""
    import keras

    texts = fresh.step_model is not None or not data.train.fixed_length
    xla = uses_xla(recipe.training.compiler, recipe.units, texts)
    return program_for(fresh, data.train, recipe.training, xla, keras.backend.backend()), xla


def _fit_member(recipe: Recipe, data: Data, seed: int, member: int, callback: Callback) -> Fitted:
    import keras

    training, seed = recipe.training, recipe.members * seed + member
    keras.utils.set_random_seed(seed)
    fresh = recipe.build(data)
    data = fresh.units.inside(data)
    program, xla = _program(recipe, fresh, data)
    weights = [v.numpy() for v in fresh.loss_model.variables]
    # Compiled for the fold with the most samples, so that no other one compiles anything.
    fitted_on = [data.train, *(fold.train for fold in data.folds if recipe.refit)]
    capacity = max(samples.steps(training.batch_size) for samples in fitted_on)
    one = NetworkFit(program, fresh.units, training, seed, capacity, recipe.after_epoch)

    longest = min(training.epochs, training.limit_epochs or training.epochs)
    first = Fit(0, len(data.folds) if recipe.refit else 0, longest, member + 1, recipe.members)
    callback.on_fit_begin(first)
    chosen, history, best = one.run(weights, data, longest, callback, stop=True)
    finals = [chosen] * len(data.folds)
    if recipe.refit and not chosen.diverged:
        finals = []
        for i, fold in enumerate(data.folds):
            callback.on_fit_begin(replace(first, fold=i + 1, epochs=best))
            begin = finals[-1].weights if recipe.warm_start and finals else weights
            finals.append(one.run(begin, replace(data, train=fold.train), best, callback, stop=False)[0])
    parameters = sum(int(np.prod(v.shape)) for v in fresh.loss_model.trainable_variables)
    diverged = chosen.diverged or any(final.diverged for final in finals)
    return Fitted(chosen, finals, parameters, 0.0, 0.0, best, diverged, "xla" if xla else "graph", history)


@dataclass
class NetworkFit:
    """Runs of one member: the same program, seed and shapes, other data and weights to begin with."""

    program: Program
    units: Any
    training: Training
    seed: int
    capacity: int
    after_epoch: Callable[[Trained, int], None] | None

    def run(
        self, weights: list[np.ndarray], data: Data, epochs: int, callback: Callback, stop: bool
    ) -> tuple[Trained, list[tuple[float, float]], int]:
        """Train for `epochs`; with `stop`, val judges each of them.

        Then the weights of the best val loss are kept, and it stops when that no longer falls; or,
        without patience, all epochs are run and the last weights are kept.
        """
        program, training = self.program, self.training
        patience = training.patience if stop and training.patience else epochs + 1
        program.start(weights)
        program.network.rescale(data)
        inside: Any = data.val if stop and program.validates_inside else None
        history = History(callback, waits=stop and not inside)
        at_once = program.block(self.capacity) if inside or not stop else 1

        for first in range(1, epochs + 1, at_once):
            numbers = range(first, min(first + at_once, epochs + 1))
            schedules = [
                data.train.schedule(training.batch_size, self.seed, epoch, training.stateful) for epoch in numbers
            ]
            block = Epochs(
                indices=[schedule.indices for schedule in schedules],
                lengths=[schedule.lengths for schedule in schedules],
                rates=[learning_rate(training, epoch) for epoch in numbers],
                capacity=self.capacity,
                limit=training.limit_steps,
            )
            program.run(data.train, block, inside, patience, history)
            if stop and not inside and not program.diverged:
                val_loss = program.validation_loss(data.val)
                program.validated(val_loss, patience)
                history.validated(val_loss)
                if self.after_epoch:
                    self.after_epoch(Trained(program, self.units, program.weights(), False), first)
            if program.stopped:
                break
        best = len(history.losses)
        if stop and training.patience:
            program.restore_best()
            best = max(program.best_epoch, 1)
        return Trained(program, self.units, program.weights(), program.diverged), history.losses, best


class History:
    """Loss and val loss of every epoch; passes on what it sees.

    Args:
        waits: the val loss is measured from outside, after an epoch.
    """

    def __init__(self, callback: Callback, waits: bool):
        self.losses: list[tuple[float, float]] = []
        self.on_fit_begin, self.on_steps_end = callback.on_fit_begin, callback.on_steps_end
        self._callback, self._waits = callback, waits

    def on_epoch_end(self, epoch: int, loss: float, val_loss: float) -> None:
        """An epoch is done."""
        self.losses.append((loss, val_loss))
        if not self._waits:
            self._callback.on_epoch_end(epoch, loss, val_loss)

    def validated(self, val_loss: float) -> None:
        """The val loss of the last epoch, measured from outside."""
        loss, _ = self.losses[-1]
        self.losses[-1] = loss, val_loss
        self._callback.on_epoch_end(len(self.losses), loss, val_loss)

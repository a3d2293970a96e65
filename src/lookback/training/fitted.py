"""What a fit leaves behind: something that predicts, baseline or network alike."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from lookback.data.dataset import Data
from lookback.data.samples import Ragged, Samples, Windows
from lookback.data.sampling import SamplingConfig
from lookback.evaluation.predictions import Prediction


class Baseline(Protocol):
    """A model without gradients."""

    parameters: int

    def fit(self, train: Windows | Ragged, val: Samples | None) -> None:
        """Learn from `train`; choose on `val`, or keep what was chosen where it is None."""

    def predict(self, samples: Samples) -> Prediction:
        """What comes next, for every sample."""


@dataclass
class Fitted:
    """A model that has learnt.

    Attributes:
        chosen: predicts as fitted on train: what val scores and choices come from.
        finals: one for each fold, fitted on all that was known at its origin (or `chosen` again
            where the task does not refit).
        epochs: that val chose; 0 for baselines.
        diverged: a loss or gradient was not finite; these are the last finite weights.
        parameters: trainable numbers.
        seconds: of fitting and refitting, imports aside, compilation included.
        cpu_seconds: the same in computing time, of all threads: what other work on the machine does not change.
    """

    chosen: Any
    finals: list[Any]
    parameters: int
    seconds: float
    cpu_seconds: float
    epochs: int = 0
    diverged: bool = False
    compiler: str = "none"
    history: list[tuple[float, float]] = field(default_factory=list)

    @property
    def final(self) -> Any:
        """The one that knows most: what one would use tomorrow."""
        return self.finals[-1]

    def test(self, data: Data) -> Prediction:
        """What the folds predict, one after the other."""
        parts = [final.predict(fold.test) for final, fold in zip(self.finals, data.folds, strict=True)]
        return type(parts[0]).concatenated(parts)


@dataclass
class Trained:
    """Weights, the program that computes with them, and the units in which it does (`models.networks.units`)."""

    program: Any
    units: Any
    weights: list[np.ndarray]
    diverged: bool

    def predict(self, samples: Samples) -> Prediction:
        """What it says of every target, in the units of the file."""
        self.program.load(self.weights)
        prediction = self.program.predict(self.units.samples(samples))
        return prediction.in_units(lambda values: self.units.values(values, samples))

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """Let a language model go on after `prompt`, (k, t): blocks of tokens, (k, some), `length` in all."""
        self.program.load(self.weights)
        return self.program.write(prompt, length, sampling)

    @property
    def model(self) -> Any:
        """The Keras model, with these weights in it until the program is used again."""
        self.program.load(self.weights)
        return self.units.around(self.program.network.core)


@dataclass
class Ensemble:
    """Several trained networks; the answer is the mean of theirs."""

    members: list[Trained]
    average_models: Callable[[list[Any]], Any]

    def predict(self, samples: Samples) -> Prediction:
        """As each member does."""
        several = [member.predict(samples) for member in self.members]
        return type(several[0]).mean(several)

    @property
    def units(self) -> Any:
        """They are measured on train, and so the same for all."""
        return self.members[0].units

    @property
    def model(self) -> Any:
        """One Keras model of them all."""
        return self.average_models([_copy(member.model) for member in self.members])


def _copy(model: Any) -> Any:
    import keras

    copied = keras.models.clone_model(model)
    copied.set_weights(model.get_weights())
    return copied


class Stopwatch:
    """Time since it was made."""

    def __init__(self) -> None:
        self._began, self._computed = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Seconds that went by, and seconds that all threads of this process computed."""
        return time.perf_counter() - self._began, time.process_time() - self._computed

"""What a fit leaves behind: something that predicts, baseline or network alike."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from lookback.data.dataset import Data
from lookback.data.samples import Ragged, Samples, Stream, Windows
from lookback.data.sampling import SamplingConfig

Prediction = np.ndarray | dict[str, np.ndarray]


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
        """What the folds foretell, one after the other."""
        parts = [final.predict(fold.test) for final, fold in zip(self.finals, data.folds, strict=True)]
        if not isinstance(parts[0], dict):
            return np.concatenate(parts)  # type: ignore[arg-type]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}  # type: ignore[index]


@dataclass
class Trained:
    """Weights, the program that computes with them, and the units in which it does (`models.networks.units`)."""

    program: Any
    units: Any
    weights: list[np.ndarray]
    diverged: bool

    def predict(self, samples: Samples) -> Prediction:
        """Windows -> (n, outputs) or the probabilities of classes; a stream -> nats and guess of every target.

        Where the windows ask for more steps than the network says at once, its answers are fed back. Numbers are in
        the units of the file.
        """
        from lookback.training import engine

        self.program.load(self.weights)
        of_file, samples = samples, self.units.samples(samples)
        arrays = engine.upload(samples)
        if isinstance(samples, Stream):
            return self.program.streams.read(arrays, samples)
        if isinstance(samples, Ragged):
            answers = self.program.answer(arrays, samples)[1]
            return {"probabilities": answers} if self.program.classes else answers
        if self.program.classes:
            return {"probabilities": self.program.evaluate(arrays, samples.starts)[1]}
        if samples.y.length > self.program.outputs:
            return self.units.values(self.program.roll(arrays, samples.starts, samples.y.length), of_file)
        return self.units.values(self.program.evaluate(arrays, samples.starts)[1], of_file)

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """Let a language model go on after `prompt`, (k, t): blocks of tokens, (k, some), `length` in all."""
        self.program.load(self.weights)
        return self.program.streams.write(prompt, length, sampling)

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
        return _mean([member.predict(samples) for member in self.members])

    @property
    def model(self) -> Any:
        """One Keras model of them all."""
        return self.average_models([_copy(member.model) for member in self.members])


def _copy(model: Any) -> Any:
    import keras

    copied = keras.models.clone_model(model)
    copied.set_weights(model.get_weights())
    return copied


def _mean(predictions: list[Prediction]) -> Prediction:
    if not isinstance(predictions[0], dict):
        return np.mean(predictions, axis=0)  # type: ignore[arg-type]
    return {name: np.mean([p[name] for p in predictions], axis=0) for name in predictions[0]}  # type: ignore[index]


class Stopwatch:
    """Time since it was made."""

    def __init__(self) -> None:
        self._began, self._computed = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Seconds that went by, and seconds that all threads of this process computed."""
        return time.perf_counter() - self._began, time.process_time() - self._computed

"""What a training program is, whichever library compiles it, and the ones that are kept.

A maker takes a network, the layout of its samples and how it is trained, and returns a program. TensorFlow is the one
maker so far. A trial of an architecture that was seen before overwrites the weights, the optimizer's slots and the
learning rate of the program that exists, and nothing is compiled again.
"""

import importlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from lookback.data.samples import Ragged, Samples, Stream, Windows
from lookback.data.sampling import SamplingConfig
from lookback.evaluation.predictions import Prediction, Tokens
from lookback.settings import Training
from lookback.training.callbacks import Callback
from lookback.training.schedule import Epochs

PROGRAMS = 8  # that are kept: a sweep trains the seeds of an architecture one after the other

Weights = list[np.ndarray]
Tree = dict[str, Any]  # of arrays: lists and dictionaries, nothing else

MAKERS = {"tensorflow": "lookback.training.tensorflow.program:TensorFlowProgram"}  # Keras backend -> maker
_programs: dict[str, "Program"] = {}


class Program(Protocol):
    """Compiled training of one architecture; its state is one tree of arrays."""

    network: Any
    batch_size: int
    validates_inside: bool  # val is a part of the program; else the caller measures `validation_loss`

    def start(self, weights: Weights) -> None:
        """A new trial: these weights, an optimizer that has seen nothing, no best epoch yet."""

    def block(self, capacity: int) -> int:
        """How many epochs of at most `capacity` steps are run at once."""

    def run(self, samples: Samples, epochs: Epochs, val: Windows | None, patience: int, callback: Callback) -> None:
        """Run a block of epochs, or as many of them as early stopping and finite losses allow."""

    def validation_loss(self, samples: Samples) -> float:
        """The mean loss of samples that are validated from outside."""

    def validated(self, val_loss: float, patience: int) -> None:
        """Say how good the epoch that `run` ended is, where its caller measures that."""

    def predict(self, samples: Samples) -> Prediction:
        """What the weights say of every target, in the units of the network."""

    def recursive_forecast(self, samples: Windows) -> np.ndarray:
        """Each answer takes its place in the window of the next: (n, steps)."""

    def read(self, stream: Stream) -> Tokens:
        """Read a text once, front to back, the state carried along."""

    def write(self, prompt: np.ndarray, length: int, sampling: SamplingConfig) -> Iterator[np.ndarray]:
        """Go on after `prompt`, (k, t): blocks of tokens, (k, some), `length` in all."""

    def load(self, weights: Weights) -> None:
        """Put weights into the network (all its variables, seeds of dropout included)."""

    def weights(self) -> Weights:
        """A copy of all variables of the network."""

    def restore_best(self) -> None:
        """Go back to the weights of the best val loss, if there was one."""

    def state(self) -> Tree:
        """All that a run goes on from."""

    def restore(self, state: Tree) -> None:
        """Go on from the state of a program of the same architecture."""

    @property
    def stopped(self) -> bool:
        """Whether early stopping or a loss that is not finite ended the trial."""

    @property
    def diverged(self) -> bool:
        """Whether some loss or gradient was not finite. No update was applied since."""

    @property
    def best_epoch(self) -> int:
        """The epoch of the best val loss, from 1; 0 where there was none."""


def program_for(network: Any, samples: Windows | Ragged, training: Training, xla: bool, backend: str) -> Program:
    """The program for an architecture: made once in a process, then reused.

    It may own another network of the same architecture: weights go in by `load`.
    """
    config = json.dumps(network.loss_model.get_config(), sort_keys=True, default=str)
    config = re.sub(r'"seed": \d+', '"seed": 0', config)
    numbers = training.batch_size, training.clip_norm, training.weight_decay, training.stateful
    key = repr((backend, config, network.loss, samples.layout(), numbers, xla))
    program = _programs.pop(key, None) or _maker(backend)(network, samples, training, xla)
    _programs[key] = program  # the one that was used last stands last
    while len(_programs) > PROGRAMS:
        del _programs[next(iter(_programs))]
    return program


def _maker(backend: str) -> Callable[..., Program]:
    module, _, name = MAKERS[backend].partition(":")
    return getattr(importlib.import_module(module), name)

"""Two seconds of training: whether the engine runs here, and how fast."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookback import problems
from lookback.configuration import compose
from lookback.experiment.model import model_of
from lookback.training.callbacks import Silent
from lookback.upkeep.arguments import Doctor

# The smallest recurrent network of the first task. It is fitted once to compile it, and once more to be timed.
WORDS = ("task=airline", "task.refit=false", "model=lstm", "model.units=8", "training.patience=null")


@dataclass(frozen=True)
class Found:
    """Steps of the second fit and how long they took; whether every loss was finite."""

    steps: int
    seconds: float
    sound: bool


def train(wanted: Doctor, root: Path) -> Found:
    """Train it. Nothing is logged.

    Raises:
        LookbackError: the file of the task or the device cannot be used.
    """
    machine = (f"device={wanted.device}", f"threads={wanted.threads}", f"training.epochs={wanted.epochs}")
    settings = compose.settings(compose.composed([*WORDS, *machine]))
    data = problems.load(settings.task, settings.evaluation, root)
    model = model_of(settings)
    model.fit(settings, data, Silent())
    began = time.perf_counter()
    fitted = model.fit(settings, data, Silent())
    seconds = time.perf_counter() - began
    steps = wanted.epochs * data.train.steps(settings.training.batch_size)
    sound = not fitted.diverged and bool(np.isfinite(np.array(fitted.history)).all())
    return Found(steps, seconds, sound)

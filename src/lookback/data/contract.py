"""What the data hands to everybody else: samples, and the facts that a model needs to know.

A window is an index, never a copy. `Windows` holds long arrays once and the first row of each
sample; `x` and `y` say which rows a sample takes, counted from there. Ten million rows with a
look-back of 100 cost the ten million rows and one 4-byte index a sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Span:
    """Rows `start + offset .. start + offset + length` of one of the arrays."""

    array: str
    offset: int
    length: int

    def rows(self, starts: np.ndarray) -> np.ndarray:
        """Row numbers of each sample: (n,) -> (n, length)."""
        return starts[:, None] + np.arange(self.offset, self.offset + self.length)


@dataclass(frozen=True)
class Windows:
    """Samples of one length, cut from long arrays.

    Attributes:
        arrays: name -> (rows,) or (rows, columns), in the units of the file.
        starts: (n,) int32, the first row of each sample, in time order.
        x: what a model may see of a sample.
        y: what it must say.
        jitter: each epoch shifts all windows by one random number of rows below this (1: never).
    """

    arrays: Mapping[str, np.ndarray]
    starts: np.ndarray
    x: Span
    y: Span
    jitter: int = 1

    def __len__(self) -> int:
        return len(self.starts)

    def epoch(self, seed: int, epoch: int) -> np.ndarray:
        """The starts in the order in which this epoch visits them: a function of (seed, epoch)."""
        rng = np.random.default_rng([seed, epoch])
        return rng.permutation(self.starts) + np.int32(rng.integers(self.jitter))

    def inputs(self) -> np.ndarray:
        """All `x`, copied out: (n, lookback) or (n, lookback, columns)."""
        return self.arrays[self.x.array][self.x.rows(self.starts)]

    def targets(self) -> np.ndarray:
        """All `y`, copied out: (n, outputs)."""
        return self.arrays[self.y.array][self.y.rows(self.starts)]

    def target_rows(self) -> np.ndarray:
        """Row number of every target: (n, outputs)."""
        return self.y.rows(self.starts)


@dataclass(frozen=True)
class Stream:
    """One unbroken stretch of a sequence, read once from its first row to its last.

    Targets are rows `start .. stop` of the array; the input of each is the row before it, so the
    first input may stand in the split before. A model begins with no memory at `start`.
    """

    arrays: Mapping[str, np.ndarray]
    array: str
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def targets(self) -> np.ndarray:
        """The tokens to foretell: (n,)."""
        return self.arrays[self.array][self.start : self.stop]

    def target_rows(self) -> np.ndarray:
        """Row number of every target: (n,)."""
        return np.arange(self.start, self.stop)


Samples = Windows | Stream


@dataclass(frozen=True)
class Ends:
    """How a forecasting network sees the target column, and what its raw output means.

    `log`: it works on logarithms. `difference`: what a value is compared with: "none" (values as
    they are), "last" (the last of the window) or "season" (the value one season before it).
    """

    log: bool
    difference: Literal["none", "last", "season"]


@dataclass(frozen=True)
class Data:
    """Samples of the three splits and the facts of the task.

    Attributes:
        train, val, test: samples; each belongs to the split that holds its target.
        labels: (rows,) what a reader calls each row: a date, or a position in a text.
        outputs: numbers (or classes) that a model says for one step.
        tokens: the vocabulary, index -> text; empty where the inputs are numbers.
        season: rows in one season, 1 where there is none.
        digest: SHA-256 of what was read.
        notes: what was done to the data, in words for people.
    """

    train: Windows
    val: Samples
    test: Samples
    labels: np.ndarray
    outputs: int
    unit: str
    digest: str
    season: int = 1
    tokens: tuple[str, ...] = ()
    ends: Ends = Ends(log=False, difference="none")
    embedding: int = 0
    loss: str = "crossentropy"
    notes: tuple[str, ...] = ()

    @property
    def per_step(self) -> bool:
        """Whether a model speaks at every step of the window, or only after the last."""
        return isinstance(self.test, Stream)

    @property
    def train_and_val(self) -> Windows:
        """Every sample before test, for the refit."""
        if not isinstance(self.val, Windows):
            raise TypeError("a stream cannot be refitted on: set task.refit to false")
        return replace(self.train, starts=np.concatenate([self.train.starts, self.val.starts]))

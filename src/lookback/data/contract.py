"""What the data hands to everybody else: samples, and the facts that a model needs to know.

A window is an index, never a copy. `Windows` holds long arrays once and the first row of each
sample; `x` and `y` say which rows a sample takes, counted from there. Ten million rows with a
look-back of 100 cost the ten million rows and one 4-byte index a sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
        arrays: name -> (rows,) or (rows, columns), in the units of the file. Only those that `x` and
            `y` name reach a network. Series of numbers also have: "first" (rows,) int32, the first row
            of the unbroken stretch that a row belongs to; "series" (rows,) int32, the number of its
            series; "year" (rows,), the share of its year that has gone by (nan without dates); "moment"
            (rows,), a number for the time of a row, the same in all series.
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

    def origins(self) -> np.ndarray:
        """First row after each window, the first that nobody has seen: (n,)."""
        return self.starts + self.x.offset + self.x.length


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


class UnsuitedError(ValueError):
    """A contestant cannot learn from these data; the message says why, and what to set."""


@dataclass(frozen=True)
class Ends:
    """How a forecasting network sees the target column, and what its raw output means.

    `log`: it works on logarithms. `difference`: what a value is compared with: "none" (values as
    they are), "last" (the last of the window) or "season" (the value one season before it).
    `scale`: by what the result is divided: "train" (its spread in train) or "window" (its spread in
    the window, and then that).
    """

    log: bool
    difference: Literal["none", "last", "season"]
    scale: Literal["train", "window"]


@dataclass(frozen=True)
class Fold:
    """One origin of an evaluation: fit on what was known then, forecast what came after.

    Attributes:
        train: every sample whose targets were known at the origin.
        test: the samples that are forecast from here.
    """

    train: Windows
    test: Samples


@dataclass(frozen=True)
class Data:
    """Samples of the three splits and the facts of the task.

    Attributes:
        train, val, test: samples; each belongs to the split that holds its target. `test` is what
            the folds forecast, one after the other.
        folds: the origins; one where the test part is held out as a whole.
        labels: (rows,) what a reader calls each row: a date, or a position in a text.
        outputs: numbers (or classes) that a model says at once.
        columns: names of the columns of a window; the target is the first.
        ahead: how many of the last columns are known ahead: a row of the window holds what they are
            `reach` rows later, so that the window's last `reach` rows tell of the rows to come.
        reach: see `ahead`.
        tokens: the vocabulary, or the kinds to tell apart, index -> text; empty where targets are numbers.
        season: rows in one season, 1 where there is none.
        names: of the series, as `arrays["series"]` numbers them.
        digest: SHA-256 of what was read.
        notes: what was done to the data, in words for people.
    """

    train: Windows
    val: Samples
    test: Samples
    folds: tuple[Fold, ...]
    labels: np.ndarray
    outputs: int
    unit: str
    digest: str
    columns: tuple[str, ...] = ()
    ahead: int = 0
    reach: int = 1
    season: int = 1
    tokens: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    ends: Ends = Ends(log=False, difference="none", scale="train")
    embedding: int = 0
    loss: str = "crossentropy"
    notes: tuple[str, ...] = ()

    @property
    def per_step(self) -> bool:
        """Whether a model speaks at every step of the window, or only after the last."""
        return isinstance(self.test, Stream)

    @property
    def kinds(self) -> bool:
        """Whether a model says which of the `tokens` the target is."""
        return bool(self.tokens)

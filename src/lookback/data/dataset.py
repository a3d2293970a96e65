"""What the data hands to everybody else: the samples of a task, and the facts that a model needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lookback.data.samples import Ragged, Samples, Windows

# What of the data a trained model must know to answer: the fields of `Data` that a bundle keeps.
KEPT = ("outputs", "unit", "digest", "columns", "ahead", "reach", "season", "tokens", "words", "letters", "bounds",
        "buckets", "names", "begins", "ranges")  # fmt: skip


class UnsuitedError(ValueError):
    """A model cannot learn from these data; the message says why, and what to set."""


@dataclass(frozen=True)
class TargetTransform:
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

    train: Windows | Ragged
    test: Samples


@dataclass(frozen=True)
class Data:
    """Samples of the three splits and the facts of the task.

    Attributes:
        train, val, test: samples; each belongs to the split that holds its target. `test` is what
            the folds forecast, one after the other.
        folds: the origins; one where the test part is held out as a whole.
        index: (rows,) what a reader calls each row (a date, a position in a text) or example (its place in the file).
        outputs: numbers (or classes) that a model says at once.
        columns: names of the columns of a window; the target is the first.
        ahead: how many of the last columns are known ahead: a row of the window holds what they are
            `reach` rows later, so that the window's last `reach` rows tell of the rows to come.
        reach: see `ahead`.
        tokens: what the target is one of, index -> text: the vocabulary of a language model, or the classes to
            tell apart; empty where targets are numbers.
        words, letters: vocabularies of the examples' words and of the letters that spell them, index -> text.
            0 is padding, 1 is unknown.
        bounds: lowest and highest value that a target can have; None where any number goes.
        buckets: the lengths that examples are padded to, ascending; none where all samples are as long.
        season: rows in one season, 1 where there is none.
        names: of the series, as `arrays["series"]` numbers them.
        begins: when the first row of each series is, in ISO 8601, or its step number.
        ranges: of a file of rows, lowest and highest value of every column of numbers.
        digest: SHA-256 of all that was read: texts, labels, the files of the parts and their order, not where they
            lie. Of a task that is one plain file, that of the file.
        whole: every sample: what a model is fitted on that is to be used.
        notes: what was done to the data, in words for people.
        facts: of a file of rows, what a card of it shows, name -> value; see `series.Series`.
    """

    train: Windows | Ragged
    val: Samples
    test: Samples
    folds: tuple[Fold, ...]
    index: np.ndarray
    outputs: int
    unit: str
    digest: str
    columns: tuple[str, ...] = ()
    ahead: int = 0
    reach: int = 1
    season: int = 1
    tokens: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    buckets: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    whole: Windows | Ragged | None = None
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

"""What a model predicts, by type: numbers, one of several classes, or the next token of a text.

Losses, means and tables need to know no more of a prediction than this.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

Column = dict[str, np.ndarray]


class Prediction:
    """Arrays with a row for each target (or each sample) of a split. See the three types below."""

    def __len__(self) -> int:
        return len(next(iter(self._arrays().values())))

    def __getitem__(self, rows: Any) -> Self:
        """Some of the rows."""
        return type(self)(**{name: array[rows] for name, array in self._arrays().items()})

    @classmethod
    def mean(cls, several: Sequence[Self]) -> Self:
        """What several models say of the same targets on average."""
        return cls._combined(several, lambda arrays: np.mean(arrays, axis=0))

    @classmethod
    def concatenated(cls, parts: Sequence[Self]) -> Self:
        """One part after the other: the folds of a backtest."""
        return cls._combined(parts, np.concatenate)

    def in_units(self, convert: Callable[[np.ndarray], np.ndarray]) -> Self:
        """With numbers in other units; probabilities have none."""
        return self

    def frame(self, truth: np.ndarray, names: Sequence[str] = ()) -> Column:
        """The columns of a table of predictions: the truth and the prediction.

        Args:
            truth: as the metrics take it.
            names: code -> name, of classes or tokens.
        """
        raise NotImplementedError

    def _arrays(self) -> Column:
        found = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {name: array for name, array in found.items() if array is not None}

    @classmethod
    def _combined(cls, several: Sequence[Self], combine: Any) -> Self:
        return cls(**{name: combine([one._arrays()[name] for one in several]) for name in several[0]._arrays()})


@dataclass(frozen=True)
class Points(Prediction):
    """Numbers in the unit of the file: `values`, (n, horizon) float64; ratings are (n, 1)."""

    values: np.ndarray

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """NumPy takes it for its values."""
        return np.asarray(self.values, dtype)

    def in_units(self, convert: Callable[[np.ndarray], np.ndarray]) -> "Points":
        """With numbers in other units."""
        return Points(convert(self.values))

    def frame(self, truth: np.ndarray, names: Sequence[str] = ()) -> Column:
        """`truth` and `forecast`, one step of the horizon after the other: (n * horizon,) each."""
        return {"truth": truth.ravel(), "forecast": self.values.ravel()}


@dataclass(frozen=True)
class Classes(Prediction):
    """How likely each class is: `probabilities`, (n, classes), each row adds up to 1."""

    probabilities: np.ndarray

    @property
    def guess(self) -> np.ndarray:
        """The code of the likeliest class, the first of several: (n,)."""
        return self.probabilities.argmax(axis=1)

    def frame(self, truth: np.ndarray, names: Sequence[str] = ()) -> Column:
        """`truth`, `guess` and `p(<class>)`: (n,) each."""
        named = np.array(names)
        chances = {f"p({name})": self.probabilities[:, i] for i, name in enumerate(names)}
        return {"truth": named[truth], "guess": named[self.guess], **chances}


@dataclass(frozen=True)
class Tokens(Prediction):
    """The next token of a text, at every step.

    Attributes:
        nats: (n,) float64, -ln P of the token that came.
        guess: (n,) int, the code of the likeliest one.
        characters: (n,) int, how many characters of the file each target stands for; None where nobody asks.
    """

    nats: np.ndarray
    guess: np.ndarray
    characters: np.ndarray | None = None

    def frame(self, truth: np.ndarray, names: Sequence[str] = ()) -> Column:
        """`truth`, `guess` and `nats`: (n,) each."""
        named = np.array(names)
        return {"truth": named[truth], "guess": named[self.guess], "nats": self.nats.round(5)}

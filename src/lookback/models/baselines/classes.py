"""Baselines for tasks that ask which of several classes comes next."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from lookback.data.dataset import Data, UnsuitedError
from lookback.data.samples import Windows
from lookback.evaluation.predictions import Classes
from lookback.models.baselines import seen_rows
from lookback.models.baselines.libraries import one_thread
from lookback.models.baselines.linear import design
from lookback.models.catalogue import baseline
from lookback.settings.base import Numbers, Positive


class LogisticSettings(Numbers):
    """Logistic regression on the window; the inverse penalties `Cs` are tried on val."""

    Cs: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


@dataclass
class Frequencies:
    """How often each class occurs in the rows of train. A class that does not occur counts as half a time."""

    classes: int
    shares: np.ndarray | None = None  # (classes,)
    parameters: int = 0

    def fit(self, train: Any, val: Any) -> None:
        """Count; nothing is chosen."""
        self.shares = self._shares(train)
        self.parameters = self.classes - 1

    def predict(self, samples: Any) -> Classes:
        """The same for every target: (n, classes)."""
        assert self.shares is not None, "predict comes after fit"
        return Classes(np.tile(self.shares, (len(samples.target_rows()), 1)))

    def _shares(self, train: Any) -> np.ndarray:
        return _shares(train, self.classes)


@dataclass
class Persistence:
    """The last class stays, with the probability that classes stayed with in train; else as often as they occur.

    Stays and changes are each counted half a time too many (Jeffreys), so that nothing is impossible.
    """

    classes: int
    stay: float = 0.0
    shares: np.ndarray | None = None  # (classes,)
    parameters: int = 0

    def fit(self, train: Windows, val: Windows | None) -> None:
        """Count; nothing is chosen."""
        classes = seen_rows.values(train)
        pairs = np.concatenate([np.arange(start + 1, stop) for _, start, stop in seen_rows.known_segments(train)])
        self.stay = float((np.sum(classes[pairs] == classes[pairs - 1]) + 0.5) / (len(pairs) + 1))
        self.shares = _shares(train, self.classes)
        self.parameters = self.classes

    def predict(self, samples: Windows) -> Classes:
        """(n, classes)."""
        assert self.shares is not None, "predict comes after fit"
        last = seen_rows.values(samples)[samples.origins() - 1]  # (n,)
        p = (1 - self.stay) * self.shares / (1 - self.shares[last])[:, None]  # (n, classes)
        p[np.arange(len(last)), last] = self.stay
        return Classes(p)


@dataclass
class Logistic:
    """Multinomial logistic regression on the standardised values of the window (scikit-learn).

    Raises:
        UnsuitedError: train windows are followed by one class only.
    """

    classes: int
    Cs: tuple[float, ...]
    ahead: int
    reach: int
    C: float | None = None
    coefficients: np.ndarray | None = None  # (k, classes), for raw values
    intercept: np.ndarray | None = None  # (classes,)
    parameters: int = 0

    def fit(self, train: Windows, val: Windows | None) -> None:
        """Learn; the C with the lowest log loss on `val` is chosen."""
        if val is not None:
            losses = []
            for C in self.Cs:
                self._solve(train, C)
                p = self.predict(val).probabilities
                losses.append(-np.log(p[np.arange(len(val)), val.targets()[:, 0]]).mean())
            self.C = self.Cs[int(np.argmin(losses))]
        assert self.C is not None, "fit without val comes after a fit with it"
        self._solve(train, self.C)

    def predict(self, samples: Windows) -> Classes:
        """(n, classes)."""
        assert self.intercept is not None, "predict comes after fit"
        parts = [self._inputs(block) @ self.coefficients + self.intercept for block in seen_rows.blocks(samples)]
        scores = np.concatenate(parts)  # (n, classes)
        p = np.exp(scores - scores.max(1, keepdims=True))
        return Classes(p / p.sum(1, keepdims=True))

    def _solve(self, train: Windows, C: float) -> None:
        from sklearn.linear_model import LogisticRegression

        x, y = self._inputs(train), train.targets()[:, 0]
        mean, spread = x.mean(0), x.std(0)
        spread = np.where(spread > 0, spread, 1)
        if len(np.unique(y)) < 2:
            raise UnsuitedError("logistic has one class only to learn from in train; set task.split")
        with one_thread():
            found = LogisticRegression(C=C, max_iter=1000).fit((x - mean) / spread, y)
        weights, bias = found.coef_.T, found.intercept_  # (k, found), (found,)
        if len(found.classes_) == 2:  # one column says both
            weights, bias = np.concatenate([0 * weights, weights], axis=1), np.append(0, bias)
        self.coefficients = np.zeros((x.shape[1], self.classes))
        # A class that no window of train is followed by: below the least likely one, and not impossible.
        self.intercept = np.full(self.classes, bias.min() - np.log(len(y)))
        self.coefficients[:, found.classes_] = weights / spread[:, None]
        self.intercept[found.classes_] = bias - mean @ self.coefficients[:, found.classes_]
        self.parameters = weights.size + bias.size

    def _inputs(self, block: Windows) -> np.ndarray:
        return design(block, self.ahead, self.reach)


def _shares(train: Windows, classes: int) -> np.ndarray:
    """How often each class occurs in the rows of train: (classes,), nowhere 0."""
    known = np.concatenate([seen_rows.values(train)[start:stop] for _, start, stop in seen_rows.known_segments(train)])
    return shares(known, classes)


def shares(targets: np.ndarray, classes: int) -> np.ndarray:
    """How often each class occurs, half a time where it does not: (classes,), adding up to 1."""
    counts = np.maximum(np.bincount(targets, minlength=classes), 0.5)
    return counts / counts.sum()


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("frequencies", Numbers, problems=("classify",))
def _frequencies(data: Data) -> Frequencies:
    return Frequencies(len(data.tokens))


@baseline("persistence", Numbers, problems=("classify",))
def _persistence(data: Data) -> Persistence:
    return Persistence(len(data.tokens))


@baseline("logistic", LogisticSettings, problems=("classify",))
def _logistic(data: Data, **numbers: Any) -> Logistic:
    return Logistic(len(data.tokens), ahead=data.ahead, reach=data.reach, **numbers)

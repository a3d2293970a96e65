"""Ridge autoregression, of values or of their logarithms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from lookback.data.dataset import Data, UnsuitedError
from lookback.data.samples import Windows
from lookback.evaluation.predictions import Points
from lookback.models.baselines import seen_rows
from lookback.models.baselines.recursion import roll_forward
from lookback.models.catalogue import baseline
from lookback.settings.base import Numbers


def design(samples: Windows, ahead: int, reach: int) -> np.ndarray:
    """What a regression sees of each window: every value, and of the columns known ahead the last `reach`.

    Args:
        ahead, reach: as `Data` says.

    Returns:
        (n, lookback * (columns - ahead) + reach * ahead); the last value of the target is in
        column (lookback - 1) * (columns - ahead).
    """
    window = samples.inputs()  # (n, lookback, columns)
    seen = window.shape[2] - ahead
    parts = window[:, :, :seen], window[:, -reach:, seen:]
    return np.concatenate([part.reshape(len(samples), -1) for part in parts], axis=1)


class LinearSettings(Numbers):
    """Ridge autoregression on the window, of values or of their logarithms; the penalties `alphas` are tried on val."""

    alphas: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(strict=False, min_length=1)]


@dataclass
class Linear:
    """Ridge regression of the next values on the values of the window.

    Columns are standardised, the intercept is free. The normal equations are summed block by block,
    so that no more than `seen_rows.BLOCK` windows are ever copied out; one eigendecomposition serves every
    alpha. With `log` it works on logarithms of the target column and answers with exp, the median.
    Hoerl & Kennard, Technometrics 12 (1970) 55.

    Raises:
        UnsuitedError: `log`, and a value is not above 0.
    """

    alphas: tuple[float, ...]
    ahead: int
    reach: int
    log: bool
    alpha: float | None = None
    coefficients: np.ndarray | None = None  # (k, horizon), for raw values or their logarithms
    intercept: np.ndarray | None = None  # (horizon,)
    parameters: int = 0

    def fit(self, train: Windows, val: Windows | None) -> None:
        """Learn; the alpha with the lowest mean absolute error on `val` is chosen."""
        solve = _ridge(train, self._pair)
        if val is not None:
            truth = val.targets()
            errors = []
            for alpha in self.alphas:
                self.coefficients, self.intercept = solve(alpha * len(train))
                errors.append(np.abs(self.predict(val).values - truth).mean())
            self.alpha = self.alphas[int(np.argmin(errors))]
        assert self.alpha is not None, "fit without val comes after a fit with it"
        self.coefficients, self.intercept = solve(self.alpha * len(train))
        self.parameters = self.coefficients.size + self.intercept.size

    def predict(self, samples: Windows) -> Points:
        """The next values of every window: (n, horizon)."""
        assert self.intercept is not None, "predict comes after fit"
        if samples.y.length > len(self.intercept):
            return Points(roll_forward(samples, lambda windows: self.predict(windows).values))
        parts = [self._inputs(block) @ self.coefficients + self.intercept for block in seen_rows.blocks(samples)]
        return Points(np.exp(np.concatenate(parts)) if self.log else np.concatenate(parts))

    def _pair(self, block: Windows) -> tuple[np.ndarray, np.ndarray]:
        targets = block.targets()
        return self._inputs(block), _logarithm(targets) if self.log else targets

    def _inputs(self, block: Windows) -> np.ndarray:
        inputs = design(block, self.ahead, self.reach)  # (block, k)
        if self.log:
            columns = block.arrays[block.x.array].shape[1] - self.ahead
            past = np.s_[:, : block.x.length * columns : columns]  # the target column of every row
            inputs[past] = _logarithm(inputs[past])
        return inputs


def _logarithm(numbers: np.ndarray) -> np.ndarray:
    if np.min(numbers, initial=1) <= 0:
        raise UnsuitedError(f"log_linear takes logarithms, and the target is {numbers.min():g} in a row; choose linear")
    return np.log(numbers)


Solver = Callable[[float], tuple[np.ndarray, np.ndarray]]


def _ridge(train: Windows, pair: Callable[[Windows], tuple[np.ndarray, np.ndarray]]) -> Solver:
    """A function: penalty -> (coefficients, intercept) of the ridge regression.

    Args:
        pair: a block of windows -> its inputs (block, k) and answers (block, horizon).
    """
    n = len(train)
    sums = [(x.sum(0), y.sum(0)) for x, y in map(pair, seen_rows.blocks(train))]
    mean_x, mean_y = (sum(parts) / n for parts in zip(*sums, strict=True))  # (k,), (horizon,)
    gram: np.ndarray | float = 0.0
    cross: np.ndarray | float = 0.0
    for x, y in map(pair, seen_rows.blocks(train)):
        gram = gram + (x - mean_x).T @ (x - mean_x)  # (k, k)
        cross = cross + (x - mean_x).T @ (y - mean_y)  # (k, horizon)
    spread = np.sqrt(np.diag(gram) / n)  # (k,)
    spread = np.where(spread > 0, spread, 1)
    eigenvalues, vectors = np.linalg.eigh(gram / np.outer(spread, spread))
    projected = vectors.T @ (cross / spread[:, None])
    # Below this the data do not show a direction.
    smallest = eigenvalues.max() * len(eigenvalues) * np.finfo(float).eps

    def solve(penalty: float) -> tuple[np.ndarray, np.ndarray]:
        shrunk = np.divide(1, eigenvalues + penalty, out=np.zeros(len(eigenvalues)), where=eigenvalues > smallest)
        coefficients = vectors @ (shrunk[:, None] * projected) / spread[:, None]
        return coefficients, mean_y - mean_x @ coefficients

    return solve


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("linear", LinearSettings, problems=("forecast",))
def _linear(data: Data, **numbers: Any) -> Linear:
    return Linear(ahead=data.ahead, reach=data.reach, log=False, **numbers)


@baseline("log_linear", LinearSettings, problems=("forecast",))
def _log_linear(data: Data, **numbers: Any) -> Linear:
    return Linear(ahead=data.ahead, reach=data.reach, log=True, **numbers)

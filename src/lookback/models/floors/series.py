"""Floors for forecasts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lookback.data.contract import Samples, Windows

BLOCK = 16_384  # windows copied out at a time


@dataclass
class SeasonalNaive:
    """The value `season` rows before the target; the latest known one where that lies ahead."""

    season: int
    parameters: int = 0

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Nothing to learn."""

    def predict(self, samples: Windows) -> np.ndarray:
        """(n, horizon). May read rows before the window, never after it."""
        ahead = np.arange(samples.y.length)  # (horizon,)
        last = samples.starts[:, None] + samples.x.length - 1  # (n, 1)
        rows = last + 1 - self.season + ahead % self.season  # (n, horizon)
        return samples.arrays[samples.y.array][rows]


@dataclass
class Linear:
    """Ridge regression of the next values on every value of the window.

    Columns are standardised, the intercept is free. The normal equations are summed block by block,
    so that no more than `BLOCK` windows are ever copied out; one eigendecomposition serves every
    strength. Hoerl & Kennard, Technometrics 12 (1970) 55.
    """

    strengths: tuple[float, ...]
    strength: float | None = None
    coefficients: np.ndarray | None = None  # (lookback * columns, horizon), for raw values
    intercept: np.ndarray | None = None  # (horizon,)
    parameters: int = 0

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Learn; the strength with the lowest mean absolute error on `val` is chosen."""
        solve = _normal_equations(train)
        if isinstance(val, Windows):
            truth = val.targets()
            errors = []
            for strength in self.strengths:
                self.coefficients, self.intercept = solve(strength * len(train))
                errors.append(np.abs(self.predict(val) - truth).mean())
            self.strength = self.strengths[int(np.argmin(errors))]
        assert self.strength is not None, "fit without val comes after a fit with it"
        self.coefficients, self.intercept = solve(self.strength * len(train))
        self.parameters = self.coefficients.size + self.intercept.size

    def predict(self, samples: Windows) -> np.ndarray:
        """The next values of every window: (n, horizon)."""
        parts = [flat @ self.coefficients + self.intercept for flat, _ in _blocks(samples)]
        return np.concatenate(parts)


def _blocks(samples: Windows) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for first in range(0, len(samples), BLOCK):
        part = Windows(samples.arrays, samples.starts[first : first + BLOCK], samples.x, samples.y)
        yield part.inputs().reshape(len(part), -1), part.targets()  # (block, lookback * columns), (block, horizon)


def _normal_equations(train: Windows) -> Callable[[float], tuple[np.ndarray, np.ndarray]]:
    """A function: penalty -> (coefficients, intercept) of the ridge regression."""
    n = len(train)
    mean_x = sum(x.sum(0) for x, _ in _blocks(train)) / n  # (k,)
    mean_y = sum(y.sum(0) for _, y in _blocks(train)) / n  # (horizon,)
    gram: np.ndarray | float = 0.0
    cross: np.ndarray | float = 0.0
    for x, y in _blocks(train):
        gram = gram + (x - mean_x).T @ (x - mean_x)  # (k, k)
        cross = cross + (x - mean_x).T @ (y - mean_y)  # (k, horizon)
    spread = np.sqrt(np.diag(gram) / n)  # (k,)
    spread = np.where(spread > 0, spread, 1)
    values, vectors = np.linalg.eigh(gram / np.outer(spread, spread))
    projected = vectors.T @ (cross / spread[:, None])
    smallest = values.max() * len(values) * np.finfo(float).eps  # below it, a direction the data do not show

    def solve(penalty: float) -> tuple[np.ndarray, np.ndarray]:
        shrunk = np.where(values > smallest, 1 / np.maximum(values + penalty, smallest), 0)
        coefficients = vectors @ (shrunk[:, None] * projected) / spread[:, None]
        return coefficients, mean_y - mean_x @ coefficients

    return solve

"""Least absolute deviations: the linear regression whose errors have the smallest mean size, as MAE counts them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from lookback.data.dataset import Data
from lookback.data.samples import Samples, Windows
from lookback.evaluation.predictions import Points
from lookback.models.baselines import seen_rows
from lookback.models.baselines.libraries import one_thread
from lookback.models.baselines.linear import design
from lookback.models.baselines.recursion import roll_forward
from lookback.models.catalogue import baseline
from lookback.settings.base import Numbers

GAP = 1e-6  # of the mean absolute error: how far above the smallest it may stay
ROUNDS = 60  # it takes 10 to 25


class LadSettings(Numbers):
    """Least absolute deviations on the window and yearly harmonics; `products` adds squares and products of them."""

    harmonics: Annotated[int, Field(ge=0)]
    products: bool


@dataclass
class Lad:
    """Linear regression of each step on the window and on the harmonics of the year, by least absolute deviations.

    The inputs are those of `linear`, with sine and cosine of the year and its multiples at the first
    target (left out where rows have no dates). With `products` also x^2 and x * harmonics, x the last
    value: the season may change how much of yesterday stays.
    """

    harmonics: int
    products: bool
    ahead: int
    reach: int
    level: float = 0.0  # of the target in train: its square would drown on a high level
    coefficients: np.ndarray | None = None  # (k, horizon)
    intercept: np.ndarray | None = None  # (horizon,)
    parameters: int = 0

    def fit(self, train: Windows, val: Samples | None) -> None:
        """Learn; nothing is chosen."""
        targets = train.targets()  # (n, horizon)
        self.level, size = float(targets.mean()), float(targets.std()) if np.ptp(targets) > 0 else 1.0
        mean, spread = _moments(train, self._inputs)  # (k,), (k,)

        def standardised() -> Iterator[np.ndarray]:
            for block in seen_rows.blocks(train):
                x = (self._inputs(block) - mean) / spread
                yield np.concatenate([np.ones((len(x), 1)), x], axis=1)  # (block, 1 + k)

        # One block is made once, not in every round.
        kept = list(standardised()) if len(train) <= seen_rows.BLOCK else []
        inputs = (lambda: iter(kept)) if kept else standardised
        with one_thread():
            answers = ((targets - self.level) / size).T
            fitted = size * np.stack([least_absolute(inputs, y) for y in answers], axis=1)  # (1 + k, horizon)
        self.coefficients = fitted[1:] / spread[:, None]
        self.intercept = self.level + fitted[0] - mean @ self.coefficients
        self.parameters = fitted.size

    def predict(self, samples: Windows) -> Points:
        """The next values of every window: (n, horizon)."""
        assert self.intercept is not None, "predict comes after fit"
        if samples.y.length > len(self.intercept):
            return Points(roll_forward(samples, lambda windows: self.predict(windows).values))
        parts = [self._inputs(block) @ self.coefficients + self.intercept for block in seen_rows.blocks(samples)]
        return Points(np.concatenate(parts))

    def _inputs(self, block: Windows) -> np.ndarray:
        inputs = design(block, self.ahead, self.reach)
        last = seen_rows.values(block)[block.origins() - 1][:, None] - self.level  # (block, 1)
        year = seen_rows.harmonics(block, block.target_rows()[:, 0], self.harmonics if seen_rows.dated(block) else 0)
        products = [last**2, last * year] if self.products else []
        return np.concatenate([inputs, year, *products], axis=1)


def _moments(train: Windows, inputs: Callable[[Windows], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    n = len(train)
    mean = sum(inputs(block).sum(0) for block in seen_rows.blocks(train)) / n
    spread = np.sqrt(sum(np.square(inputs(block) - mean).sum(0) for block in seen_rows.blocks(train)) / n)
    return mean, np.where(spread > 0, spread, 1)


def least_absolute(inputs: Callable[[], Iterator[np.ndarray]], y: np.ndarray) -> np.ndarray:
    """The b of the smallest sum |y - X b|, by an interior-point method.

    Its dual is a linear programme: the largest y'd where X'd = 0 and -1 <= d <= 1. Each round is one
    weighted least squares on the way to it; block by block, as `Linear` does it.
    Portnoy & Koenker, Statistical Science 12 (1997) 279.

    Args:
        inputs: gives X anew, in blocks of (block, k).
        y: (n,).

    Returns:
        (k,); of many equally good ones any.
    """
    b = _weighted(inputs, y, np.ones(len(y)))
    residual = y - _times(inputs, b)
    size = np.abs(residual).mean()
    if size == 0:
        return b
    above, below = np.maximum(residual, 0) + size / 10, np.maximum(-residual, 0) + size / 10  # (n,), multipliers
    d = np.zeros(len(y))
    for _ in range(ROUNDS):
        gap = above @ (1 - d) + below @ (1 + d)
        if gap <= GAP * np.abs(residual).sum():
            break
        push = gap / (20 * len(y))
        weight = 1 / (above / (1 - d) + below / (1 + d))
        aim = y - push / (1 - d) + push / (1 + d)
        new = _weighted(inputs, aim, weight)
        move = weight * (aim - _times(inputs, new))
        more_above = (push + above * move) / (1 - d) - above
        more_below = (push - below * move) / (1 + d) - below
        primal = _longest(1 - d, -move, 1 + d, move)
        dual = _longest(above, more_above, below, more_below)
        d = d + primal * move
        above, below = above + dual * more_above, below + dual * more_below
        b = b + dual * (new - b)
        residual = y - _times(inputs, b)
    return b


def _longest(*pairs: np.ndarray) -> float:
    """The longest step, 1 at most, that keeps every value + step * change above 0."""
    limits = [np.min(-v[c < 0] / c[c < 0], initial=np.inf) for v, c in zip(pairs[::2], pairs[1::2], strict=True)]
    return min(1.0, 0.9995 * min(limits))


def _weighted(inputs: Callable[[], Iterator[np.ndarray]], y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted least squares: (k,)."""
    gram, cross, at = np.zeros((1, 1)), np.zeros(1), 0
    for x in inputs():
        part = slice(at, at + len(x))
        root = np.sqrt(weight[part])
        weighted = x * root[:, None]  # a matrix times its own transpose costs half of one times another
        gram, cross, at = gram + weighted.T @ weighted, cross + weighted.T @ (root * y[part]), at + len(x)
    # Columns may say the same twice: as little as rounding loses keeps them solvable, five times as fast as lstsq.
    little = np.trace(gram) * np.finfo(float).eps
    return np.linalg.solve(gram + little * np.eye(len(gram)), cross)


def _times(inputs: Callable[[], Iterator[np.ndarray]], b: np.ndarray) -> np.ndarray:
    return np.concatenate([x @ b for x in inputs()])  # (n,)


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("lad", LadSettings, problems=("forecast",))
def _lad(data: Data, **numbers: Any) -> Lad:
    return Lad(ahead=data.ahead, reach=data.reach, **numbers)

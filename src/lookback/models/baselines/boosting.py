"""Gradient-boosted trees."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from lookback.data.dataset import Data
from lookback.data.samples import Windows
from lookback.evaluation.predictions import Points
from lookback.models.baselines import seen_rows
from lookback.models.baselines.libraries import one_thread
from lookback.models.baselines.linear import design
from lookback.models.baselines.recursion import next_row, roll_forward
from lookback.models.catalogue import baseline
from lookback.settings.base import Count, Numbers, Positive

# Of a node: which column is compared, with what, where to go, and what a leaf says. A leaf leads to itself.
NODE = np.dtype([("column", "<i4"), ("threshold", "<f8"), ("left", "<i4"), ("right", "<i4"), ("value", "<f8")])


class BoostingSettings(Numbers):
    """Gradient-boosted trees on the window, one set for each step of the horizon."""

    rounds: Count
    learning_rate: Positive
    leaves: Annotated[int, Field(ge=2)]


@dataclass
class Boosting:
    """Histogram gradient boosting of the absolute error, one set of trees for each step of the horizon.

    Trees cannot say more than they have seen, so they learn the change against the last value, from the
    window's values against the last one, the last one itself, and the other columns as they are.
    scikit-learn fits the trees (Ke et al., LightGBM, NeurIPS 2017); they are kept as arrays and read here.
    The training windows are copied out for it.
    """

    rounds: int
    learning_rate: float
    leaves: int
    ahead: int
    reach: int
    chosen: int = 0  # rounds
    nodes: list[np.ndarray] = field(default_factory=list)  # per step (nodes,) of NODE, all its trees
    roots: list[np.ndarray] = field(default_factory=list)  # per step (rounds,): where each tree begins
    start: np.ndarray | None = None  # (horizon,): what is said before the first tree
    parameters: int = 0

    def fit(self, train: Windows, val: Windows | None) -> None:
        """Learn; the number of rounds with the lowest mean absolute error on `val` is chosen."""
        if val is not None:
            self._grow(train, self.rounds)
            # Fitted for the next row alone, it is judged by the next row alone.
            judged = val if val.y.length == train.y.length else next_row(val)
            errors = sum(self._errors(block) for block in seen_rows.blocks(judged))  # (rounds,)
            self.chosen = 1 + int(np.argmin(errors))
            self.nodes = [n[: np.append(r, len(n))[self.chosen]] for n, r in zip(self.nodes, self.roots, strict=True)]
            self.roots = [r[: self.chosen] for r in self.roots]
        else:
            self._grow(train, self.chosen)
        self.parameters = sum(map(len, self.nodes))

    def predict(self, samples: Windows) -> Points:
        """(n, horizon)."""
        if samples.y.length > len(self.nodes):
            return Points(roll_forward(samples, lambda windows: self.predict(windows).values))
        return Points(np.concatenate([self._said(block) for block in seen_rows.blocks(samples)]))

    def _grow(self, train: Windows, rounds: int) -> None:
        from sklearn.ensemble import HistGradientBoostingRegressor

        x, last = self._inputs(train)
        trees = []
        for change in (train.targets() - last).T:
            regressor = HistGradientBoostingRegressor(
                loss="absolute_error",
                learning_rate=self.learning_rate,
                max_iter=rounds,
                max_leaf_nodes=self.leaves,
                early_stopping=False,
                random_state=0,
            )
            with one_thread():
                trees.append(_as_arrays(regressor.fit(x, change)))
        self.nodes, self.roots = [t[0] for t in trees], [t[1] for t in trees]
        self.start = np.array([t[2] for t in trees])

    def _said(self, samples: Windows) -> np.ndarray:
        *_, said = self._staged(samples)
        return said

    def _errors(self, samples: Windows) -> np.ndarray:
        return np.array([np.abs(said - samples.targets()).sum() for said in self._staged(samples)])

    def _staged(self, samples: Windows) -> Iterator[np.ndarray]:
        """What is said after 1, 2 ... rounds: (n, horizon) each."""
        assert self.start is not None, "predict comes after fit"
        x, last = self._inputs(samples)
        said = last + self.start
        for trees in zip(*self.roots, strict=True):
            changes = [_leaves(x, nodes, root) for nodes, root in zip(self.nodes, trees, strict=True)]
            said = said + np.stack(changes, axis=1)
            yield said

    def _inputs(self, samples: Windows) -> tuple[np.ndarray, np.ndarray]:
        """(n, k) and the last values (n, 1)."""
        inputs = design(samples, self.ahead, self.reach)
        columns = samples.arrays[samples.x.array].shape[1] - self.ahead
        last = seen_rows.values(samples)[samples.origins() - 1][:, None]  # (n, 1)
        inputs[:, : samples.x.length * columns : columns] -= last
        inputs[:, (samples.x.length - 1) * columns] = last[:, 0]
        return inputs, last


def _as_arrays(regressor: Any) -> tuple[np.ndarray, np.ndarray, float]:
    """The nodes of all trees, the first node of each, and the constant that they are added to."""
    trees = [tree[0].nodes for tree in regressor._predictors]
    roots = np.cumsum([0, *map(len, trees)])[:-1].astype(np.int32)
    nodes = np.zeros(sum(map(len, trees)), NODE)
    whole, offset = np.concatenate(trees), np.repeat(roots, list(map(len, trees)))
    leaf, itself = whole["is_leaf"].astype(bool), np.arange(len(whole))
    nodes["column"], nodes["threshold"] = np.where(leaf, 0, whole["feature_idx"]), whole["num_threshold"]
    for side in "left", "right":
        nodes[side] = np.where(leaf, itself, whole[side] + offset)
    nodes["value"] = np.where(leaf, whole["value"], 0)
    return nodes, roots, float(regressor._baseline_prediction.item())


def _leaves(x: np.ndarray, nodes: np.ndarray, root: int) -> np.ndarray:
    """What one tree says of every row: (n,)."""
    row, at = np.arange(len(x)), np.full(len(x), root)
    while True:
        goes_left = x[row, nodes["column"][at]] <= nodes["threshold"][at]
        then = np.where(goes_left, nodes["left"][at], nodes["right"][at])
        if np.array_equal(then, at):
            return nodes["value"][at]
        at = then


# --- entries of the catalogue ---------------------------------------------------------------------


@baseline("boosting", BoostingSettings, problems=("forecast",))
def _boosting(data: Data, **numbers: Any) -> Boosting:
    return Boosting(ahead=data.ahead, reach=data.reach, **numbers)

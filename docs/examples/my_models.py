"""A baseline, a network and a metric of one's own: plugins=[docs/examples/my_models.py] names this file."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

import lookback
from lookback.data.dataset import Data
from lookback.data.samples import Windows
from lookback.evaluation.losses import Scale
from lookback.evaluation.predictions import Points
from lookback.models.networks.settings import NetworkSettings
from lookback.models.networks.spec import SequenceSpec
from lookback.settings.base import Numbers


class MedianSettings(Numbers):
    """Its numbers: their types and ranges. Their values stand in model/median.yaml."""

    rows: Annotated[int, Field(ge=1)]  # of the window, the last ones


@dataclass
class Median:
    """Every next value is the median of the last rows of the window."""

    rows: int
    parameters: int = 0

    def fit(self, train: Windows, val: Windows | None) -> None:
        """Nothing is learnt."""

    def predict(self, samples: Windows) -> Points:
        """(n, horizon)."""
        last = samples.inputs()[:, -self.rows :, 0]  # (n, rows); column 0 is the target
        return Points(np.repeat(np.median(last, axis=1)[:, None], samples.y.length, axis=1))


@lookback.baseline("median", MedianSettings, problems=["forecast"])
def median(data: Data, rows: int) -> Median:
    """Build it for these data."""
    return Median(rows)


@lookback.network("conv", NetworkSettings, problems=["forecast", "classify"])
def conv(spec: SequenceSpec, units: int, layers: int, dropout: float) -> Any:
    """Causal convolutions over three rows each, one on top of the other; the last row answers."""
    import keras

    from lookback.models.networks.layers import dropped

    def layer() -> Any:
        return keras.layers.Conv1D(units, 3, padding="causal", activation="relu")

    stack = [(layer(), dropped(dropout)) for _ in range(layers)]

    def backbone(h: Any, states: Any, mask: Any) -> tuple[Any, list[Any]]:
        for convolution, drop in stack:
            h = drop(convolution(h))  # (b, t, units)
        return h[:, -1], []  # (b, units), and no state that goes on

    return backbone


@lookback.metric("quantile", "quantile loss, 0.9", problems=["forecast"], decides=True)
def quantile(truth: np.ndarray, prediction: Points, scale: Scale) -> np.ndarray:
    """Loss of each target, (n, horizon): a forecast that is too low costs nine times one that is too high.

    Koenker & Bassett, Econometrica 46 (1978) 33.
    """
    error = truth - prediction.values
    return np.maximum(0.9 * error, -0.1 * error)

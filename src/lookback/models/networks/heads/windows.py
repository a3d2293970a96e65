"""What the heads for windows of numbers share: values in the units of `units.py`, standardised by frozen layers.

Shapes in comments: b samples, t steps, c columns, u units, o outputs.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from keras import layers

from lookback.data.dataset import Data
from lookback.models.networks.layers import Backbone, States
from lookback.models.networks.units import MEASURED_ON, moments


def with_skip_connection(backbone: Backbone) -> Backbone:
    """The backbone, and beside it the window itself: what the head makes of that is a linear autoregression.

    Lai et al., SIGIR (2018) 95: the autoregressive highway of LSTNet.
    """

    def both(x: Any, states: States | None, mask: Any) -> tuple[Any, States]:
        h, states = backbone(x, states, mask)
        return layers.Concatenate()([h, layers.Flatten()(x)]), states  # (b, u + t * c)

    return both


def standardised(steps: int, columns: int) -> layers.Layer:
    """A frozen layer that standardises what the backbone sees."""
    layer = layers.EinsumDense("btc,c->btc", (steps, columns), bias_axes="c", trainable=False, name="scale")
    layer.build((None, steps, columns))
    return layer


def unscale(outputs: int) -> layers.Layer:
    """A frozen layer that gives the output its level and spread back."""
    layer = layers.EinsumDense("bo,o->bo", outputs, bias_axes="o", trainable=False, name="unscale")
    layer.build((None, outputs))
    return layer


def measured_on(data: Data) -> Any:
    """The windows of train that scales are measured on, evenly spaced."""
    train: Any = data.train
    return replace(train, starts=train.starts[:: max(len(train) // MEASURED_ON, 1)])


def standard(values: np.ndarray) -> list[np.ndarray]:
    """Kernel and bias that give each column of (n, t, c) mean 0 and spread 1."""
    mean, spread = moments(values)
    return [1 / spread, -mean / spread]

"""Heads for windows of numbers: values in the units of `units.py` in, values or class probabilities out.

Shapes in comments: b samples, t steps, c columns, u units, o outputs, k classes.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from lookback.data.dataset import Data
from lookback.data.samples import Windows
from lookback.models.networks.backbones import Backbone, States
from lookback.models.networks.units import MEASURED_ON, moments

NO_SPREAD = 1e-6  # of a window, in units of its largest value: below it it stands still, and is divided by 1


def with_skip_connection(backbone: Backbone) -> Backbone:
    """The backbone, and beside it the window itself: what the head makes of that is a linear autoregression.

    Lai et al., SIGIR (2018) 95: the autoregressive highway of LSTNet.
    """

    def both(x: Any, states: States | None, mask: Any) -> tuple[Any, States]:
        h, states = backbone(x, states, mask)
        return layers.Concatenate()([h, layers.Flatten()(x)]), states  # (b, u + t * c)

    return both


def classifying(data: Data, backbone: Backbone) -> tuple[Any, Any]:
    """Core and loss_model: a window in, the probability of each class out."""
    x = keras.Input((data.windows.x.length, len(data.columns)), name="x")  # (b, t, c)
    y = keras.Input((1,), dtype="int32", name="y")  # (b, 1)
    h, _ = backbone(_inside(*x.shape[1:])(x), None, None)
    logits = layers.Dense(data.outputs, name="head")(h)  # (b, k)
    chances = ops.softmax(logits)  # (b, k)
    target = ops.cast(y[:, 0], "int32")
    return keras.Model(x, chances, name="core"), keras.Model([x, y], [target, logits, chances])


def forecasting(data: Data, backbone: Backbone) -> tuple[Any, Any]:
    """Core and loss_model: values in and out; the backbone sees scaled, perhaps differenced ones."""
    x = keras.Input((data.windows.x.length, len(data.columns)), name="x")  # (b, t, c)
    y = keras.Input((data.outputs,), name="y")  # (b, o)
    past, anchor, spread = _encode(x, data)  # (b, t', c), (b, o), (b, 1)
    inside, outside = _inside(*past.shape[1:]), unscale(data.outputs)
    h, _ = backbone(inside(past), None, None)
    z = layers.Dense(data.outputs, name="head")(h)  # (b, o)
    out = outside(z) * spread + anchor  # (b, o)
    target = (y - anchor) / spread
    # Scaling the target with the layer that unscales the output keeps one home for the two numbers.
    scaled = (target - outside.bias) / outside.kernel
    return keras.Model(x, out, name="core"), keras.Model([x, y], [scaled, z, out])


def _encode(x: Any, data: Data) -> tuple[Any, Any, Any]:
    """Window -> (what the backbone sees before scaling, what is added to its answer, what multiplies it).

    Column 0 is the target, perhaps as its logarithm; it alone is differenced and divided. The same code runs on
    NumPy arrays (to measure the scales) and on Keras tensors (inside the model).
    """
    target, rest = x[:, :, :1], x[:, :, 1:]  # (b, t, 1), (b, t, c - 1)
    size = ops.max(ops.abs(target), axis=1)  # (b, 1)
    if data.ends.difference == "season":
        m, first = data.season, data.windows.y.offset - data.windows.x.length  # rows to the first output
        steps = [target[:, -m + (first + h) % m, 0] for h in range(data.outputs)]  # the same season, last time round
        anchor = ops.stack(steps, axis=1)  # (b, o)
        target, rest = target[:, m:] - target[:, :-m], rest[:, m:]
    else:
        level = {
            "last": target[:, -1],  # (b, 1)
            "none": ops.mean(target, axis=1) if data.ends.scale == "window" else ops.zeros_like(target[:, -1]),
        }[data.ends.difference]
        anchor = ops.repeat(level, data.outputs, axis=1)  # (b, o)
        target = target - level[:, None]
    spread = ops.ones_like(target[:, 0])  # (b, 1)
    if data.ends.scale == "window":
        spread = ops.std(target, axis=1)  # (b, 1)
        spread = ops.where(spread > NO_SPREAD * size, spread, ops.ones_like(spread))
        target = target / spread[:, None]
    return ops.concatenate([target, rest], axis=-1), anchor, spread


def _inside(steps: int, columns: int) -> layers.Layer:
    """A frozen layer that standardises what the backbone sees."""
    layer = layers.EinsumDense("btc,c->btc", (steps, columns), bias_axes="c", trainable=False, name="scale")
    layer.build((None, steps, columns))
    return layer


def unscale(outputs: int) -> layers.Layer:
    """A frozen layer that gives the output its level and spread back."""
    layer = layers.EinsumDense("bo,o->bo", outputs, bias_axes="o", trainable=False, name="unscale")
    layer.build((None, outputs))
    return layer


def scales(data: Data) -> dict[str, list[np.ndarray]]:
    """Weights of the two frozen layers, measured on train; `data` in the network's units."""
    train = data.windows
    step = max(len(train) // MEASURED_ON, 1)
    sample = Windows(train.arrays, train.starts[::step], train.x, train.y)
    x = sample.inputs()  # (n, t, c)
    if data.classes:
        return {"scale": _standard(x)}
    past, anchor, spread = (np.asarray(a) for a in _encode(x, data))
    target = (sample.targets() - anchor) / spread  # (n, o)
    mean, spread = moments(target.reshape(-1, 1, 1))
    unscale = [np.full(data.outputs, spread[0]), np.full(data.outputs, mean[0])]
    return {"scale": _standard(past), "unscale": unscale}


def _standard(values: np.ndarray) -> list[np.ndarray]:
    """Kernel and bias that give each column of (n, t, c) mean 0 and spread 1."""
    mean, spread = moments(values)
    return [1 / spread, -mean / spread]

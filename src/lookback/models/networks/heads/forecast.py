"""Forecasts: values in, values out; the backbone sees scaled, perhaps differenced ones.

Shapes in comments: b samples, t steps, c columns, u units, o outputs.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from lookback.data.dataset import Data, TargetTransform
from lookback.models.networks.heads import windows
from lookback.models.networks.network import Network, fresh_backbone
from lookback.models.networks.spec import SequenceSpec
from lookback.models.networks.units import measured, moments
from lookback.settings.base import Numbers

NO_SPREAD = 1e-6  # of a window, in units of its largest value: below it it stands still, and is divided by 1


def forecast(data: Data, model: Numbers, transform: TargetTransform, loss: str) -> Network:
    """A network that forecasts `data.outputs` values at once, with fresh weights."""
    steps = data.train.x.length  # type: ignore[union-attr]
    backbone, options = fresh_backbone(SequenceSpec(steps), model)
    backbone = windows.with_skip_connection(backbone) if options["skip_connection"] else backbone
    x = keras.Input((steps, len(data.columns)), name="x")  # (b, t, c)
    y = keras.Input((data.outputs,), name="y")  # (b, o)
    past, anchor, spread = encode(x, data, transform)  # (b, t', c), (b, o), (b, 1)
    inside, outside = windows.standardised(*past.shape[1:]), windows.unscale(data.outputs)
    h, _ = backbone(inside(past), None, None)  # (b, u)
    z = layers.Dense(data.outputs, name="head")(h)  # (b, o)
    out = outside(z) * spread + anchor  # (b, o)
    target = (y - anchor) / spread
    # Scaling the target with the layer that unscales the output keeps one home for the two numbers.
    scaled = (target - outside.bias) / outside.kernel
    core, loss_model = keras.Model(x, out, name="core"), keras.Model([x, y], [scaled, z, out])
    own = len(data.names) > 1 and (transform.difference != "none" or transform.scale == "window")
    network = Network(
        core, loss_model, loss, units=measured(data, transform.log, own), scales=lambda part: _scales(part, transform)
    )
    return network.rescale(network.units.inside(data))


def encode(x: Any, data: Data, transform: TargetTransform) -> tuple[Any, Any, Any]:
    """Window -> (what the backbone sees before scaling, what is added to its answer, what multiplies it).

    Column 0 is the target, perhaps as its logarithm; it alone is differenced and divided. The same code runs on
    NumPy arrays (to measure the scales) and on Keras tensors (inside the model).
    """
    train: Any = data.train
    target, rest = x[:, :, :1], x[:, :, 1:]  # (b, t, 1), (b, t, c - 1)
    size = ops.max(ops.abs(target), axis=1)  # (b, 1)
    if transform.difference == "season":
        m, first = data.season, train.y.offset - train.x.length  # rows to the first output
        steps = [target[:, -m + (first + h) % m, 0] for h in range(data.outputs)]  # the same season, last time round
        anchor = ops.stack(steps, axis=1)  # (b, o)
        target, rest = target[:, m:] - target[:, :-m], rest[:, m:]
    else:
        level = {
            "last": target[:, -1],  # (b, 1)
            "none": ops.mean(target, axis=1) if transform.scale == "window" else ops.zeros_like(target[:, -1]),
        }[transform.difference]
        anchor = ops.repeat(level, data.outputs, axis=1)  # (b, o)
        target = target - level[:, None]
    spread = ops.ones_like(target[:, 0])  # (b, 1)
    if transform.scale == "window":
        spread = ops.std(target, axis=1)  # (b, 1)
        spread = ops.where(spread > NO_SPREAD * size, spread, ops.ones_like(spread))
        target = target / spread[:, None]
    return ops.concatenate([target, rest], axis=-1), anchor, spread


def _scales(data: Data, transform: TargetTransform) -> dict[str, list[np.ndarray]]:
    """Weights of the two frozen layers, measured on train; `data` in the network's units."""
    sample = windows.measured_on(data)
    past, anchor, spread = (np.asarray(a) for a in encode(sample.inputs(), data, transform))
    target = (sample.targets() - anchor) / spread  # (n, o)
    mean, spread = moments(target.reshape(-1, 1, 1))
    unscale = [np.full(data.outputs, spread[0]), np.full(data.outputs, mean[0])]
    return {"scale": windows.standard(past), "unscale": unscale}

"""Classes of the next row: a window in, the probability of each class out.

Shapes in comments: b samples, t steps, c columns, u units, k classes.
"""

import keras
from keras import layers, ops

from lookback.data.dataset import Data
from lookback.models.networks.heads import windows
from lookback.models.networks.network import Network, fresh_backbone
from lookback.models.networks.spec import SequenceSpec
from lookback.models.networks.units import measured
from lookback.settings.base import Numbers


def classify(data: Data, model: Numbers) -> Network:
    """A network that tells the class of the next row, with fresh weights."""
    steps = data.train.x.length  # type: ignore[union-attr]
    backbone, options = fresh_backbone(SequenceSpec(steps), model)
    backbone = windows.with_skip_connection(backbone) if options["skip_connection"] else backbone
    x = keras.Input((steps, len(data.columns)), name="x")  # (b, t, c)
    y = keras.Input((1,), dtype="int32", name="y")  # (b, 1)
    h, _ = backbone(windows.standardised(*x.shape[1:])(x), None, None)  # (b, u)
    logits = layers.Dense(data.outputs, name="head")(h)  # (b, k)
    chances = ops.softmax(logits)  # (b, k)
    target = ops.cast(y[:, 0], "int32")  # (b,)
    core, loss_model = keras.Model(x, chances, name="core"), keras.Model([x, y], [target, logits, chances])
    units = measured(data, log=False, own=False, classes=True)
    scales = lambda part: {"scale": windows.standard(windows.measured_on(part).inputs())}  # noqa: E731
    network = Network(core, loss_model, "crossentropy", units=units, scales=scales)
    return network.rescale(network.units.inside(data))

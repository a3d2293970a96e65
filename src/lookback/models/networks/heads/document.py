"""Documents: words in; the probability of each class, or a rating in the unit of the file, out.

Shapes in comments: b samples, t steps, e columns of an embedding, u units, k classes.
"""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from lookback.data.dataset import Data
from lookback.models.networks.heads.windows import unscale
from lookback.models.networks.heads.words import WORDS, mask_of
from lookback.models.networks.layers import dropped
from lookback.models.networks.network import Network, fresh_backbone
from lookback.models.networks.spec import SequenceSpec
from lookback.settings.base import Numbers


def document(data: Data, model: Numbers, embedding: int, rates: bool) -> Network:
    """A network that says one thing of a whole text, with fresh weights.

    Args:
        embedding: numbers that stand for a word, where the model does not say how many.
        rates: whether it says a number, or how likely each class is.
    """
    backbone, options = fresh_backbone(SequenceSpec(None), model)
    x, z = _answer(data, backbone, options, embedding)
    return _rating(data, x, z) if rates else _classes(x, z)


def _answer(data: Data, backbone: Any, options: dict[str, Any], embedding: int) -> tuple[KerasTensor, KerasTensor]:
    """Words (b, t) -> scores (b, k), or (b, 1)."""
    width, dropout = options["units"] if options["own_width"] else embedding, options["dropout"]
    x = keras.Input((None,), dtype="int32", name="words")  # (b, t)
    mask = mask_of(x)  # (b, t)
    # Whole words are left out: single numbers of a word would tell the network which it was.
    h = dropped(dropout, WORDS)(layers.Embedding(len(data.words), width, name="embedding")(x))  # (b, t, e)
    h, _ = backbone(h, None, mask)  # (b, u)
    z = layers.Dense(data.outputs, name="head")(h)  # (b, k) or (b, 1)
    if options["skip_connection"]:
        z = z + _linear(data, x, mask, dropout)
    return x, z


def _classes(x: KerasTensor, z: KerasTensor) -> Network:
    y = keras.Input((), dtype="int32", name="y")  # (b,)
    chances = ops.softmax(z)  # (b, k)
    core = keras.Model(x, chances, name="network")
    return Network(core, keras.Model([x, y], [ops.cast(y, "int32"), z, chances]), "crossentropy")


def _rating(data: Data, x: KerasTensor, z: KerasTensor) -> Network:
    y = keras.Input((), name="y")  # (b,)
    outside = unscale(1)
    rating = outside(z)  # (b, 1) in the unit of the file
    out = ops.clip(rating, *data.bounds) if data.bounds else rating
    target = (y[:, None] - outside.bias) / outside.kernel  # (b, 1)
    core, loss_model = keras.Model(x, out, name="network"), keras.Model([x, y], [target, z, out])
    return Network(core, loss_model, "mse", scales=_scales).rescale(data)


def _scales(data: Data) -> dict[str, list[np.ndarray]]:
    """Spread and mean of the ratings of train: weights of the layer "unscale"."""
    targets = data.train.targets()
    return {"unscale": [np.full(1, targets.std() or 1.0), np.full(1, targets.mean())]}


def _linear(data: Data, x: KerasTensor, mask: KerasTensor, dropout: float) -> KerasTensor:
    """A linear map of the counts of words, over the root of their number: (b, k)."""
    weights = layers.Embedding(len(data.words), data.outputs, embeddings_initializer="zeros", name="skip_connection")(x)
    weights = dropped(dropout, WORDS)(weights)  # (b, t, k)
    return ops.einsum("btk,bt->bk", weights, mask) / ops.sqrt(ops.sum(mask, axis=1, keepdims=True))

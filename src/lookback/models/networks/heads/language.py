"""Language models: tokens in, logits of the next token at every step out.

Shapes in comments: b samples, t steps, e columns of an embedding, v tokens.
"""

import keras
from keras import layers, ops

from lookback.data.dataset import Data
from lookback.models.networks.network import Network, fresh_backbone
from lookback.models.networks.spec import SequenceSpec
from lookback.settings.base import Numbers


def language(data: Data, model: Numbers, embedding: int) -> Network:
    """A language model of the vocabulary `data.tokens`, with fresh weights.

    Args:
        embedding: numbers that stand for a token, where the model does not say how many.
    """
    backbone, options = fresh_backbone(SequenceSpec(None, every_step=True, carries_state=True), model)
    width = options["units"] if options["own_width"] else embedding
    embed, head = layers.Embedding(len(data.tokens), width, name="embedding"), layers.Dense(data.outputs, name="head")

    x = keras.Input((None,), dtype="int32", name="x")  # (b, t)
    y = keras.Input((None,), dtype="int32", name="y")  # (b, t)
    h, states = backbone(embed(x), None, None)
    logits = head(h)  # (b, t, v)
    before = [keras.Input(state.shape[1:], name=f"state_{i}") for i, state in enumerate(states)]
    h, after = backbone(embed(x), before, None)
    core = keras.Model(x, logits, name="network")
    loss_model = keras.Model([x, y], [ops.cast(y, "int32"), logits, logits])
    step_model = keras.Model([x, *before], [head(h), *after])
    return Network(core, loss_model, "crossentropy", step_model)

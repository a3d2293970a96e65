"""The networks: one skeleton, `ends -> body -> ends`, in plain Keras.

The task brings the ends (how numbers or tokens enter, what the output means), the model brings the
body, so any body meets any task. Everything is built from stock layers and `keras.ops`: a saved
model loads in any Keras 3, without Lookback, takes the values of the file and answers in its unit.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from lookback.data.contract import Data, Rows
from lookback.models.networks import numbers, texts
from lookback.models.networks.bodies import BODIES, Body


@dataclass(frozen=True)
class Network:
    """Views of one set of weights.

    Attributes:
        model: x -> prediction, in the units of the file; probabilities where it tells kinds apart, logits
            where it speaks at every step of a text. What is saved.
        trainer: [x, y] -> [target, prediction] as the loss sees them (scaled), and the model's prediction.
        carrier: [x, *states] -> [prediction, *new states], for streams and for writing; None elsewhere.
    """

    model: keras.Model
    trainer: keras.Model
    carrier: keras.Model | None = None

    def rescale(self, data: Data) -> None:
        """Measure the scales anew, on `data.train`; every other weight stays."""
        if texts.is_rating(data):
            self.trainer.get_layer("unscale").set_weights(texts.rating_scale(data))
        elif not isinstance(data.train, Rows) and not data.language:
            for name, weights in numbers.scales(data).items():
                self.trainer.get_layer(name).set_weights(weights)


def build(data: Data, name: str, **settings: Any) -> Network:
    """Make a network for the data, with fresh weights.

    Args:
        name: a key of `BODIES`.
        settings: `linear_path`, whether a linear map of what goes in is added to the answer, and that body's
            arguments.
    """
    keras.utils.clear_session(free_memory=False)  # layer names begin at 1 again: one architecture, one description
    linear_path = settings.pop("linear_path", False)
    body, dropout = BODIES[name](data, **settings), settings.get("dropout", 0.0)
    # A bag of words and a bigram have no layer between the embedding and the rest: it is as wide as they are.
    width = settings["units"] if name in ("bag_of_words", "bigram") else data.embedding
    if data.language:
        return Network(*texts.language(data, body, width))
    if isinstance(data.train, Rows):
        return _on_rows(data, body, width, dropout, linear_path)
    body = numbers.with_linear_path(body) if linear_path else body
    network = Network(*(numbers.classifying(data, body) if data.kinds else numbers.forecasting(data, body)))
    network.rescale(data)
    return network


def _on_rows(data: Data, body: Body, width: int, dropout: float, linear_path: bool) -> Network:
    if data.per_step:
        return Network(*texts.tagging(data, body, width, dropout, data.spelling))
    network = Network(*texts.document(data, body, width, dropout, linear_path))
    network.rescale(data)
    return network


def together(models: list[keras.Model]) -> keras.Model:
    """One model whose answer is the mean of theirs."""
    x = [keras.Input(i.shape[1:], dtype=i.dtype, name=i.name) for i in models[0].inputs]
    x = x if len(x) > 1 else x[0]
    for i, model in enumerate(models):
        model.name = f"member_{i}"
    return keras.Model(x, layers.Average()([model(x) for model in models]), name="ensemble")

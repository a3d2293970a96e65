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
from lookback.models.networks import numbers, texts, units
from lookback.models.networks.bodies import BODIES
from lookback.models.networks.units import Units


@dataclass(frozen=True)
class Network:
    """Views of one set of weights.

    Attributes:
        core: x -> prediction, in `units`; probabilities where it tells kinds apart, logits where it speaks at every
            step of a text.
        trainer: [x, y] -> [target, prediction] as the loss sees them (scaled), and what the core says.
        carrier: [x, *states] -> [prediction, *new states], for streams and for writing; None elsewhere.
        units: of the x, y and predictions of core and trainer.
    """

    core: keras.Model
    trainer: keras.Model
    carrier: keras.Model | None
    units: Units

    @classmethod
    def of(cls, data: Data, core: keras.Model, trainer: keras.Model, carrier: keras.Model | None = None) -> "Network":
        """The views of a core whose scales are measured on the train part of `data`."""
        network = cls(core, trainer, carrier, units.measured(data))
        network.rescale(network.units.inside(data))
        return network

    @property
    def model(self) -> keras.Model:
        """The core with its units, from and to values of the file. What is saved."""
        return self.units.around(self.core)

    def rescale(self, data: Data) -> None:
        """Measure the scales anew, on `data.train` in the network's units; every other weight stays."""
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
        return Network.of(data, *texts.language(data, body, width))
    if data.per_step:
        return Network.of(data, *texts.tagging(data, body, width, dropout, data.spelling))
    if isinstance(data.train, Rows):
        return Network.of(data, *texts.document(data, body, width, dropout, linear_path))
    body = numbers.with_linear_path(body) if linear_path else body
    return Network.of(data, *(numbers.classifying if data.kinds else numbers.forecasting)(data, body))


def together(models: list[keras.Model]) -> keras.Model:
    """One model whose answer is the mean of theirs."""
    x = [keras.Input(i.shape[1:], dtype=i.dtype, name=i.name) for i in models[0].inputs]
    x = x if len(x) > 1 else x[0]
    for i, model in enumerate(models):
        model.name = f"member_{i}"
    mean = layers.Average(dtype=models[0].outputs[0].dtype)([model(x) for model in models])
    return keras.Model(x, mean, name="ensemble")

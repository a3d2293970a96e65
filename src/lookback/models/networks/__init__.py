"""The networks: one skeleton, `ends -> backbone -> ends`, in plain Keras.

The task brings the ends (how numbers or tokens enter, what the output means), the model brings the
backbone, so any backbone meets any task. Everything is built from stock layers and `keras.ops`: a saved
model loads in any Keras 3, without Lookback, takes the values of the file and answers in its unit.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from lookback.data.dataset import Data
from lookback.data.samples import Ragged
from lookback.models.networks import numbers, texts, units
from lookback.models.networks.backbones import BACKBONES
from lookback.models.networks.units import Units


@dataclass(frozen=True)
class Network:
    """Views of one set of weights.

    Attributes:
        core: x -> prediction, in `units`; probabilities where it tells classes apart, logits where it speaks at every
            step of a text.
        loss_model: [x, y] -> [target, prediction] as the loss sees them (scaled), and what the core says.
        step_model: [x, *states] -> [prediction, *new states], for streams and for writing; None elsewhere.
        units: of the x, y and predictions of core and loss_model.
    """

    core: keras.Model
    loss_model: keras.Model
    step_model: keras.Model | None
    units: Units

    @classmethod
    def of(
        cls, data: Data, core: keras.Model, loss_model: keras.Model, step_model: keras.Model | None = None
    ) -> "Network":
        """The views of a core whose scales are measured on the train part of `data`."""
        network = cls(core, loss_model, step_model, units.measured(data))
        network.rescale(network.units.inside(data))
        return network

    @property
    def model(self) -> keras.Model:
        """The core with its units, from and to values of the file. What is saved."""
        return self.units.around(self.core)

    def rescale(self, data: Data) -> None:
        """Measure the scales anew, on `data.train` in the network's units; every other weight stays."""
        if texts.is_rating(data):
            self.loss_model.get_layer("unscale").set_weights(texts.rating_scale(data))
        elif not isinstance(data.train, Ragged) and not data.language:
            for name, weights in numbers.scales(data).items():
                self.loss_model.get_layer(name).set_weights(weights)


def build(data: Data, name: str, **settings: Any) -> Network:
    """Make a network for the data, with fresh weights.

    Args:
        name: a key of `BACKBONES`.
        settings: `skip_connection`, whether a linear map of what goes in is added to the answer, and that backbone's
            arguments.
    """
    keras.utils.clear_session(free_memory=False)  # layer names begin at 1 again: one architecture, one description
    skip_connection = settings.pop("skip_connection", False)
    backbone, dropout = BACKBONES[name](data, **settings), settings.get("dropout", 0.0)
    # A bag of words and a bigram have no layer between the embedding and the rest: it is as wide as they are.
    width = settings["units"] if name in ("bag_of_words", "bigram") else data.embedding
    if data.language:
        return Network.of(data, *texts.language(data, backbone, width))
    if data.per_step:
        return Network.of(data, *texts.tagging(data, backbone, width, dropout, data.spelling))
    if isinstance(data.train, Ragged):
        return Network.of(data, *texts.document(data, backbone, width, dropout, skip_connection))
    backbone = numbers.with_skip_connection(backbone) if skip_connection else backbone
    return Network.of(data, *(numbers.classifying if data.classes else numbers.forecasting)(data, backbone))


def average_models(models: list[keras.Model]) -> keras.Model:
    """One model whose answer is the mean of theirs."""
    x = [keras.Input(i.shape[1:], dtype=i.dtype, name=i.name) for i in models[0].inputs]
    x = x if len(x) > 1 else x[0]
    for i, model in enumerate(models):
        model.name = f"member_{i}"
    mean = layers.Average(dtype=models[0].outputs[0].dtype)([model(x) for model in models])
    return keras.Model(x, mean, name="ensemble")

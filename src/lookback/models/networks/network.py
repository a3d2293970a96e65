"""A network: views of one set of weights, and how it is built."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from lookback.data.dataset import Data
from lookback.models.catalogue import entry
from lookback.models.networks.layers import Backbone
from lookback.models.networks.spec import SequenceSpec
from lookback.models.networks.units import NONE, Units
from lookback.settings.base import Numbers

Weights = dict[str, list[Any]]  # of frozen layers, by their name


@dataclass(frozen=True)
class Network:
    """Views of one set of weights.

    Attributes:
        core: x -> prediction, in `units`; probabilities where it tells classes apart, logits where it speaks at every
            step of a text.
        loss_model: [x, y] -> [target, prediction] as the loss sees them (scaled), and what the core says.
        loss: its name.
        step_model: [x, *states] -> [prediction, *new states], for streams and for writing; None elsewhere.
        units: of the x, y and predictions of core and loss_model.
        scales: data in the network's units -> the weights of the layers that scale, measured on its train part.
    """

    core: keras.Model
    loss_model: keras.Model
    loss: str
    step_model: keras.Model | None = None
    units: Units = NONE
    scales: Callable[[Data], Weights] | None = None

    @property
    def model(self) -> keras.Model:
        """The core with its units, from and to values of the file. What is saved."""
        return self.units.around(self.core)

    def rescale(self, data: Data) -> "Network":
        """Measure the scales anew, on `data.train` in the network's units; every other weight stays."""
        for name, weights in (self.scales(data) if self.scales else {}).items():
            self.loss_model.get_layer(name).set_weights(weights)
        return self


def fresh_backbone(spec: SequenceSpec, model: Numbers) -> tuple[Backbone, dict[str, Any]]:
    """The backbone of a model, with fresh weights, and what the heads ask of its numbers.

    Returns:
        backbone; and `units`, `dropout`, `skip_connection` and `own_width`: whether the embedding is as wide as the
        network, because there is no layer between it and the rest.
    """
    keras.utils.clear_session(free_memory=False)  # layer names begin at 1 again: one architecture, one description
    numbers = model.model_dump(exclude={"name", "members"})
    skip = numbers.pop("skip_connection", False)
    backbone = entry(model.name).build(spec, **numbers)
    options = {"units": numbers.get("units", 0), "dropout": numbers.get("dropout", 0.0), "skip_connection": skip}
    return backbone, options | {"own_width": "embedding" in model.unread}


def average_models(models: list[keras.Model]) -> keras.Model:
    """One model whose answer is the mean of theirs."""
    x = [keras.Input(i.shape[1:], dtype=i.dtype, name=i.name) for i in models[0].inputs]
    x = x if len(x) > 1 else x[0]
    for i, model in enumerate(models):
        model.name = f"member_{i}"
    mean = layers.Average(dtype=models[0].outputs[0].dtype)([model(x) for model in models])
    return keras.Model(x, mean, name="ensemble")

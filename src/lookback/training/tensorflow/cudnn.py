"""NVIDIA's own recurrent kernels. XLA has none of them: what it compiles must do without.

Keras chooses them for LSTM and GRU wherever a GPU is visible, also inside a program that XLA compiles, which then
fails. The choice is an attribute of the layer and no part of a saved model.
"""

from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf


def forbid(model: keras.Model) -> None:
    """Keep the recurrent layers of a model to operations that XLA can compile."""
    for layer in _recurrent(model):
        layer.use_cudnn = False


def may_be_used(model: keras.Model) -> bool:
    """Whether a program of this model may hold cuDNN's kernels, so that XLA must not compile it."""
    return bool(tf.config.list_logical_devices("GPU")) and any(layer.use_cudnn for layer in _recurrent(model))


def _recurrent(model: keras.Model) -> Iterator[Any]:
    return (layer for layer in model._flatten_layers() if hasattr(layer, "use_cudnn"))

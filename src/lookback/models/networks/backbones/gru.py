"""Gated recurrent unit."""

import functools
from typing import TYPE_CHECKING

from lookback.models.catalogue import ANY, network
from lookback.models.networks.settings import RecurrentSettings
from lookback.models.networks.spec import SequenceSpec

if TYPE_CHECKING:
    from lookback.models.networks.layers import Backbone


@network("gru", RecurrentSettings, problems=ANY)
def gru(spec: SequenceSpec, units: int, layers: int, dropout: float, bidirectional: bool, pooling: str) -> "Backbone":
    """Gated recurrent unit (Cho et al. 2014), in the form that cuDNN computes."""
    import keras

    from lookback.models.networks.layers import recurrent

    return recurrent(spec, layers, dropout, bidirectional, pooling, functools.partial(keras.layers.GRU, units))

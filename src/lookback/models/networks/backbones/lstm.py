"""Long short-term memory (Hochreiter & Schmidhuber 1997)."""

import functools
from typing import TYPE_CHECKING

from lookback.models.catalogue import ANY, network
from lookback.models.networks.settings import RecurrentSettings
from lookback.models.networks.spec import SequenceSpec

if TYPE_CHECKING:
    from lookback.models.networks.layers import Backbone


@network("lstm", RecurrentSettings, problems=ANY)
def lstm(spec: SequenceSpec, units: int, layers: int, dropout: float, bidirectional: bool, pooling: str) -> "Backbone":
    """Long short-term memory (Hochreiter & Schmidhuber 1997)."""
    import keras

    from lookback.models.networks.layers import recurrent

    return recurrent(spec, layers, dropout, bidirectional, pooling, functools.partial(keras.layers.LSTM, units))

"""The Elman network."""

import functools
from typing import TYPE_CHECKING

from lookback.models.catalogue import ANY, network
from lookback.models.networks.settings import RecurrentSettings
from lookback.models.networks.spec import SequenceSpec

if TYPE_CHECKING:
    from lookback.models.networks.layers import Backbone

UNROLL_UP_TO = 32  # steps; an unrolled SimpleRNN trains 1.4 times as fast, but takes longer to compile


@network("simple_rnn", RecurrentSettings, problems=ANY)
def simple_rnn(
    spec: SequenceSpec, units: int, layers: int, dropout: float, bidirectional: bool, pooling: str
) -> "Backbone":
    """Elman network: h(t) = tanh(W x(t) + U h(t-1) + b)."""
    import keras

    from lookback.models.networks.layers import recurrent

    short = spec.steps is not None and not spec.every_step and spec.steps <= UNROLL_UP_TO

    make = functools.partial(keras.layers.SimpleRNN, units, unroll=short)
    return recurrent(spec, layers, dropout, bidirectional, pooling, make)

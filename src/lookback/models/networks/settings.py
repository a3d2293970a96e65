"""The numbers that networks share."""

from typing import Annotated, Literal

from lookback.settings.base import FOR_THE_WHOLE, Count, Dropout, Numbers


class NetworkSettings(Numbers):
    """What every network has.

    `members` networks, each from a seed of its own, answer with their mean: 1 is a plain network, more an ensemble.
    `skip_connection` adds a linear map of the window to the answer (the autoregressive highway of LSTNet).
    """

    units: Count
    layers: Count
    dropout: Dropout
    skip_connection: bool
    members: Count


class RecurrentSettings(NetworkSettings):
    """A stack of Keras recurrent layers.

    `bidirectional`: half of the network reads backwards. `pooling`: what is handed on of its steps, where one thing
    is said of the whole: the last, or the mean or the maximum of all.
    """

    bidirectional: bool
    pooling: Annotated[Literal["last", "mean", "max"], FOR_THE_WHOLE]

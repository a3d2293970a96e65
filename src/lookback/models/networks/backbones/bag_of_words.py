"""The perceptron on counts of words."""

from typing import TYPE_CHECKING

from lookback.models.catalogue import network
from lookback.models.networks.settings import NetworkSettings
from lookback.models.networks.spec import SequenceSpec

if TYPE_CHECKING:
    from lookback.models.networks.layers import Backbone


class BagOfWordsSettings(NetworkSettings):
    """Perceptron on the counts of words, as shares of the text: their order is lost."""

    @property
    def unread(self) -> frozenset[str]:
        """Of a task: its embedding is as wide as the network."""
        return frozenset({"embedding"})


@network("bag_of_words", BagOfWordsSettings, problems=("sentiment", "rating"))
def bag_of_words(spec: SequenceSpec, units: int, layers: int, dropout: float) -> "Backbone":
    """Perceptron on the counts of words, as shares of the text.

    The first layer is the embedding itself: its rows, of `units` numbers, are added up, which is the product of the
    counts with a matrix.
    """
    import keras

    from lookback.models.networks.layers import dropped, mean, perceptron

    bias = keras.layers.EinsumDense("bu,u->bu", units, bias_axes="u", kernel_initializer="ones", activation="relu")
    drop = dropped(dropout)
    return perceptron(units, layers - 1, dropout, lambda h, mask: drop(bias(mean(h, mask))))

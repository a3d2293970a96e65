"""The Dense perceptron."""

from typing import TYPE_CHECKING, Annotated

from lookback.models.catalogue import ANY, network
from lookback.models.networks.settings import NetworkSettings
from lookback.models.networks.spec import SequenceSpec
from lookback.settings.base import STEP_BY_STEP, Count

if TYPE_CHECKING:
    from lookback.models.networks.layers import Backbone


class DenseSettings(NetworkSettings):
    """Perceptron on the window; on every step, one that sees the last `kernel_size` steps."""

    kernel_size: Annotated[Count, STEP_BY_STEP]


@network("dense", DenseSettings, problems=ANY)
def dense(spec: SequenceSpec, units: int, layers: int, dropout: float, kernel_size: int) -> "Backbone":
    """Perceptron: on the whole window, on the mean of the words of a text, or slid along the steps.

    A language model sees the last `kernel_size` steps (a causal convolution), a tagger as many around the word.
    """
    from lookback.models.networks.layers import centred, flat, mean, perceptron, sliding

    if spec.carries_state:
        return sliding(units, layers, dropout, kernel_size)
    if spec.every_step:
        return centred(units, layers, dropout, kernel_size)
    return perceptron(units, layers, dropout, mean if spec.ragged else flat)

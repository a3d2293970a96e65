"""The table of what follows what."""

from typing import TYPE_CHECKING, Literal

from lookback.models.catalogue import network
from lookback.models.networks.spec import SequenceSpec
from lookback.settings.base import Count, Numbers

if TYPE_CHECKING:
    from lookback.models.networks.layers import Backbone


class BigramSettings(Numbers):
    """The token before and nothing else: a table as a network, of rank `units`."""

    units: Count
    members: Literal[1]

    @property
    def unread(self) -> frozenset[str]:
        """Of a task: its embedding is as wide as the network."""
        return frozenset({"embedding"})


@network("bigram", BigramSettings, problems=("language",))
def bigram(spec: SequenceSpec, units: int) -> "Backbone":
    """Nothing between the ends: what follows depends on the token before alone."""
    return lambda h, states, mask: (h, [])

"""What every task says of itself."""

from typing import Annotated

from pydantic import Field

from lookback.settings.base import FREE, TABLE, Count, Names, Strict


class Task(Strict):
    """What every task says of itself. Its `kind` is the kind of problem."""

    kind: str
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    unit: Annotated[str, TABLE]  # of the primary metric, as shown in tables
    metrics: Names  # the first is the primary one: a loss, it decides
    models: Annotated[Names, FREE]
    reference: Annotated[str, TABLE]  # the model that skill is measured against
    seeds: Annotated[Count, FREE]  # seeds 0 .. seeds-1 that a sweep gives each network
    refit: bool  # once val has chosen, every model is fitted anew on train+val

    @property
    def idle(self) -> frozenset[str]:
        """Settings that say nothing beside the others."""
        return frozenset()

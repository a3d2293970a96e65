"""What every task says of itself."""

from typing import Annotated

from pydantic import Field, model_validator

from lookback.settings.base import FREE, TABLE, Count, Names, Strict
from lookback.settings.hints import check_known, listed
from lookback.settings.names import LOSSES_THAT_DECIDE, METRICS, models_for


class Task(Strict):
    """What every task says of itself."""

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

    @model_validator(mode="after")
    def _known(self) -> "Task":
        check_known("metrics", self.metrics, METRICS[self.kind])  # type: ignore[attr-defined]
        check_known("models", self.models, models_for(self.kind))  # type: ignore[attr-defined]
        if self.metrics[0] not in LOSSES_THAT_DECIDE:
            raise ValueError(
                f"metrics: the first decides and must be a loss ({listed(LOSSES_THAT_DECIDE)}); got {self.metrics[0]}"
            )
        if self.reference not in self.models:
            raise ValueError(f"reference must be one of the models, got {self.reference}")
        return self

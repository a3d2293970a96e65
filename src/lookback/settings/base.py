"""What the settings of every room are made of: strict models, the types of their values, whose result they change."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """No coercion ("3" is no number, true is no 1), no unknown keys, no change after creation."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Numbers(Strict):
    """The numbers of a model; a model without numbers has this class itself. See `lookback.models.catalogue`."""

    name: str

    @property
    def unread(self) -> frozenset[str]:
        """Settings of a task that this model does not read."""
        return frozenset()


@dataclass(frozen=True)
class Role:
    """Whose result a setting can change, and whether it has to be the same for all models of a table.

    Attributes:
        key: whose trial key it is part of.
        alike: two models that differ in it are measured in different ways.
    """

    key: Literal["everybody", "networks", "nobody"]
    alike: bool


# A setting without a role of its own: it changes targets, samples or how they are scored.
MEASURED = Role("everybody", alike=True)
SEEN = Role("everybody", alike=False)  # what a model may see of a sample
TRAINED = Role("networks", alike=False)  # what only networks read
WARM = Role("networks", alike=True)  # the same, and said of the whole table
TABLE = Role("nobody", alike=True)  # what a table says of its task; files count by what is in them
FREE = Role("nobody", alike=False)  # who is asked, and when reading gives up


@dataclass(frozen=True)
class OnlyOn:
    """On which problems a setting means something; elsewhere it is no part of any key.

    Attributes:
        trait: the name of an attribute of `problems.base.Problem`.
        value: that it has there.
    """

    trait: str
    value: bool


FOR_THE_WHOLE = OnlyOn("every_step", False)  # one answer for a whole sample
STEP_BY_STEP = OnlyOn("every_step", True)
FORECASTS = OnlyOn("forecasts", True)

Names = Annotated[tuple[str, ...], Field(strict=False)]
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

# One row per so many seconds, minutes, hours, days, business days, weeks, months, quarters, years: 10min, D, MS.
Freq = Annotated[str, Field(pattern=r"^(\d{0,4}(s|min|h|D|B|W|MS|QS|YS)|step)$")]

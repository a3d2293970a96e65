"""The input of every stage of reading: how the file is written, what its columns are, what may be repaired."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeVar

from lookback.settings import SeriesTask

T = TypeVar("T")


@dataclass(frozen=True)
class CsvFormat:
    """How a file is written: see the settings of the same names in `SeriesTask`."""

    delimiter: str
    decimal: str
    thousands: str
    comment: str
    encoding: str
    strip: str
    sentinels: tuple[float, ...]
    skip_footer: int
    max_columns: int
    max_megabytes: int


@dataclass(frozen=True)
class Roles:
    """What the columns are: see the settings of the same names in `SeriesTask`.

    Attributes:
        target_is_class: whether the target is a name and no number.
    """

    time: str | None
    time_format: str
    timezone: str | None
    freq: str
    series: str | None
    target: str
    target_is_class: bool
    past_covariates: tuple[str, ...]
    future_covariates: tuple[str, ...]

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The columns of values, in the order of `Columns.values`: target, past and future covariates."""
        return self.target, *self.past_covariates, *self.future_covariates

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Those of them that hold numbers: all, or all but the target."""
        return self.values[self.target_is_class :]

    @cached_property
    def named(self) -> tuple[str, ...]:
        """Every column that the task names."""
        return tuple(name for name in (self.time, self.series, *self.values) if name is not None)

    def counts_rows(self, header: Sequence[str]) -> bool:
        """Whether the first column has no name and may be a count of the rows."""
        return self.time is None and not header[0].strip()


@dataclass(frozen=True)
class Repair:
    """What is done to rows that are not as they should be: see the settings of the same names in `SeriesTask`."""

    resample: str
    sort: bool
    duplicates: str
    gaps: str
    missing: str
    max_fill: int

    @property
    def refuses_empty(self) -> bool:
        """Whether an empty cell is a fault wherever it stands."""
        return self.missing == "error" and self.resample == "none"


def of(kind: type[T], task: SeriesTask) -> T:
    """One of the three, made of the settings of a task."""
    named: Any = fields(kind)  # type: ignore[arg-type]
    return kind(**{field.name: getattr(task, field.name) for field in named})

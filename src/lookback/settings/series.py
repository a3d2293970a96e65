"""Tasks on the rows of a CSV: forecasts, and which class comes next."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lookback.settings.base import FREE, SEEN, TABLE, TRAINED, Count, Freq, Names
from lookback.settings.hints import listed
from lookback.settings.splits import Split
from lookback.settings.task import Task

# Words and not the characters themselves, which a shell and Hydra would both want quoted.
CHARACTER = {
    "none": "", "comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " ", "point": ".", "underscore": "_",
}  # fmt: skip


# What a `time_format` may say besides a pattern of strptime.
UNIX = "unix"  # seconds since 1970-01-01


class SeriesTask(Task):
    """A CSV of numbers in time order, read row by row.

    One series, or several told apart by the column `series`. Every column that is used has a role:
    the target, `past` (known up to the last row of the window) or `known` (known ahead: planned
    prices, holidays); `calendar` adds columns that are computed from the time itself.
    """

    lookback: Annotated[Count, SEEN]  # steps in a window
    # A name in conf/sources.yaml, where the file is fetched from; null: a file of one's own.
    source: Annotated[str | None, TABLE]
    path: Annotated[str, Field(min_length=1), TABLE]  # relative to the repository, or, with a source, a file of it
    time: str | None  # null: the file has no dates, rows are steps
    time_format: str  # strptime's pattern, or unix
    timezone: str | None  # null: times as they stand; a zone (UTC, Europe/Berlin): times are put on its clock
    freq: Freq  # one row per ...
    resample: Literal["none", "first", "mean"]  # a finer file, thinned to `freq`: the row on the step, or the mean
    series: str | None  # a column that says which series a row belongs to; null: there is one
    target: str
    past_covariates: Annotated[Names, SEEN]
    future_covariates: Annotated[Names, SEEN]
    calendar: Annotated[tuple[Literal["month", "day_of_year", "weekday", "hour"], ...], Field(strict=False), SEEN]
    harmonics: Annotated[Count, SEEN]  # pairs of sine and cosine for each of `calendar`
    split: Split
    # reading the file
    delimiter: Literal["comma", "semicolon", "tab", "pipe", "space"]
    decimal: Literal["point", "comma"]
    thousands: Literal["none", "comma", "point", "space", "underscore"]
    comment: Literal["none", "hash"]  # lines that begin with # are left out
    encoding: str
    strip: str  # characters to take away from the cells of numbers
    sentinels: Annotated[tuple[float, ...], Field(strict=False)]  # numbers that mean: not measured
    skip_footer: Annotated[int, Field(ge=0)]
    sort: bool
    duplicates: Literal["error", "first", "mean"]
    gaps: Literal["error", "fill", "segment", "join"]
    missing: Literal["error", "fill", "drop"]
    max_fill: Count  # longest run of rows that `fill` may fill
    max_columns: Annotated[Count, FREE]
    max_megabytes: Annotated[Count, FREE]

    @property
    def span(self) -> int:
        """Rows from the last of a window to its last target."""
        raise NotImplementedError

    @property
    def target_is_class(self) -> bool:
        """Whether the target is a name, and no number."""
        return False

    @property
    def recursive(self) -> bool:
        """Whether models are fitted on the next row, whatever they are asked for, and their answers fed back."""
        return False

    @property
    def idle(self) -> frozenset[str]:
        """Harmonics of nothing, and how much to fill where nothing is filled."""
        fills = "fill" in (self.gaps, self.missing)
        return frozenset(n for n, used in (("harmonics", self.calendar), ("max_fill", fills)) if not used)

    @model_validator(mode="after")
    def _readable(self) -> "SeriesTask":
        if self.decimal == self.delimiter:
            raise ValueError(f"decimal and delimiter are both {self.decimal}")
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal}")
        roles = [self.time, self.series, self.target, *self.past_covariates, *self.future_covariates]
        for name in roles:
            if name is not None and roles.count(name) > 1:
                raise ValueError(
                    f"column {name!r} has two roles; name it once among time, series, target, past_covariates, "
                    "future_covariates"
                )
        if self.time is None and (self.calendar or self.timezone or self.resample != "none"):
            raise ValueError("calendar, timezone and resample need a time column; set task.time")
        if self.time is None and self.split.by == "date":
            raise ValueError("split.by=date needs a time column; set task.time, or split by rows or fraction")
        if (self.freq == "step") != (self.time is None):
            raise ValueError(f"freq=step goes with time=null, got freq={self.freq} and time={self.time}")
        return self


class ForecastTask(SeriesTask):
    """The next values of a column of a CSV, from a window of rows."""

    kind: Literal["forecast"]
    horizon: Count  # values that are forecast
    lead: Count  # rows from the last of the window to the first value: 1 is the next row
    multistep: Annotated[Literal["direct", "recursive"], SEEN]  # all values at once, or the next one, fed back
    season: Count
    transform: Annotated[Literal["none", "log"], TRAINED]
    difference: Annotated[Literal["none", "last", "season"], TRAINED]
    scale: Annotated[Literal["train", "window"], TRAINED]  # what the networks standardise the target by
    loss: Annotated[Literal["mae", "mse", "huber"], TRAINED]

    @property
    def span(self) -> int:
        """Rows from the last of a window to its last target."""
        return self.lead - 1 + self.horizon

    @property
    def recursive(self) -> bool:
        """Whether models are fitted on the next row, whatever they are asked for, and their answers fed back."""
        return self.multistep == "recursive"

    @model_validator(mode="after")
    def _coherent(self) -> "ForecastTask":
        if self.difference == "season" and self.lookback <= self.season:
            raise ValueError(
                f"difference=season needs lookback > season, got lookback={self.lookback} and season={self.season}"
            )
        if self.multistep == "recursive" and self.past_covariates:
            raise ValueError(
                "multistep=recursive feeds forecasts back, and nobody forecasts "
                f"past_covariates={listed(self.past_covariates)}; "
                "set task.multistep=direct or task.past_covariates=[]"
            )
        if self.multistep == "recursive" and self.lead > 1:
            raise ValueError("multistep=recursive begins at the next row; set task.lead=1 or task.multistep=direct")
        reach = 1 if self.multistep == "recursive" else self.span
        if (self.future_covariates or self.calendar) and self.lookback < reach:
            raise ValueError(
                f"known and calendar columns need lookback >= lead - 1 + horizon, got {self.lookback} and {reach}"
            )
        return self


class ClassifyTask(SeriesTask):
    """The class (a name) in a column of the next row, from a window of rows."""

    kind: Literal["classify"]

    @property
    def target_is_class(self) -> bool:
        """It is."""
        return True

    @property
    def span(self) -> int:
        """Rows from the last of a window to its last target."""
        return 1

    @property
    def lead(self) -> int:
        """Rows from the last of a window to its target."""
        return 1

    @property
    def season(self) -> int:
        """Classes have none."""
        return 1

    @property
    def loss(self) -> str:
        """Of classes."""
        return "crossentropy"

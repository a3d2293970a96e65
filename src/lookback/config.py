"""Types and ranges of every setting. No defaults here: the YAML files under `conf/` hold them.

`validate` turns the composed configuration into a frozen `Settings`, or raises a `ConfigError` of
one line that names the key, what was received and what is allowed. It imports nothing heavy.
"""

import difflib
import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lookback.errors import ConfigError


class Strict(BaseModel):
    """No coercion ("3" is no number, true is no 1), no unknown keys, no change after creation."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


Names = Annotated[tuple[str, ...], Field(strict=False)]
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


# --- splits -----------------------------------------------------------------------------------


class RowSplit(Strict):
    """The last `test` rows, and the `val` rows before them."""

    by: Literal["rows"]
    val: Count
    test: Count


class FractionSplit(Strict):
    """Shares of the rows in the order train, val, test. They add up to 1."""

    by: Literal["fraction"]
    train: Fraction
    val: Fraction
    test: Fraction

    @model_validator(mode="after")
    def _whole(self) -> "FractionSplit":
        total = self.train + self.val + self.test
        if not math.isclose(total, 1, abs_tol=1e-9):
            raise ValueError(f"train + val + test must add up to 1, got {total:g}")
        return self


class DateSplit(Strict):
    """First day of val and first day of test, as YYYY-MM-DD."""

    by: Literal["date"]
    val: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    test: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]

    @model_validator(mode="after")
    def _ordered(self) -> "DateSplit":
        if self.val >= self.test:
            raise ValueError(f"val must begin before test, got val {self.val} and test {self.test}")
        return self


Split = Annotated[RowSplit | FractionSplit | DateSplit, Field(discriminator="by")]


# --- tasks ------------------------------------------------------------------------------------


class Task(Strict):
    """What every task says of itself."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    unit: str  # of the primary metric, as shown in tables
    lookback: Count  # steps in a window
    metrics: Names  # the first is the primary one: a loss, it decides
    contestants: Names
    yardstick: str  # the contestant that skill is measured against
    seeds: Count  # seeds 0 .. seeds-1 that a sweep gives each network
    refit: bool  # once val has chosen, every contestant is fitted anew on train+val

    @model_validator(mode="after")
    def _known(self) -> "Task":
        _all_known("metrics", self.metrics, METRICS[self.kind])  # type: ignore[attr-defined]
        _all_known("contestants", self.contestants, contestants_for(self.kind))  # type: ignore[attr-defined]
        if self.metrics[0] not in LOSSES_THAT_DECIDE:
            raise ValueError(
                f"metrics: the first decides and must be a loss ({_listed(LOSSES_THAT_DECIDE)}); got {self.metrics[0]}"
            )
        if self.yardstick not in self.contestants:
            raise ValueError(f"yardstick must be one of the contestants, got {self.yardstick}")
        return self


# Words and not the characters themselves, which a shell and Hydra would both want quoted.
CHARACTER = {
    "none": "", "comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " ", "point": ".", "underscore": "_",
}  # fmt: skip


class ForecastTask(Task):
    """The next values of a column of a CSV, from a window of rows."""

    kind: Literal["forecast"]
    path: Annotated[str, Field(min_length=1)]
    time: str
    time_format: str
    freq: Literal["h", "D", "W", "MS", "QS", "YS"]  # pandas offset: one row per ...
    target: str
    past: Names  # further columns, known up to the last row of the window
    horizon: Count
    season: Count
    split: Split
    transform: Literal["none", "log"]
    difference: Literal["none", "last", "season"]
    loss: Literal["mae", "mse", "huber"]
    # reading the file
    delimiter: Literal["comma", "semicolon", "tab", "pipe", "space"]
    decimal: Literal["point", "comma"]
    thousands: Literal["none", "comma", "point", "space", "underscore"]
    encoding: str
    skip_footer: Annotated[int, Field(ge=0)]
    sort: bool
    duplicates: Literal["error", "first", "mean"]
    gaps: Literal["error", "fill", "join"]
    missing: Literal["error", "fill"]
    max_fill: Count  # longest run of rows that `fill` may fill

    @model_validator(mode="after")
    def _coherent(self) -> "ForecastTask":
        if self.decimal == self.delimiter:
            raise ValueError(f"decimal and delimiter are both {self.decimal}")
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal}")
        if self.difference == "season" and self.lookback <= self.season:
            raise ValueError(
                f"difference=season needs lookback > season, got lookback={self.lookback} and season={self.season}"
            )
        if self.target in self.past:
            raise ValueError(f"past: {self.target} is the target already")
        return self


class TextTask(Task):
    """The next character at every step of a text."""

    kind: Literal["characters"]
    path: str  # a text file; "" is the language reference of the standard library
    unique_passages: bool
    embedding: Count
    split: FractionSplit
    sample_length: Annotated[int, Field(ge=0)]


AnyTask = Annotated[ForecastTask | TextTask, Field(discriminator="kind")]


# --- models -----------------------------------------------------------------------------------


class Plain(Strict):
    """A floor without numbers of its own."""

    name: Literal["naive", "seasonal_naive", "unigram"]


class Linear(Strict):
    """Ridge autoregression on the window; `strengths` are tried on val."""

    name: Literal["linear"]
    strengths: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(strict=False, min_length=1)]


class Ngram(Strict):
    """Interpolated Witten-Bell n-gram; orders 1 to `max_order` are tried on val."""

    name: Literal["ngram"]
    max_order: Annotated[int, Field(ge=1, le=8)]


class Dense(Strict):
    """Perceptron on the window; on every step, one that sees the last `kernel_size` steps."""

    name: Literal["dense"]
    units: Count
    layers: Count
    dropout: Dropout
    kernel_size: Count


class Recurrent(Strict):
    """A stack of Keras recurrent layers."""

    name: Literal["simple_rnn", "lstm", "gru"]
    units: Count
    layers: Count
    dropout: Dropout


Model = Annotated[Plain | Linear | Ngram | Dense | Recurrent, Field(discriminator="name")]

NETWORKS = ("dense", "simple_rnn", "lstm", "gru")
FLOORS = {"forecast": ("naive", "seasonal_naive", "linear"), "characters": ("unigram", "ngram")}
METRICS = {
    "forecast": ("mae", "rmse", "mase", "bias"),
    "characters": ("nats", "bits", "perplexity", "accuracy"),
}
LOSSES_THAT_DECIDE = ("mae", "rmse", "mase", "nats", "bits", "perplexity")


def contestants_for(kind: str) -> tuple[str, ...]:
    """Every contestant that makes sense on a kind of task."""
    return FLOORS[kind] + NETWORKS


# --- the rest ---------------------------------------------------------------------------------


class Training(Strict):
    """How a network is trained. Floors read none of it."""

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    decay: Literal["none", "cosine"]  # of the learning rate, epoch by epoch, to 0 after the last of `epochs`
    patience: Count  # epochs without a better val loss before it stops
    clip_norm: Positive  # global norm of the gradient
    compiler: Literal["auto", "xla", "graph"]
    limit_epochs: Count | None  # smoke: no more epochs than this, and the run is marked smoke
    limit_steps: Count | None  # smoke: no more steps an epoch than this


class Tracking(Strict):
    """Where runs go. No part of the trial key."""

    uri: str | None
    sweep: str | None


class Settings(Strict):
    """One trial: one contestant with one seed on one task."""

    task: AnyTask
    model: Model
    training: Training
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    device: Literal["auto", "cpu", "gpu", "tpu"]
    threads: Annotated[int, Field(ge=1, le=1024)]
    force: bool
    tracking: Tracking

    @property
    def smoke(self) -> bool:
        """Whether training is cut short. Such runs are never compared."""
        return self.training.limit_epochs is not None or self.training.limit_steps is not None

    @property
    def network(self) -> bool:
        """Whether the contestant is a network: trained by the engine, different with each seed."""
        return self.model.name in NETWORKS

    @model_validator(mode="after")
    def _sensible_pair(self) -> "Settings":
        if self.model.name not in contestants_for(self.task.kind):
            raise ValueError(
                f"model {self.model.name} makes no sense on task {self.task.name}: "
                f"choose one of {_listed(contestants_for(self.task.kind))}"
            )
        return self


def validate(raw: dict[str, Any]) -> Settings:
    """Check a composed configuration.

    Args:
        raw: the plain, resolved dictionary of the whole configuration.

    Raises:
        ConfigError: in one line, for the first thing that is wrong.
    """
    for key in _keys(raw):
        if key.rsplit(".", 1)[-1] in ("_target_", "_partial_", "_args_", "_convert_", "_recursive_"):
            raise ConfigError("CONFIG-CODE", f"{key}: a configuration is data, not code; remove this key")
    try:
        return Settings.model_validate(raw)
    except ValidationError as e:
        raise ConfigError(*_one_line(e)) from None


def suggest(word: str, known: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    """'; did you mean 'x'?', or the list of what there is."""
    known = list(known)
    close = difflib.get_close_matches(word, known, 1, cutoff=0.7)
    return f"; did you mean '{close[0]}'?" if close else f"; there is: {_listed(known)}"


def _one_line(e: ValidationError) -> tuple[str, str]:
    # A wrong `name` or `kind` makes every other finding of that node noise: show it first.
    first = min(e.errors(), key=lambda f: f["type"] != "union_tag_invalid")
    path = [str(p) for p in first["loc"] if not _is_tag(p)]
    key, got = ".".join(path), first["input"]
    kind, detail = first["type"], first["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return "CONFIG-KEY", f"unknown key '{key}'{key_suggestion(key)}"
    if kind == "missing":
        return "CONFIG-KEY", f"key '{key}' is missing"
    if kind == "union_tag_invalid":
        tag = first["ctx"]["discriminator"].strip("'")
        allowed = first["ctx"]["expected_tags"].replace("'", "").split(", ")
        return "CONFIG-NAME", f"{key}.{tag}: got {first['ctx']['tag']!r}{suggest(first['ctx']['tag'], allowed)}"
    if kind == "value_error":
        return "CONFIG-VALUE", f"{key}: {detail}" if key else detail
    detail = detail.removeprefix("Input should be ").removeprefix("a ")
    return "CONFIG-VALUE", f"{key}: got {got!r}, allowed: {detail}"


def _is_tag(part: int | str) -> bool:
    tags = {"forecast", "characters", "rows", "fraction", "date"}
    return part in tags or part in NETWORKS or any(part in f for f in FLOORS.values())


def key_suggestion(key: str) -> str:
    """The mend for a dotted key that no configuration has."""
    *group, last = key.split(".")
    owners: Any = {
        "task": [ForecastTask, TextTask],
        "task.split": [RowSplit, FractionSplit, DateSplit],
        "model": [Recurrent, Dense, Linear, Ngram],
        "training": [Training],
        "tracking": [Tracking],
        "": [Settings],
    }
    fields = [list(owner.model_fields) for owner in owners.get(".".join(group), [Settings])]
    return suggest(last, list(dict.fromkeys(f for some in fields for f in some)))


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from _keys(value, f"{prefix}{key}.")
    elif isinstance(node, list):
        for value in node:
            yield from _keys(value, prefix)


def _all_known(what: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    if not given:
        raise ValueError(f"{what}: the list is empty; choose from {_listed(known)}")
    for name in given:
        if name not in known:
            raise ValueError(f"{what}: unknown name {name!r}{suggest(name, known)}")


def _listed(names: Any) -> str:
    return ", ".join(map(str, names))

"""Types and ranges of every setting. No defaults here: the YAML files under `conf/` hold them.

`validate` turns the composed configuration into a frozen `Settings`, or raises a `ConfigError` of
one line that names the key, what was received and what is allowed. It imports nothing heavy.
"""

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lookback.errors import ConfigError


class Strict(BaseModel):
    """No coercion ("3" is no number, true is no 1), no unknown keys, no change after creation."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


@dataclass(frozen=True)
class Role:
    """Whose result a setting can change, and whether it has to be the same for all contestants of a table.

    Attributes:
        key: whose trial key it is part of.
        alike: two contestants that differ in it are measured in different ways.
    """

    key: Literal["everybody", "networks", "nobody"]
    alike: bool


# A setting without a role of its own: it changes targets, samples or how they are scored.
MEASURED = Role("everybody", alike=True)
SEEN = Role("everybody", alike=False)  # what a contestant may see of a sample
TRAINED = Role("networks", alike=False)  # what only networks read
WARM = Role("networks", alike=True)  # the same, and said of the whole table
TABLE = Role("nobody", alike=True)  # what a table says of its task; files count by what is in them
FREE = Role("nobody", alike=False)  # who is asked, and when reading gives up


@dataclass(frozen=True)
class OnlyOn:
    """The kinds of tasks on which a setting means something; elsewhere it is no part of any key."""

    kinds: tuple[str, ...]


FOR_THE_WHOLE = OnlyOn(("forecast", "classify", "sentiment", "rating"))  # one thing is said of a whole sample
STEP_BY_STEP = OnlyOn(("language", "tagging"))

Names = Annotated[tuple[str, ...], Field(strict=False)]
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


# One row per so many seconds, minutes, hours, days, business days, weeks, months, quarters, years: 10min, D, MS.
Freq = Annotated[str, Field(pattern=r"^(\d{0,4}(s|min|h|D|B|W|MS|QS|YS)|step)$")]

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


class DealtSplit(FractionSplit):
    """Shares of the examples, dealt out in the random order of `seed`: files are often sorted by their label.

    `block` examples that stand together in the file stay together: neighbours are often of one origin (reviews of the
    same film), and a val part that shares it with train promises too much.
    """

    by: Literal["dealt"]  # type: ignore[assignment]
    seed: Annotated[int, Field(ge=0)]
    block: Count


class FileSplit(Strict):
    """Parts that stand in files of their own. `val` is a file, or the share of `path` that is dealt out.

    `seed` and `block` as in `DealtSplit`.
    """

    by: Literal["files"]
    val: Annotated[str, Field(min_length=1)] | Fraction
    test: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0)]
    block: Count


class OwnTestSplit(Strict):
    """Test is a text of its own, and val the share at the end of `path`."""

    by: Literal["files"]
    val: Fraction
    test: Annotated[str, Field(min_length=1)]


Split = Annotated[RowSplit | FractionSplit | DateSplit, Field(discriminator="by")]
TextSplit = Annotated[FractionSplit | OwnTestSplit, Field(discriminator="by")]
ExampleSplit = Annotated[FractionSplit | DealtSplit | FileSplit, Field(discriminator="by")]


# --- tasks ------------------------------------------------------------------------------------


class Task(Strict):
    """What every task says of itself."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    unit: Annotated[str, TABLE]  # of the primary metric, as shown in tables
    metrics: Names  # the first is the primary one: a loss, it decides
    contestants: Annotated[Names, FREE]
    yardstick: Annotated[str, TABLE]  # the contestant that skill is measured against
    seeds: Annotated[Count, FREE]  # seeds 0 .. seeds-1 that a sweep gives each network
    refit: bool  # once val has chosen, every contestant is fitted anew on train+val

    @property
    def idle(self) -> frozenset[str]:
        """Settings that say nothing beside the others."""
        return frozenset()

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
    past: Annotated[Names, SEEN]
    known: Annotated[Names, SEEN]
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
        roles = [self.time, self.series, self.target, *self.past, *self.known]
        for name in roles:
            if name is not None and roles.count(name) > 1:
                raise ValueError(f"column {name!r} has two roles; name it once among time, series, target, past, known")
        if self.time is None and (self.calendar or self.timezone or self.resample != "none"):
            raise ValueError("calendar, timezone and resample need a time column; set task.time")
        if self.time is None and isinstance(self.split, DateSplit):
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

    @model_validator(mode="after")
    def _coherent(self) -> "ForecastTask":
        if self.difference == "season" and self.lookback <= self.season:
            raise ValueError(
                f"difference=season needs lookback > season, got lookback={self.lookback} and season={self.season}"
            )
        if self.multistep == "recursive" and self.past:
            raise ValueError(
                f"multistep=recursive feeds forecasts back, and nobody forecasts past={_listed(self.past)}; "
                "set task.multistep=direct or task.past=[]"
            )
        if self.multistep == "recursive" and self.lead > 1:
            raise ValueError("multistep=recursive begins at the next row; set task.lead=1 or task.multistep=direct")
        reach = 1 if self.multistep == "recursive" else self.span
        if (self.known or self.calendar) and self.lookback < reach:
            raise ValueError(
                f"known and calendar columns need lookback >= lead - 1 + horizon, got {self.lookback} and {reach}"
            )
        return self


class ClassifyTask(SeriesTask):
    """The kind (a name) in a column of the next row, from a window of rows."""

    kind: Literal["classify"]

    @property
    def span(self) -> int:
        """Rows from the last of a window to its last target."""
        return 1


class LanguageTask(Task):
    """The next token (a character or a word) at every step of a text."""

    kind: Literal["language"]
    lookback: Annotated[Count, SEEN]  # steps in a training window
    source: Annotated[str | None, TABLE]
    path: Annotated[str, TABLE]  # a text file; "" is the language reference of the standard library
    column: str  # of a CSV: every row of it is a line of the text; "": the file is the text
    level: Literal["characters", "words"]  # what a token is
    min_count: Count  # tokens that train holds less often count as unknown, in train as well
    unique_passages: bool
    embedding: Annotated[Count, TRAINED]
    split: TextSplit
    sample_length: Annotated[int, Field(ge=0), SEEN]  # tokens that a trained model writes; 0: none
    # Of the samples written while it learns.
    sample_temperatures: Annotated[tuple[Positive, ...], Field(strict=False), TRAINED]
    sample_every: Annotated[Count, TRAINED]  # epochs from one of these to the next

    @property
    def idle(self) -> frozenset[str]:
        """When to write and how, where nothing is written."""
        writes = self.sample_length and self.sample_temperatures
        return frozenset() if writes else frozenset({"sample_temperatures", "sample_every"})


class ExampleTask(Task):
    """Examples of their own length, made of words."""

    source: Annotated[str | None, TABLE]
    embedding: Annotated[Count, TRAINED]
    split: ExampleSplit
    lowercase: bool
    min_count: Count  # words that train holds less often count as unknown, in train as well
    max_words: Count  # the most frequent ones of train; the others count as unknown
    max_length: Count  # words; longer examples are cut
    cut: Literal["start", "end"]  # which end of them goes
    buckets: Annotated[Count, TRAINED]  # lengths that examples are padded to


class LabelledFile(Strict):
    """A text file with an example a line, all of one label."""

    label: Annotated[str, Field(min_length=1)]
    path: Annotated[str, Field(min_length=1)]


class DocumentTask(ExampleTask):
    """Something to say of a whole text: a CSV with a column of texts and one of labels."""

    path: Annotated[
        Annotated[str, Field(min_length=1)] | Annotated[tuple[LabelledFile, ...], Field(strict=False, min_length=1)],
        TABLE,
    ]
    text: str  # column of the texts
    label: str  # column of what is said of them


class SentimentTask(DocumentTask):
    """Which of several classes a text belongs to."""

    kind: Literal["sentiment"]


class RatingTask(DocumentTask):
    """A number that goes with a text, between `low` and `high`."""

    kind: Literal["rating"]
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> "RatingTask":
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low:g} and {self.high:g}")
        return self


class TaggingTask(ExampleTask):
    """A tag for every word of a sentence."""

    kind: Literal["tagging"]
    path: Annotated[str, Field(min_length=1), TABLE]
    format: Literal["conllu", "csv"]
    words: str  # csv: column of the words of a sentence, blanks between them
    tags: str  # csv: column of the tags; conllu: upos or xpos
    letters: Annotated[Count, TRAINED]  # of a word that the network sees; of longer words, the first and last ones
    letter_embedding: Annotated[Count, TRAINED]
    letter_filters: Annotated[Count, TRAINED]  # patterns of five letters that are looked for

    @property
    def idle(self) -> frozenset[str]:
        """The column of the words, which CoNLL-U has in a place of its own."""
        return frozenset({"words"}) if self.format == "conllu" else frozenset()


AnyTask = Annotated[
    ForecastTask | ClassifyTask | LanguageTask | SentimentTask | RatingTask | TaggingTask, Field(discriminator="kind")
]


# --- models -----------------------------------------------------------------------------------


class Plain(Strict):
    """A floor without numbers of its own."""

    name: Literal[
        "naive", "seasonal_naive", "drift", "growth_naive", "frequencies", "last_kind",
        "unigram", "majority", "mean_rating",
    ]  # fmt: skip


class Linear(Strict):
    """Ridge autoregression on the window, of values or of their logarithms; `strengths` are tried on val."""

    name: Literal["linear", "log_linear"]
    strengths: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(strict=False, min_length=1)]


class Lad(Strict):
    """Least absolute deviations on the window and yearly harmonics; `products` adds squares and products of them."""

    name: Literal["lad"]
    harmonics: Annotated[int, Field(ge=0)]
    products: bool


class Climatology(Strict):
    """Yearly harmonics, and an autoregression of `order` on what they leave."""

    name: Literal["climatology"]
    harmonics: Count
    order: Annotated[int, Field(ge=0)]


class HoltWinters(Strict):
    """Exponential smoothing with trend and season (Holt 1957, Winters 1960); the form is chosen on train."""

    name: Literal["holt_winters"]
    forms: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(none|add|damped)_(none|add|mul)$")], ...],
        Field(strict=False, min_length=1),
    ]
    max_rows: Annotated[int, Field(ge=12)]


class Sarima(Strict):
    """Seasonal ARIMA on logarithms where they exist (Box & Jenkins); orders chosen on train."""

    name: Literal["sarima"]
    orders: Annotated[tuple[Annotated[str, Field(pattern=r"^\d{3}-\d{3}$")], ...], Field(strict=False, min_length=1)]
    log: bool
    max_rows: Annotated[int, Field(ge=12)]


class Boosting(Strict):
    """Gradient-boosted trees on the window, one set for each step of the horizon."""

    name: Literal["boosting"]
    rounds: Count
    learning_rate: Positive
    leaves: Annotated[int, Field(ge=2)]


class Logistic(Strict):
    """Logistic regression on the window; inverse `strengths` of the penalty are tried on val."""

    name: Literal["logistic"]
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


class Ngram(Strict):
    """Interpolated Witten-Bell n-gram; orders 1 to `max_order` are tried on val."""

    name: Literal["ngram"]
    max_order: Annotated[int, Field(ge=1, le=8)]


class Tfidf(Strict):
    """Logistic or ridge regression on tf-idf of 1 to `max_order` words; `strengths` are tried on val.

    A strength is the inverse of the penalty for `tfidf_logistic`, the penalty itself for `tfidf_ridge`.
    """

    name: Literal["tfidf_logistic", "tfidf_ridge"]
    max_order: Annotated[int, Field(ge=1, le=5)]
    min_documents: Count  # texts of train that must hold a term
    strengths: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


class NaiveBayes(Strict):
    """Multinomial naive Bayes on counts of 1 to `max_order` words; `smoothing` is tried on val."""

    name: Literal["naive_bayes"]
    max_order: Annotated[int, Field(ge=1, le=5)]
    binary: bool  # whether a word counts once a text
    smoothing: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)]


class MostFrequentTag(Strict):
    """The tag that train gives a word most often; for unknown words, by their longest known ending."""

    name: Literal["most_frequent_tag"]
    max_suffix: Annotated[int, Field(ge=0)]


class Network(Strict):
    """What every network has.

    `members` networks, each from a seed of its own, answer with their mean: 1 is a plain network, more an ensemble.
    `linear_path` adds a linear map of the window to the answer (the autoregressive highway of LSTNet).
    """

    units: Count
    layers: Count
    dropout: Dropout
    linear_path: bool
    members: Count


class Dense(Network):
    """Perceptron on the window; on every step, one that sees the last `kernel_size` steps."""

    name: Literal["dense"]
    kernel_size: Annotated[Count, STEP_BY_STEP]


class Recurrent(Network):
    """A stack of Keras recurrent layers.

    `bidirectional`: half of the network reads backwards. `pooling`: what is handed on of its steps, where one thing
    is said of the whole: the last, or the mean or the maximum of all.
    """

    name: Literal["simple_rnn", "lstm", "gru"]
    bidirectional: bool
    pooling: Annotated[Literal["last", "mean", "max"], FOR_THE_WHOLE]


class BagOfWords(Network):
    """Perceptron on the counts of words, as shares of the text: their order is lost."""

    name: Literal["bag_of_words"]

    @property
    def unread(self) -> frozenset[str]:
        """Of a task: its embedding is as wide as the network."""
        return frozenset({"embedding"})


class Bigram(Strict):
    """The token before and nothing else: a table as a network, of rank `units`."""

    name: Literal["bigram"]
    units: Count
    members: Literal[1]

    @property
    def unread(self) -> frozenset[str]:
        """Of a task: its embedding is as wide as the network."""
        return frozenset({"embedding"})


AnyModel = (
    Plain | Linear | Lad | Climatology | HoltWinters | Sarima | Boosting | Logistic | Ngram
    | Tfidf | NaiveBayes | MostFrequentTag | Dense | Recurrent | BagOfWords | Bigram
)  # fmt: skip
Model = Annotated[AnyModel, Field(discriminator="name")]
# Every model by its name.
MODELS: dict[str, type[Strict]] = {
    name: kind for kind in get_args(AnyModel) for name in get_args(kind.model_fields["name"].annotation)
}

BODIES = ("dense", "simple_rnn", "lstm", "gru")
NETWORKS_ON = {
    "forecast": BODIES,
    "classify": BODIES,
    "language": (*BODIES, "bigram"),
    "sentiment": (*BODIES, "bag_of_words"),
    "rating": (*BODIES, "bag_of_words"),
    "tagging": BODIES,
}
NETWORKS = tuple(dict.fromkeys(name for names in NETWORKS_ON.values() for name in names))
FLOORS = {
    "forecast": (
        "naive", "seasonal_naive", "drift", "growth_naive", "linear", "log_linear", "lad", "climatology",
        "holt_winters", "sarima", "boosting",
    ),
    "classify": ("frequencies", "last_kind", "logistic"),
    "language": ("unigram", "ngram"),
    "sentiment": ("majority", "naive_bayes", "tfidf_logistic"),
    "rating": ("mean_rating", "tfidf_ridge"),
    "tagging": ("majority", "most_frequent_tag"),
}  # fmt: skip
METRICS = {
    "forecast": ("mae", "rmse", "mase", "rmsse", "bias", "smape", "mape"),
    "classify": ("log_loss", "accuracy", "macro_f1"),
    "language": ("nats", "bits", "perplexity", "accuracy", "bits_per_character", "unknown"),
    "sentiment": ("error_rate", "accuracy", "log_loss", "macro_f1", "accuracy_new"),
    "rating": ("mse", "rmse", "mae", "r2", "mse_rounded", "r2_rounded", "mse_new"),
    "tagging": ("error_rate", "accuracy", "accuracy_known", "accuracy_unknown", "log_loss", "macro_f1"),
}
LOSSES_THAT_DECIDE = (
    "mae", "rmse", "mse", "mase", "rmsse", "log_loss", "nats", "bits", "perplexity", "error_rate",
)  # fmt: skip


def contestants_for(kind: str) -> tuple[str, ...]:
    """Every contestant that makes sense on a kind of task."""
    return FLOORS[kind] + NETWORKS_ON[kind]


# --- evaluation -------------------------------------------------------------------------------


class Intervals(Strict):
    """Split-conformal prediction intervals."""

    level: Fraction  # share of targets that they shall cover
    gamma: Annotated[float, Field(ge=0, lt=1)]  # 0: split conformal; above: the step of the adaptive method


class Holdout(Strict):
    """One origin: the first row of test."""

    name: Literal["holdout"]
    intervals: Annotated[Intervals, OnlyOn(("forecast",))]


class Backtest(Strict):
    """Rolling origins up to the end of the series. Choices are made once, before the first."""

    name: Literal["backtest"]
    intervals: Annotated[Intervals, OnlyOn(("forecast",))]
    origins: Annotated[int, Field(ge=2)]
    step: Count  # rows from one origin to the next; the windows between are forecast from the earlier one
    gap: Annotated[int, Field(ge=0)]  # rows before an origin that nothing is fitted, chosen or calibrated on
    refit: bool  # fit anew at every origin, or once before the first
    warm_start: Annotated[bool, WARM]  # networks go on from the weights of the origin before; else from fresh ones


Evaluation = Annotated[Holdout | Backtest, Field(discriminator="name")]


# --- the rest ---------------------------------------------------------------------------------


class Training(Strict):
    """How a network is trained. Floors read none of it."""

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    decay: Literal["none", "cosine"]  # of the learning rate, epoch by epoch, to 0 after the last of `epochs`
    patience: Count | None  # epochs without a better val loss before it stops; null: all `epochs` are run
    stateful: bool  # language models: each window goes on from the state that the one before it left
    weight_decay: Annotated[float, Field(ge=0, lt=1)]  # of AdamW, for kernels and biases alike
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
    evaluation: Evaluation
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

    @property
    def contestant(self) -> str:
        """The model, and how many networks it is the mean of where it is more than one."""
        members = getattr(self.model, "members", 1)
        return self.model.name if members == 1 else f"{self.model.name} members={members}"

    @model_validator(mode="after")
    def _sensible_pair(self) -> "Settings":
        if self.model.name not in contestants_for(self.task.kind):
            raise ValueError(
                f"model {self.model.name} makes no sense on task {self.task.name}: "
                f"choose one of {_listed(contestants_for(self.task.kind))}"
            )
        if isinstance(self.evaluation, Backtest) and not isinstance(self.task, SeriesTask):
            raise ValueError(f"evaluation=backtest needs rows in time; task {self.task.name} is made of texts")
        language = isinstance(self.task, LanguageTask)
        if language and getattr(self.model, "members", 1) > 1:
            raise ValueError(
                f"model.members={self.model.members}: the mean of several language models "  # type: ignore[union-attr]
                "would have to carry the state of each along; set model.members=1"
            )
        if language and getattr(self.model, "bidirectional", False):
            raise ValueError(
                "model.bidirectional=true reads the tokens that are asked for; set model.bidirectional=false"
            )
        if self.training.stateful and not language:
            raise ValueError(
                f"training.stateful=true goes with a language model, and task {self.task.name} is none; "
                "set training.stateful=false"
            )
        if isinstance(self.task, ExampleTask) and self.training.compiler == "xla":
            raise ValueError(
                "training.compiler=xla would compile each length of the examples anew; set training.compiler=auto"
            )
        if isinstance(self.task, LanguageTask | TaggingTask) and getattr(self.model, "linear_path", False):
            raise ValueError(
                f"model.linear_path=true adds one answer for the whole, and task {self.task.name} asks at every step; "
                "set model.linear_path=false"
            )
        if isinstance(self.evaluation, Backtest) and self.evaluation.refit and not self.task.refit:
            raise ValueError("evaluation.refit=true fits anew at every origin, but task.refit=false; set them alike")
        if isinstance(self.evaluation, Backtest) and self.evaluation.warm_start and not self.evaluation.refit:
            raise ValueError("evaluation.warm_start=true goes on from origin to origin, but evaluation.refit=false")
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
    if kind in ("model_type", "model_attributes_type"):
        return "CONFIG-VALUE", f"{key}: got {got!r}; it has keys of its own: leave it out, or set one of them"
    detail = detail.removeprefix("Input should be ").removeprefix("a ")
    return "CONFIG-VALUE", f"{key}: got {got!r}, allowed: {detail}"


def _is_tag(part: int | str) -> bool:
    tags = {*FLOORS, "rows", "fraction", "date", "dealt", "files", "holdout", "backtest"}
    return part in tags or part in NETWORKS or any(part in f for f in FLOORS.values())


def key_suggestion(key: str) -> str:
    """The mend for a dotted key that no configuration has."""
    *group, last = key.split(".")
    owners: Any = {
        "task": [ForecastTask, ClassifyTask, LanguageTask, RatingTask, TaggingTask],
        "task.split": [RowSplit, FractionSplit, DateSplit, DealtSplit, FileSplit, OwnTestSplit],
        "model": [
            Recurrent, Dense, Linear, Lad, Climatology, HoltWinters, Sarima, Boosting, Logistic, Ngram, Tfidf,
            NaiveBayes, MostFrequentTag,
        ],
        "evaluation": [Backtest, Holdout],
        "evaluation.intervals": [Intervals],
        "training": [Training],
        "tracking": [Tracking],
        "": [Settings],
    }  # fmt: skip
    above = ".".join(group)
    if above not in owners:
        return key_suggestion(above)  # the mistake is further up
    known = list(dict.fromkeys(field for owner in owners[above] for field in owner.model_fields))
    if last in known:
        return f"; not every {above} has it" if above else f"; {last} has no keys below it"
    return suggest(last, known)


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

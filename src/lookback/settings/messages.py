"""From a composed configuration to settings, or to one line that says what is wrong."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from lookback.errors import ConfigError
from lookback.settings.evaluation import Backtest, Holdout, Intervals
from lookback.settings.hints import suggest
from lookback.settings.models import (
    Boosting,
    Climatology,
    Dense,
    HoltWinters,
    Lad,
    Linear,
    Logistic,
    MostFrequentTag,
    NaiveBayes,
    Ngram,
    Recurrent,
    Sarima,
    TfidfLogistic,
    TfidfRidge,
)  # fmt: skip
from lookback.settings.names import BASELINES, NETWORKS
from lookback.settings.series import ClassifyTask, ForecastTask
from lookback.settings.splits import DateSplit, FileSplit, FractionSplit, OwnTestSplit, RowSplit, ShuffledSplit
from lookback.settings.texts import LanguageTask, RatingTask, TaggingTask
from lookback.settings.trial import Settings, Tracking, Training


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
    tags = {*BASELINES, "rows", "fraction", "date", "shuffled", "files", "holdout", "backtest"}
    return part in tags or part in NETWORKS or any(part in f for f in BASELINES.values())


def key_suggestion(key: str) -> str:
    """The hint for a dotted key that no configuration has."""
    *group, last = key.split(".")
    owners: Any = {
        "task": [ForecastTask, ClassifyTask, LanguageTask, RatingTask, TaggingTask],
        "task.split": [RowSplit, FractionSplit, DateSplit, ShuffledSplit, FileSplit, OwnTestSplit],
        "model": [
            Recurrent, Dense, Linear, Lad, Climatology, HoltWinters, Sarima, Boosting, Logistic, Ngram, TfidfLogistic,
            TfidfRidge, NaiveBayes, MostFrequentTag,
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

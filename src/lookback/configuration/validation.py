"""From a composed configuration to settings, or to one line that says what is wrong."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from lookback.configuration.settings import Settings
from lookback.errors import ConfigError
from lookback.models import catalogue
from lookback.problems import PROBLEMS
from lookback.settings.base import Strict
from lookback.settings.evaluation import Backtest, Holdout, Intervals
from lookback.settings.hints import suggest
from lookback.settings.splits import DateSplit, FileSplit, FractionSplit, OwnTestSplit, RowSplit, ShuffledSplit
from lookback.settings.training import Tracking, Training

_SPLITS = (RowSplit, FractionSplit, DateSplit, ShuffledSplit, FileSplit, OwnTestSplit)
_TAGGED = ("split", "evaluation")  # keys behind which pydantic names the class that it chose


def validate(raw: Mapping[str, Any]) -> Settings:
    """Check a composed configuration.

    Args:
        raw: the plain, resolved dictionary of the whole configuration.

    Raises:
        ConfigError: in one line, for the first thing that is wrong.
    """
    for key in _keys(raw):
        if key.rsplit(".", 1)[-1] in ("_target_", "_partial_", "_args_", "_convert_", "_recursive_"):
            raise ConfigError("CONFIG-CODE", f"{key}: a configuration is data, not code; remove this key")
    kinds = {kind: problem.settings for kind, problem in PROBLEMS.items()}
    models = {name: entry.settings for name, entry in catalogue.entries().items()}
    chosen = [_class(raw, "task", "kind", kinds), _class(raw, "model", "name", models)]
    made = {group: _made(one, raw[group], group) for group, one in zip(("task", "model"), chosen, strict=True)}
    return _made(Settings, {**raw, **made}, "")


def _class(raw: Mapping[str, Any], group: str, tag: str, classes: Mapping[str, type[Strict]]) -> type[Strict]:
    """The class of a task or a model, by what its settings say of it."""
    if group not in raw:
        raise ConfigError("CONFIG-KEY", f"key '{group}' is missing")
    node = raw[group]
    if not isinstance(node, Mapping):
        raise ConfigError("CONFIG-VALUE", f"{group}: got {node!r}; it has keys of its own: set one of them")
    if tag not in node:
        raise ConfigError("CONFIG-KEY", f"key '{group}.{tag}' is missing")
    if node[tag] not in classes:
        raise ConfigError("CONFIG-NAME", f"{group}.{tag}: got {node[tag]!r}{suggest(str(node[tag]), classes)}")
    return classes[node[tag]]


def _made(kind: type[Any], raw: Mapping[str, Any], group: str) -> Any:
    try:
        return kind.model_validate(raw)
    except ValidationError as e:
        raise ConfigError(*_one_line(e, group)) from None


def _one_line(e: ValidationError, group: str) -> tuple[str, str]:
    # A wrong `name` or `by` makes every other finding of that node noise: show it first.
    first = min(e.errors(), key=lambda f: f["type"] != "union_tag_invalid")
    parts = [str(p) for p in first["loc"]]
    path = [group] * bool(group) + [p for i, p in enumerate(parts) if i == 0 or parts[i - 1] not in _TAGGED]
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


def key_suggestion(key: str) -> str:
    """The hint for a dotted key that no configuration has."""
    *group, last = key.split(".")
    owners: dict[str, Iterable[type[Strict]]] = {
        "task": [problem.settings for problem in PROBLEMS.values()],
        "task.split": _SPLITS,
        "model": [entry.settings for entry in catalogue.entries().values()],
        "evaluation": [Backtest, Holdout],
        "evaluation.intervals": [Intervals],
        "training": [Training],
        "tracking": [Tracking],
        "": [Settings],
    }
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

"""Which settings `task=csv` may leave open, and that all others are what everybody relies on."""

from typing import Any

from pydantic import ValidationError

from lookback.errors import ConfigError
from lookback.settings import ClassifyTask, ForecastTask, SeriesTask, suggest

KINDS: dict[str, type[SeriesTask]] = {"forecast": ForecastTask, "classify": ClassifyTask}
_OPEN = {  # path and target have words of their own; the rest is read off the file, or goes with its kind
    "path", "target", "name", "time", "time_format", "freq", "lookback", "unit", "delimiter", "decimal",
    "metrics", "models", "reference", "seeds", "refit",
    *(ForecastTask.model_fields.keys() - SeriesTask.model_fields.keys()),
}  # fmt: skip


def is_open(task: dict[str, Any], key: str) -> bool:
    """Whether the user has left a setting to the file."""
    return task["kind"] == "csv" if key == "kind" else task.get(key) is None


def check(raw_task: dict[str, Any]) -> None:
    """What the user has set is there and of the right type.

    Raises:
        ConfigError: in one line, for the first setting that is not.
    """
    for kind in KINDS:
        _check_defaults(kind, raw_task[kind])
    task = {key: value for key, value in raw_task.items() if key not in KINDS}
    asked = task.get("kind")
    if asked not in ("csv", *KINDS):
        raise ConfigError("CONFIG-NAME", f"task.kind: got {asked!r}{suggest(str(asked), list(KINDS))}")
    try:
        ForecastTask.model_validate(task | {"kind": "forecast"})
    except ValidationError as e:
        for fault in e.errors():
            key = str(fault["loc"][0]) if fault["loc"] else ""
            if key and not (key in _OPEN and key in task and is_open(task, key)):
                _refuse(key, fault["type"], fault["msg"], fault["input"])


def _check_defaults(kind: str, defaults: object) -> None:
    """The settings that only tasks of a kind have."""
    if not isinstance(defaults, dict):
        hint = f"leave it out, or set one of its keys, as in task.{kind}.seeds=3"
        raise ConfigError("CONFIG-VALUE", f"task.{kind}: got {defaults!r}; {hint}")
    names = defaults.get("models")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        hint = "leave it out, or set task.models=[naive,lstm] and the like"
        raise ConfigError("CONFIG-VALUE", f"task.{kind}.models: got {names!r}; {hint}")


def _refuse(key: str, fault: str, message: str, got: object) -> None:
    if fault == "extra_forbidden":  # told with the keys that there are, once the kind is known
        return
    if fault == "missing":
        raise ConfigError("CONFIG-KEY", f"key 'task.{key}' is missing; leave it as it is, or set it")
    allowed = message.removeprefix("Input should be ").removeprefix("a ")
    quoted = f"; quote it: 'task.{key}=\"{got}\"'" if fault == "string_type" and got is not None else ""
    raise ConfigError("CONFIG-VALUE", f"task.{key}: got {got!r}, allowed: {allowed}{quoted}")

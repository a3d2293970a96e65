"""Faults in the overrides of a command line that are found before Hydra reads them."""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, QuotedString
from hydra.errors import HydraException
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from lookback.errors import ConfigError
from lookback.paths import CONF
from lookback.problems import PROBLEMS
from lookback.settings import Count, suggest

_ONE_EACH = ("task", "model", "training", "evaluation")  # groups of which a trial has one option
_MAY_GO = "tuned"  # the only thing that can be left out: then the numbers of the pair are the defaults
_NODES = {  # keys that have keys below them -> one of these
    "tracking": "tracking.uri=sqlite:///runs.db",
    "hydra": "hydra.sweeper.max_trials=50",
    "hydra.sweeper": "hydra.sweeper.max_trials=50",
    "hydra.launcher": "hydra.launcher.n_jobs=2",
}
_STRICT = ConfigDict(strict=True)
_TYPES: dict[str, TypeAdapter[Any]] = {  # of what is read before the settings are validated
    "hydra.sweeper.max_trials": TypeAdapter(Count, config=_STRICT),
    "hydra.sweeper.tasks": TypeAdapter(Annotated[list[str], Field(min_length=1)], config=_STRICT),
    "hydra.sweeper.params": TypeAdapter(dict[str, Any] | None, config=_STRICT),
    "tracking.uri": TypeAdapter(str | None, config=_STRICT),
    "tracking.sweep": TypeAdapter(str | None, config=_STRICT),
    "task.name": TypeAdapter(str, config=_STRICT),
    "task.models": TypeAdapter(Annotated[list[str], Field(min_length=1)], config=_STRICT),
    "task.seeds": TypeAdapter(Count, config=_STRICT),
}


def check(arguments: list[str]) -> None:
    """Refuse what is no option of a group, no node or no value of its key.

    Args:
        arguments: the command line; flags, and what cannot be read at all, are left to Hydra.

    Raises:
        ConfigError: in one line, for the first that is wrong.
    """
    for override in _parsed(arguments):
        key = override.key_or_group
        if override.is_delete():
            _check_delete(key)
        for value in () if override.is_delete() else _values(override):
            if key in _NODES and not isinstance(value, dict):
                hint = f"it has keys of its own: leave it out, or set one of them, as in {_NODES[key]}"
                raise ConfigError("CONFIG-VALUE", f"{key}: got {typed(value)}; {hint}")
            if _is_group(key) and not isinstance(value, dict):
                _check_option(override, value)
            if key in _TYPES and "${" not in str(value):  # what that stands for nobody knows yet
                check_value(key, value)


def check_task(task: object) -> dict[str, Any]:
    """The settings of a task, if a sweep can make trials of them: everything else is validated with each trial.

    Raises:
        ConfigError: in one line.
    """
    if not isinstance(task, dict):
        raise _no_option("task", task)
    if task.get("kind") not in PROBLEMS:
        kind = task.get("kind")
        raise ConfigError("CONFIG-NAME", f"task.kind: got {kind!r}{suggest(str(kind), PROBLEMS)}")
    for key in ("name", "models", "seeds"):
        if key not in task:
            raise ConfigError("CONFIG-KEY", f"key 'task.{key}' is missing; set task.{key}")
        check_value(f"task.{key}", task[key])
    return task


def check_value(key: str, value: object) -> None:
    """Refuse a value that is of another type than that of a key of `_TYPES`."""
    try:
        _TYPES[key].validate_python(value)
    except ValidationError as e:
        first = e.errors()[0]
        allowed = first["msg"].removeprefix("Input should be ").removeprefix("a ")
        place = ".".join([key, *map(str, first["loc"])])
        raise ConfigError("CONFIG-VALUE", f"{place}: got {first['input']!r}, allowed: {allowed}") from None


def _parsed(arguments: list[str]) -> Iterator[Override]:
    parser = OverridesParser.create()
    for argument in arguments:
        try:
            yield parser.parse_override(argument)
        except HydraException:
            continue


def _values(override: Override) -> list[Any]:
    """The value, or those of a list to sweep over; none where it must be worked out (a range, a glob)."""
    value = override.value()
    if isinstance(value, ChoiceSweep):
        return [_unquoted(element) for element in value.list]
    return [] if override.is_sweep_override() else [value]


def _unquoted(value: Any) -> Any:
    if isinstance(value, list):
        return [_unquoted(element) for element in value]
    return value.text if isinstance(value, QuotedString) else value


@functools.cache
def _groups() -> set[str]:
    return {str(path.relative_to(CONF)) for path in CONF.rglob("*") if path.is_dir()}


def _is_group(key: str) -> bool:
    return key.startswith("hydra/") or (key in _groups() and key not in _NODES)


def _check_option(override: Override, value: object) -> None:
    group = override.key_or_group
    if override.is_force_add():
        hint = f"write {group}={typed(value)}, or, where there is none yet, +{group}={typed(value)}"
        raise ConfigError("CONFIG-KEY", f"{override.input_line}: {group} is a group; {hint}")
    several = isinstance(value, list) and group not in _ONE_EACH and all(isinstance(name, str) for name in value)
    name = isinstance(value, str) and "${" not in value and value != "???"
    if not name and not several:
        raise _no_option(group, value)


def _no_option(group: str, got: object) -> ConfigError:
    """Hydra itself tells of names that there are none of; this is no name at all."""
    names = sorted(path.stem for path in (CONF / group).glob("[!_]*.yaml"))
    hint = suggest(typed(got), names) if names else f"; give a name, as in {group}=basic"
    return ConfigError("CONFIG-NAME", f"{group}: got {typed(got)}{hint}")


def _check_delete(key: str) -> None:
    if key in _NODES or key in _TYPES or not (key == _MAY_GO or "." in key or "/" in key):
        hint = f"leave ~{key} out, or set {_NODES.get(key, f'{key}=...')}"
        raise ConfigError("CONFIG-KEY", f"~{key}: a setting can be changed, but must be there; {hint}")


def typed(value: object, text: Callable[[object], str] = str) -> str:
    """As it is typed: null, true, [a,b].

    Args:
        text: makes a text of anything else.
    """
    if isinstance(value, list):
        return f"[{','.join(typed(one, text) for one in value)}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else text(value)


def quoted(value: str) -> str:
    """A text as Hydra's grammar wants it: in quotes, with no interpolation in it."""
    value = re.sub(r"(\\*)'", r"\1\1\\'", value)
    value = re.sub(r"(\\+)\Z", r"\1\1", value)
    value = re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    return f"'{value}'"

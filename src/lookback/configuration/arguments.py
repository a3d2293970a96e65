"""The command lines of all pipelines but train, check and compare, made ready for Hydra.

A prompt is typed as it is, commas, quotes and all: it is quoted for Hydra here.
"""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from pydantic import ValidationError

from lookback.configuration import compose, messages
from lookback.configuration.overrides import quoted
from lookback.errors import ConfigError
from lookback.paths import CONF
from lookback.settings import Strict, suggest

T = TypeVar("T", bound=Strict)


def settled(kind: type[T], composed: DictConfig) -> T:
    """The validated settings of a composed configuration.

    Raises:
        ConfigError: in one line.
    """
    _of_the_run()
    return validated(kind, composed)


def validated(kind: type[T], composed: DictConfig) -> T:
    """The same, composed by Python and not by a command line.

    Raises:
        ConfigError: in one line.
    """
    raw = compose.plain(composed)
    task, tracking = raw.pop("task", None), raw.pop("tracking", None)
    known = ({} if task is None else {"task": task["name"]}) | ({} if tracking is None else {"uri": tracking["uri"]})
    try:
        return kind.model_validate(raw | known)
    except ValidationError as e:
        first = e.errors()[0]
        allowed = first["msg"].removeprefix("Input should be ").removeprefix("a ")
        key = ".".join(map(str, first["loc"]))
        raise ConfigError("CONFIG-VALUE", f"{key}: got {first['input']!r}, allowed: {allowed}") from None


def _of_the_run() -> None:
    for override in HydraConfig.get().overrides.task:
        key = override.split("=")[0].lstrip("+~")
        if key.startswith("task.") and key != "task.name":
            raise ConfigError("CONFIG-KEY", f"{key}: a trained run has its own; leave it out, or choose another run")


def run(main: Callable[[], Any], kind: type[Strict], *texts: str) -> None:
    """Call a pipeline's main with the command line made ready for Hydra.

    Args:
        texts: settings that are taken as they are typed.
    """
    with messages.one_line_errors():
        sys.argv[1:] = [_ready(argument, kind, {"run", *texts}) for argument in sys.argv[1:]]
    messages.run(main)


def _ready(argument: str, kind: type[Strict], texts: set[str]) -> str:
    if argument in ("-m", "--multirun"):
        raise ConfigError("CONFIG-SWEEP", f"{argument}: there is nothing to sweep over; leave it out")
    if argument == "--yes" and "yes" in kind.model_fields:
        return "yes=true"
    key, equals, value = argument.partition("=")
    if not equals or argument.startswith("-"):
        return argument
    known = [name for name in kind.model_fields if name != "uri"]
    top = key.lstrip("+~").split(".")[0]
    if top not in (*known, "tracking", "hydra"):
        raise ConfigError("CONFIG-KEY", f"unknown key '{key}'{suggest(top, [*known, 'tracking.uri'])}")
    if key in texts:
        return argument if _is_quoted(value) else f"{key}={quoted(value)}"
    if key == "task" and not (CONF / "task" / f"{value}.yaml").exists():
        return f"task.name={quoted(value)}"  # runs may have any name: task.name=...
    if "," in value and not value.startswith(("'", '"', "[", "{")):
        raise ConfigError("CONFIG-SWEEP", f"{argument}: several values; give one")
    return argument


def _is_quoted(value: str) -> bool:
    return len(value) > 1 and value[0] == value[-1] and value[0] in "'\""

"""What generate, score and explain are asked: types and ranges; the defaults are in conf/.

A prompt is typed as it is, commas, quotes and all: it is quoted for Hydra here.
"""

import re
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import cli
from cli import ROOT
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from pydantic import Field, ValidationError

from lookback.errors import ConfigError
from lookback.settings import Count, Strict, suggest

Words = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Asked(Strict):
    """Which run, and on what it computes.

    `run` is the id of a run, or "best": of the finished runs of `task` the one that is best on val.
    """

    run: Words
    task: Words
    device: Literal["auto", "cpu", "gpu"]
    threads: Annotated[int, Field(ge=1, le=1024)]
    uri: str | None


class Generate(Asked):
    """What to write."""

    prompt: str
    length: Annotated[int, Field(ge=1, le=1_000_000)]  # tokens, at most
    samples: Annotated[int, Field(ge=1, le=1024)]
    seed: Seed
    temperature: Annotated[float, Field(ge=0, le=100)]
    top_k: Annotated[int, Field(ge=0)]
    top_p: Annotated[float, Field(gt=0, le=1)]
    until: Literal["none", "sentence"]


class Score(Asked):
    """What to score."""

    texts: Words
    column: str | None
    endings: bool
    seed: Seed


class Explain(Asked):
    """What to look into."""

    text: str
    layer: Count | None
    unit: Annotated[int, Field(ge=0)] | None


T = TypeVar("T", bound=Asked)


def settled(kind: type[T], composed: DictConfig) -> T:
    """The validated settings of a composed configuration.

    Raises:
        ConfigError: in one line.
    """
    _of_the_run()
    raw = cli.plain(composed)
    task, tracking = raw.pop("task"), raw.pop("tracking")
    try:
        return kind.model_validate(raw | {"task": task["name"], "uri": tracking["uri"]})
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


def begin(main: Callable[[], Any], kind: type[Asked], *texts: str) -> None:
    """Call a pipeline's main with the command line made ready for Hydra.

    Args:
        texts: settings that are taken as they are typed.
    """
    with cli.one_line_errors():
        sys.argv[1:] = [_ready(argument, kind, {"run", *texts}) for argument in sys.argv[1:]]
    cli.run(main)


def _ready(argument: str, kind: type[Asked], texts: set[str]) -> str:
    if argument in ("-m", "--multirun"):
        raise ConfigError("CONFIG-SWEEP", f"{argument}: there is nothing to sweep over; leave it out")
    key, equals, value = argument.partition("=")
    if not equals or argument.startswith("-"):
        return argument
    known = [name for name in kind.model_fields if name != "uri"]
    top = key.lstrip("+~").split(".")[0]
    if top not in (*known, "tracking", "hydra"):
        raise ConfigError("CONFIG-KEY", f"unknown key '{key}'{suggest(top, [*known, 'tracking.uri'])}")
    if key in texts:
        return argument if _is_quoted(value) else f"{key}={_quoted(value)}"
    if key == "task" and not (ROOT / "conf/task" / f"{value}.yaml").exists():
        return f"task.name={_quoted(value)}"  # runs may have any name: task.name=...
    if "," in value and not value.startswith(("'", '"', "[", "{")):
        raise ConfigError("CONFIG-SWEEP", f"{argument}: several values; give one")
    return argument


def _is_quoted(value: str) -> bool:
    return len(value) > 1 and value[0] == value[-1] and value[0] in "'\""


def _quoted(value: str) -> str:
    """A text as Hydra's grammar wants it: in quotes, with no interpolation in it."""
    value = re.sub(r"(\\*)'", r"\1\1\\'", value)
    value = re.sub(r"(\\+)\Z", r"\1\1", value)
    value = re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    return f"'{value}'"

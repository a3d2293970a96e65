"""What every pipeline shares: composing settings, and telling errors in one line."""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lookback.config import Settings, key_suggestion, suggest, validate
from lookback.data import derive
from lookback.errors import ConfigError, LookbackError

ROOT = Path(__file__).resolve().parents[1]
_told: set[str] = set()


def settings(composed: DictConfig) -> Settings:
    """The validated settings of a composed configuration.

    Raises:
        ConfigError: in one line.
        LookbackError: a file that `task=csv` shall be read off is missing or no CSV.
    """
    raw = plain(composed)
    return validate(raw | {"task": task(raw)})


def task(raw: dict[str, Any]) -> dict[str, Any]:
    """The task's settings, those that `task=csv` leaves open read off the file; says what was derived, once."""
    if not isinstance(raw.get("task"), dict):
        return raw["task"]
    complete, told = derive.complete(raw["task"], ROOT)
    for sentence in told:
        if sentence not in _told:
            print(sentence, flush=True)
            _told.add(sentence)
    return complete


def plain(composed: DictConfig) -> dict[str, Any]:
    """A composed configuration as a dictionary, every interpolation resolved, Hydra's own part left out."""
    try:
        raw = OmegaConf.to_container(composed, resolve=True)
    except OmegaConfBaseException as e:
        raise config_error(e) from None
    return {str(k): v for k, v in raw.items() if k != "hydra"}  # type: ignore[union-attr]


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """A mistake of the user ends the process with one line on stderr and its exit code."""
    try:
        yield
    except (LookbackError, HydraException, OmegaConfBaseException) as e:
        if "LOOKBACK_DEBUG" in os.environ:
            raise
        error = e if isinstance(e, LookbackError) else config_error(e)
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from the last finished trial", file=sys.stderr)
        sys.exit(130)


def run(main: Callable[[], Any]) -> None:
    """Call a pipeline's main."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises, and the message is ours
    with one_line_errors():
        main()


def config_error(e: Exception) -> LookbackError:
    """Hydra's and OmegaConf's errors, in one line that says what to do."""
    text = f"{e}\n{e.__cause__ or ''}"
    if m := re.search(r"Ambiguous value for argument '(.+?)'\n", text):
        return ConfigError("CONFIG-SWEEP", f"{m[1]}: several values; add -m to sweep over them")
    if override := getattr(e, "override", None):
        key, _, value = override.partition("=")
        return ConfigError("CONFIG-QUOTE", f"cannot read {override}; quote the value: \"{key}='{value}'\"")
    if m := re.search(r"Could not override '([^']+)'", text):
        return ConfigError("CONFIG-KEY", f"unknown key '{m[1]}'{key_suggestion(m[1])}")
    if m := re.search(r"Could not find '([^']+)'", text):
        group, _, name = m[1].partition("/")
        options = [o for o in re.findall(r"^\t(\S+)", text, re.M) if not o.startswith("_")]
        return ConfigError("CONFIG-NAME", f"{group}: got '{name}'{suggest(name, options)}")
    if m := re.search(r"full_key: (\S+)", text):
        why = re.search(r'"(.+?)"', text)
        return ConfigError("CONFIG-VALUE", f"{m[1]}: {why[1] if why else text.splitlines()[0]}")
    return ConfigError("CONFIG", " ".join(text.split()))

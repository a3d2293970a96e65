"""What every pipeline shares: composing settings, and telling errors in one line."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lookback.config import Settings, key_suggestion, suggest, validate
from lookback.errors import ConfigError, LookbackError

ROOT = Path(__file__).resolve().parents[1]


def settings(composed: DictConfig) -> Settings:
    """The validated settings of a composed configuration.

    Raises:
        ConfigError: in one line.
    """
    try:
        raw = OmegaConf.to_container(composed, resolve=True)
    except OmegaConfBaseException as e:
        raise config_error(e) from None
    return validate({k: v for k, v in raw.items() if k != "hydra"})  # type: ignore[union-attr]


def run(main: Callable[[], Any]) -> None:
    """Call a pipeline's main; a mistake of the user ends in one line on stderr and its exit code."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises, and the message is ours
    try:
        main()
    except (LookbackError, HydraException, OmegaConfBaseException) as e:
        if "LOOKBACK_DEBUG" in os.environ:
            raise
        error = e if isinstance(e, LookbackError) else config_error(e)
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from the last finished trial", file=sys.stderr)
        sys.exit(130)


def config_error(e: Exception) -> LookbackError:
    """Hydra's and OmegaConf's errors, each in one line that says what to do."""
    text = f"{e}\n{e.__cause__ or ''}"
    if isinstance(e.__cause__, LookbackError):
        return e.__cause__
    if m := re.search(r"Could not override '([^']+)'|Could not append to config\. .*?'([^']+)'", text):
        key = (m[1] or m[2]).lstrip("+")
        return ConfigError("CONFIG-KEY", f"unknown key '{key}'{key_suggestion(key)}")
    if m := re.search(r"Could not find '([^']+)'", text):
        group, _, name = m[1].partition("/")
        options = [o for o in re.findall(r"^\t(\S+)", text, re.M) if not o.startswith("_")]
        return ConfigError("CONFIG-NAME", f"{group}: got '{name}'{suggest(name, options)}")
    if m := re.search(r"Could not override '?([^'\n]+?)'?\.? *No match in the defaults list", text):
        return ConfigError("CONFIG-KEY", f"unknown key '{m[1]}'{key_suggestion(m[1])}")
    if m := re.search(r"Ambiguous value for argument '([^']+)'", text):
        return ConfigError("CONFIG-SWEEP", f"{m[1]}: several values; add -m to sweep over them")
    if m := re.search(r"LexerNoViableAltException: (\S+)|Error parsing override '([^']*)'", text):
        override = (m[2] or m[1]).rstrip("'")
        key, _, value = override.partition("=")
        return ConfigError("CONFIG-QUOTE", f"cannot read {override!r}; quote the value: \"{key}='{value}'\"")
    return ConfigError("CONFIG", " ".join(text.split()))

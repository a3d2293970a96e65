"""Hydra's and OmegaConf's errors in one line that says what to do; every mistake of the user ends in one."""

import contextlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from lookback.configuration import overrides
from lookback.configuration.validation import key_suggestion
from lookback.errors import ConfigError, LookbackError, Unavailable
from lookback.models import catalogue
from lookback.settings import suggest


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """A mistake of the user ends the process with one line on stderr and its exit code."""
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from the last finished trial", file=sys.stderr)
        sys.exit(130)
    except Exception as e:
        if "LOOKBACK_DEBUG" in os.environ or not _of_the_user(e):
            raise
        error = e if isinstance(e, LookbackError) else config_error(e)
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def _of_the_user(e: Exception) -> bool:
    """Whether an error gets one line: ours, or one that Hydra's own code raised over the overrides."""
    if isinstance(e, LookbackError | HydraException | OmegaConfBaseException):
        return True
    *_, (innermost, _) = traceback.walk_tb(e.__traceback__)
    return innermost.f_globals.get("__name__", "").partition(".")[0] in ("hydra", "omegaconf")


def run(main: Callable[[], Any]) -> None:
    """Call a pipeline's main."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises, and the message is ours
    with one_line_errors():
        check_platform()
        overrides.check(sys.argv[1:])
        main()


def check_platform() -> None:
    """Refuse Windows, which has not the file locks that keep trials apart.

    Raises:
        Unavailable: in one line.
    """
    if os.name == "nt":
        raise Unavailable("PLATFORM", "Windows: this runs on Linux and macOS; install WSL and run it there")


# --- Hydra's errors in one line -------------------------------------------------------------------


def config_error(e: BaseException) -> LookbackError:
    """Hydra's and OmegaConf's errors, in one line that says what to do."""
    if isinstance(e.__cause__, LookbackError):  # raised in what Hydra called
        return e.__cause__
    text = f"{e}\n{e.__cause__ or ''}"
    if override := getattr(e, "override", None):
        return _unreadable(override)
    for pattern, error in _SAID.items():
        if m := re.search(pattern, text, re.M):
            return error(m, text)
    return ConfigError("CONFIG", " ".join(text.split()) + f"; correct or leave out one of: {' '.join(sys.argv[1:])}")


def _unreadable(override: str) -> LookbackError:
    key, equals, value = override.partition("=")
    if not equals:
        return ConfigError("CONFIG-QUOTE", f"cannot read {override}; write it as key=value")
    if not re.fullmatch(r"[+~]{0,2}[A-Za-z_]([\w.@-]*|[\w/@-]*)", key):
        return ConfigError("CONFIG-KEY", f"unknown key '{key}' in {override}; write it as in model.units=64")
    if "'" in value:
        return ConfigError("CONFIG-QUOTE", f"cannot read {override}; close the quote, or write \\' inside of one")
    return ConfigError("CONFIG-QUOTE", f"cannot read {override}; quote the value: \"{key}='{value}'\"")


def _sweep(m: re.Match[str], text: str) -> LookbackError:
    return ConfigError("CONFIG-SWEEP", f"{m[1]}: several values; add -m to sweep over them")


def _unknown_key(m: re.Match[str], text: str) -> LookbackError:
    if re.match("hydra[./]", m[1]):
        return ConfigError("CONFIG-KEY", f"unknown key '{m[1]}'; --cfg hydra prints those of Hydra")
    return ConfigError("CONFIG-KEY", f"unknown key '{m[1]}'{key_suggestion(m[1])}")


def _unknown_name(m: re.Match[str], text: str) -> LookbackError:
    group, _, name = m[1].rpartition("/")
    if group == "model" and name in catalogue.entries():
        hint = f"write model/{name}.yaml beside its file: name: {name}, and a line for each of its settings"
        return ConfigError("PLUGIN-SETTINGS", f"model {name} has no YAML; {hint}")
    listed = text.partition("Available options")[2].partition("Config search path")[0]
    options = [option for option in re.findall(r"^\t(\S+)", listed, re.M) if not option.startswith("_")]
    return ConfigError("CONFIG-NAME", f"{group}: got '{name}'{suggest(name, options)}")


def _nothing_to_delete(m: re.Match[str], text: str) -> LookbackError:
    return ConfigError("CONFIG-KEY", f"~{m[1]}: nothing is set there; leave ~{m[1]} out")


def _twice(m: re.Match[str], text: str) -> LookbackError:
    return ConfigError("CONFIG-KEY", f"+{m[1]}: there is one already; write {m[1]}=... without the +")


def _not_merged(m: re.Match[str], text: str) -> LookbackError:
    key, _, value = m[1].partition("=")
    why = next((line for line in text.splitlines() if line and "merging override" not in line), "it does not fit")
    return ConfigError("CONFIG-VALUE", f"{key.lstrip('+')}: got {value}: {why.strip()}; set another value")


def _not_resolved(m: re.Match[str], text: str) -> LookbackError:
    why = re.search(r'"(.+?)"', text)
    return ConfigError("CONFIG-VALUE", f"{m[1]}: {why[1] if why else text.splitlines()[0]}; set a value")


_SAID: dict[str, Callable[[re.Match[str], str], LookbackError]] = {
    r"Ambiguous value for argument '(.+?)'\n": _sweep,
    r"Sweep parameters '(.+?)' requires --multirun": _sweep,
    r"Error merging override (.+)": _not_merged,
    r"Could not override '([^']*)'": _unknown_key,
    r"Could not delete (?:from config\. )?'([^']+)'": _nothing_to_delete,
    r"Could not find '([^']+)'": _unknown_name,
    r"Multiple values for ([\w/]+)": _twice,
    r"full_key: (\S+)": _not_resolved,
}

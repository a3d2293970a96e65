"""What was read off a CSV, handed on to another process as an override: JSON that needs no escape in Hydra's quotes."""

import json
import re
from typing import Any

from lookback.data.csv.open_settings import KINDS, is_open
from lookback.errors import ConfigError

Task = dict[str, Any]

_KEY = "task.derived"
# What means something to Hydra or to OmegaConf inside quotes: a quote, the $ of an interpolation, a backslash before
# one of them. JSON can write each as \uXXXX, and a backslash before a u is only a backslash.
_MEANS_SOMETHING = re.compile(r"\\[\"\\]|['$]")


def override(raw_task: Task, complete_task: Task) -> str:
    """`task.derived='...'`: what the complete settings say where the raw ones are open."""
    derived = {key: value for key, value in complete_task.items() if is_open(raw_task, key)}
    text = _MEANS_SOMETHING.sub(lambda found: f"\\u{ord(found[0][-1]):04x}", json.dumps(derived))
    return f"{_KEY}='{text}'"


def filled(raw_task: Task) -> Task:
    """The raw settings, and those that they leave open out of their `derived`; what the user has set stays.

    Raises:
        ConfigError: `derived` is not what `override` makes.
    """
    text, task = raw_task["derived"], {key: value for key, value in raw_task.items() if key not in (*KINDS, "derived")}
    try:
        derived = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        derived = None
    if not isinstance(derived, dict):
        raise ConfigError("CONFIG-VALUE", f"{_KEY}: got {text!r}; a sweep sets it: leave it out")
    task |= {key: value for key, value in derived.items() if is_open(task, key)}
    if task["kind"] not in tuple(KINDS):
        raise ConfigError("CONFIG-VALUE", f"{_KEY}: got {text!r}, which says no kind; a sweep sets it: leave it out")
    return task

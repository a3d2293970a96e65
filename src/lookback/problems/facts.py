"""What descriptions of every problem share."""

from typing import Any

import numpy as np
import pandas as pd

from lookback.data.dataset import Data
from lookback.settings import Task
from lookback.wording import when


def refitted(task: Task) -> str:
    """Whether models are fitted anew on train+val, in a sentence."""
    if task.refit:
        return "Once val had chosen, every model was refitted on train+val."
    return "Models are fitted on train only (no refit on train+val)."


def listed_files(task: Any) -> str:
    """The files of a task."""
    path = getattr(task, "path", "") or "the language reference"
    return path if isinstance(path, str) else ", ".join(file.path for file in path)


def parts(data: Data) -> tuple[tuple[str, Any], ...]:
    """The three splits by name."""
    return ("train", data.train), ("val", data.val), ("test", data.test)


def row_label(label: object) -> str:
    """A date without its midnight, or the number of a row."""
    return when(label) if isinstance(label, np.datetime64 | pd.Timestamp) else f"row {label}"

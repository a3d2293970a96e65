"""What descriptions of every problem share."""

from typing import Any

from lookback.data.dataset import Data
from lookback.settings import Task


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

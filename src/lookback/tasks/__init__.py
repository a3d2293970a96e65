"""Each task turns files into `Data`. To add one: a loader here, its settings in `config.py`, a YAML."""

from functools import cache
from pathlib import Path

from lookback.config import AnyTask, Evaluation
from lookback.data.contract import Data
from lookback.tasks import documents, language_model, rows, tagging

LOADERS = {
    "forecast": rows.load,
    "classify": rows.load,
    "language": language_model.load,
    "sentiment": documents.load,
    "rating": documents.load,
    "tagging": tagging.load,
}


@cache
def load(task: AnyTask, evaluation: Evaluation, root: Path) -> Data:
    """The data of a task; read once in a process."""
    return LOADERS[task.kind](task, evaluation, root)  # type: ignore[operator]

"""Each task turns files into `Data`. To add one: a loader here, its settings in `settings/`, a YAML."""

from functools import lru_cache
from pathlib import Path

from lookback.data.dataset import Data
from lookback.settings import AnyTask, Evaluation
from lookback.tasks import documents, language_model, rows, tagging

LOADERS = {
    "forecast": rows.load,
    "classify": rows.load,
    "language": language_model.load,
    "sentiment": documents.load,
    "rating": documents.load,
    "tagging": tagging.load,
}


# A sweep goes task by task, once for the keys of its trials and once for the trials: the three tasks that it has where
# none is named, and one more, are read once. Those of a longer list are read once for each rather than all held.
_KEPT = 4


@lru_cache(_KEPT)
def load(task: AnyTask, evaluation: Evaluation, root: Path) -> Data:
    """The data of a task; those of the last four tasks of a process are kept."""
    return LOADERS[task.kind](task, evaluation, root)  # type: ignore[operator]

"""The kinds of problems: `PROBLEMS` is the only list of them. A new kind is a module here and its line below."""

from functools import lru_cache
from pathlib import Path

from lookback.data.dataset import Data
from lookback.problems.base import Problem
from lookback.problems.classify import Classify
from lookback.problems.document import Rating, Sentiment
from lookback.problems.forecast import Forecast
from lookback.problems.language import Language
from lookback.problems.tagging import Tagging
from lookback.settings import Evaluation, Task

PROBLEMS: dict[str, Problem] = {
    problem.kind: problem for problem in (Forecast(), Classify(), Language(), Sentiment(), Rating(), Tagging())
}

# A sweep goes task by task, once for the keys of its trials and once for the trials: the three tasks that it has where
# none is named, and one more, are read once. Those of a longer list are read once for each rather than all held.
_KEPT = 4


@lru_cache(_KEPT)
def load(task: Task, evaluation: Evaluation, root: Path) -> Data:
    """The data of a task; those of the last four tasks of a process are kept."""
    return PROBLEMS[task.kind].load(task, evaluation, root)

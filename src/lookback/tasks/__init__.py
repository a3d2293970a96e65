"""Each task turns files into `Data`. To add one: a loader here, its settings in `config.py`, a YAML."""

from functools import cache
from pathlib import Path

from lookback.config import ForecastTask, TextTask
from lookback.data.contract import Data
from lookback.tasks import forecast, language_model

LOADERS = {"forecast": forecast.load, "characters": language_model.load}


@cache
def load(task: ForecastTask | TextTask, root: Path) -> Data:
    """The data of a task; read once in a process."""
    return LOADERS[task.kind](task, root)  # type: ignore[operator]

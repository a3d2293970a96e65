"""Types and ranges of settings. No defaults here: the YAML files under `conf/` hold them.

The settings of a whole trial are put together, checked and told about in `lookback.configuration`. A model's numbers
stand with the model. It imports nothing heavy.
"""

from lookback.settings.base import MEASURED, Count, Numbers, OnlyOn, Role, Strict
from lookback.settings.evaluation import Backtest, Evaluation, Holdout
from lookback.settings.hints import suggest
from lookback.settings.series import CHARACTER, UNIX, ClassifyTask, ForecastTask, SeriesTask
from lookback.settings.splits import DateSplit, FileSplit, FractionSplit, OwnTestSplit, RowSplit, ShuffledSplit
from lookback.settings.task import Task
from lookback.settings.texts import DocumentTask, ExampleTask, LanguageTask, RatingTask, SentimentTask, TaggingTask
from lookback.settings.training import Tracking, Training

__all__ = [
    "CHARACTER",
    "MEASURED",
    "UNIX",
    "Backtest",
    "ClassifyTask",
    "Count",
    "DateSplit",
    "DocumentTask",
    "Evaluation",
    "ExampleTask",
    "FileSplit",
    "ForecastTask",
    "FractionSplit",
    "Holdout",
    "LanguageTask",
    "Numbers",
    "OnlyOn",
    "OwnTestSplit",
    "RatingTask",
    "Role",
    "RowSplit",
    "SentimentTask",
    "SeriesTask",
    "ShuffledSplit",
    "Strict",
    "TaggingTask",
    "Task",
    "Tracking",
    "Training",
    "suggest",
]

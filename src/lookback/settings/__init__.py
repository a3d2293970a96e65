"""Types and ranges of every setting. No defaults here: the YAML files under `conf/` hold them.

`validate` turns the composed configuration into a frozen `Settings`, or raises a `ConfigError` of
one line that names the key, what was received and what is allowed. It imports nothing heavy.
"""

from lookback.settings.base import MEASURED, Count, OnlyOn, Role, Strict
from lookback.settings.evaluation import Backtest, Evaluation
from lookback.settings.hints import suggest
from lookback.settings.messages import key_suggestion, validate
from lookback.settings.models import MODELS
from lookback.settings.names import BACKBONES, BASELINES, LOSSES_THAT_DECIDE, METRICS, NETWORKS, NETWORKS_ON, models_for
from lookback.settings.series import CHARACTER, UNIX, ClassifyTask, ForecastTask, SeriesTask
from lookback.settings.splits import DateSplit, FileSplit, FractionSplit, OwnTestSplit, RowSplit, ShuffledSplit
from lookback.settings.texts import DocumentTask, ExampleTask, LanguageTask, RatingTask, SentimentTask, TaggingTask
from lookback.settings.trial import AnyTask, Settings, Training

__all__ = [
    "BACKBONES",
    "BASELINES",
    "CHARACTER",
    "LOSSES_THAT_DECIDE",
    "MEASURED",
    "METRICS",
    "MODELS",
    "NETWORKS",
    "NETWORKS_ON",
    "UNIX",
    "AnyTask",
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
    "LanguageTask",
    "OnlyOn",
    "OwnTestSplit",
    "RatingTask",
    "Role",
    "RowSplit",
    "SentimentTask",
    "SeriesTask",
    "Settings",
    "ShuffledSplit",
    "Strict",
    "TaggingTask",
    "Training",
    "key_suggestion",
    "models_for",
    "suggest",
    "validate",
]

"""The models that a network must beat: small objects with `fit` and `predict`.

`fit(train, val)` learns from train and chooses on val; with val None it keeps what was chosen. What a
baseline has learnt is `vars(baseline)`: numbers, words and arrays, so that it is saved without pickle.
To add one: a class here, its numbers in `settings/models.py`, a YAML in `conf/model`.
"""

from collections.abc import Callable
from typing import Any

from lookback.data.dataset import Data
from lookback.models.baselines.arima import Sarima
from lookback.models.baselines.boosting import Boosting
from lookback.models.baselines.classes import Frequencies, Logistic, Persistence
from lookback.models.baselines.climatology import Climatology
from lookback.models.baselines.documents import Majority, MeanRating, NaiveBayes, TfidfLogistic, TfidfRidge
from lookback.models.baselines.lad import Lad
from lookback.models.baselines.language import AddOne, Ngram
from lookback.models.baselines.linear import Linear
from lookback.models.baselines.simple import Drift, GrowthNaive, SeasonalNaive
from lookback.models.baselines.smoothing import HoltWinters
from lookback.models.baselines.tags import MostFrequentTag

BASELINES: dict[str, Callable[..., Any]] = {
    "naive": lambda data: SeasonalNaive(season=1),
    "seasonal_naive": lambda data: SeasonalNaive(data.season),
    "drift": lambda data: Drift(),
    "growth_naive": lambda data: GrowthNaive(data.season),
    "linear": lambda data, **numbers: Linear(ahead=data.ahead, reach=data.reach, log=False, **numbers),
    "log_linear": lambda data, **numbers: Linear(ahead=data.ahead, reach=data.reach, log=True, **numbers),
    "lad": lambda data, **numbers: Lad(ahead=data.ahead, reach=data.reach, **numbers),
    "climatology": lambda data, **numbers: Climatology(**numbers),
    "holt_winters": lambda data, **numbers: HoltWinters(data.season, **numbers),
    "sarima": lambda data, **numbers: Sarima(data.season, **numbers),
    "boosting": lambda data, **numbers: Boosting(ahead=data.ahead, reach=data.reach, **numbers),
    "frequencies": lambda data: Frequencies(len(data.tokens)),
    "persistence": lambda data: Persistence(len(data.tokens)),
    "logistic": lambda data, **numbers: Logistic(len(data.tokens), ahead=data.ahead, reach=data.reach, **numbers),
    "unigram": lambda data: AddOne(len(data.tokens)),
    "ngram": lambda data, max_order: Ngram(len(data.tokens), max_order),
    "majority": lambda data: Majority(len(data.tokens)),
    "mean_rating": lambda data: MeanRating(),
    "naive_bayes": lambda data, smoothing, **numbers: NaiveBayes(
        candidates=smoothing, classes=len(data.tokens), **numbers
    ),
    "tfidf_logistic": lambda data, Cs, **numbers: TfidfLogistic(candidates=Cs, classes=len(data.tokens), **numbers),
    "tfidf_ridge": lambda data, alphas, **numbers: TfidfRidge(candidates=alphas, bounds=data.bounds, **numbers),
    "most_frequent_tag": lambda data, max_suffix: MostFrequentTag(len(data.tokens), max_suffix),
}


def build(data: Data, name: str, **numbers: Any) -> Any:
    """Make a baseline that has learnt nothing yet.

    Raises:
        UnsuitedError: it makes no sense on these data.
    """
    return BASELINES[name](data, **numbers)


def load(data: Data, name: str, numbers: dict[str, Any], state: dict[str, Any]) -> Any:
    """A baseline that knows what another one, `vars(baseline)`, had learnt."""
    baseline = build(data, name, **numbers)
    vars(baseline).update(state)
    return baseline

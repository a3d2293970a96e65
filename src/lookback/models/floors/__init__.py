"""The contestants that a network must beat: small objects with `fit` and `predict`.

To add one: a class here, its numbers in `config.py`, a YAML in `conf/model`.
"""

from collections.abc import Callable
from typing import Any

from lookback.data.contract import Data
from lookback.models.floors.language import Ngram
from lookback.models.floors.series import Linear, SeasonalNaive


def naive(data: Data) -> SeasonalNaive:
    """Persistence: the last value stays."""
    return SeasonalNaive(season=1)


def seasonal_naive(data: Data) -> SeasonalNaive:
    """The value one season before."""
    return SeasonalNaive(season=data.season)


def linear(data: Data, strengths: tuple[float, ...]) -> Linear:
    """Ridge autoregression on all columns of the window."""
    return Linear(strengths=strengths)


def unigram(data: Data) -> Ngram:
    """How often each token occurs: the n-gram of order 1."""
    return Ngram(vocabulary=len(data.tokens), max_order=1)


def ngram(data: Data, max_order: int) -> Ngram:
    """Interpolated Witten-Bell n-gram, its order chosen on val."""
    return Ngram(vocabulary=len(data.tokens), max_order=max_order)


FLOORS: dict[str, Callable[..., Any]] = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "linear": linear,
    "unigram": unigram,
    "ngram": ngram,
}


def build(data: Data, name: str, **numbers: Any) -> Any:
    """Make a floor that has learnt nothing yet."""
    return FLOORS[name](data, **numbers)


def load(data: Data, name: str, numbers: dict[str, Any], state: dict[str, Any]) -> Any:
    """A floor that knows what another one, `vars(floor)`, had learnt."""
    floor = build(data, name, **numbers)
    vars(floor).update(state)
    return floor

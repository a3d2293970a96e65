"""Every model by its name: its settings, the kinds of problems that it fits, and how it is built.

A model is one file in `baselines/` or `networks/backbones/` (and a YAML in `conf/model`): a function behind one of the
two decorators below. The lists that validation, sweeps, the README and the tests need are made of these entries.
Importing such a file must stay cheap: Keras, scikit-learn and statsmodels are imported where they are used.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lookback.errors import ConfigError
from lookback.settings.base import Numbers

_PACKAGES = ("lookback.models.baselines", "lookback.models.networks.backbones")
ANY = ("any",)  # `problems` of a model that fits every kind
_ENTRIES: dict[str, "Entry"] = {}

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Entry:
    """A model.

    Attributes:
        settings: the class of its numbers.
        problems: the kinds of problems that it fits, or `ANY`.
        build: of a baseline, (data, **numbers) -> an object with `fit` and `predict`; of a network,
            (spec, **numbers) -> its backbone.
        network: whether it is trained by gradients, from a seed, by the engine.
        reads_all: whether a forecast rests on every row of the series before it, and not on its window alone.
    """

    name: str
    settings: type[Numbers]
    problems: tuple[str, ...]
    build: Callable[..., Any]
    network: bool
    reads_all: bool

    def fits(self, problem: str) -> bool:
        """Whether it makes sense on a kind of problem."""
        return self.problems == ANY or problem in self.problems


def baseline(name: str, settings: type[Numbers], problems: Sequence[str], reads_all: bool = False) -> Callable[[F], F]:
    """Register a baseline: a function (data, **numbers) -> an object with `fit(train, val)` and `predict(samples)`.

    `fit` learns from `train` and chooses on `val`; where `val` is None it keeps what it chose. `predict` answers with
    the `Prediction` of its problem: of windows `samples.y.length` values each, which may be more than it was fitted
    for (`task.multistep=recursive`): `models.baselines.recursion.roll_forward` feeds answers back. `parameters` counts
    what was fitted. `reads_all` says that it reads more of a series than the window.

    Raises:
        ConfigError: there is a model of this name.
    """
    return _register(name, settings, problems, network=False, reads_all=reads_all)


def network(name: str, settings: type[Numbers], problems: Sequence[str]) -> Callable[[F], F]:
    """Register a network: a function (spec, **numbers) -> the backbone between the ends that a problem brings.

    Raises:
        ConfigError: there is a model of this name.
    """
    return _register(name, settings, problems, network=True, reads_all=False)


def _register(
    name: str, settings: type[Numbers], problems: Sequence[str], network: bool, reads_all: bool
) -> Callable[[F], F]:
    def kept(build: F) -> F:
        known = _ENTRIES.get(name)
        if known is not None and known.build.__code__.co_filename != build.__code__.co_filename:
            raise ConfigError("MODEL-TWICE", f"model {name}: there is one of this name already; give it another")
        _ENTRIES[name] = Entry(name, settings, tuple(problems), build, network, reads_all)
        return build

    return kept


def entries() -> dict[str, Entry]:
    """All models, those of plugins included."""
    _discover()
    return _ENTRIES


def entry(name: str) -> Entry:
    """The model of this name.

    Raises:
        KeyError: there is none.
    """
    return entries()[name]


def fitting(problem: str) -> tuple[str, ...]:
    """The models that make sense on a kind of problem, baselines first."""
    return baselines(problem) + networks(problem)


def baselines(problem: str | None = None) -> tuple[str, ...]:
    """The baselines, or those that make sense on a kind of problem."""
    return tuple(_names(problem, network=False))


def networks(problem: str | None = None) -> tuple[str, ...]:
    """The networks, or those that make sense on a kind of problem."""
    return tuple(_names(problem, network=True))


def _names(problem: str | None, network: bool) -> Iterator[str]:
    for name, found in entries().items():
        if found.network == network and (problem is None or found.fits(problem)):
            yield name


@functools.cache
def _discover() -> None:
    """Import every file that holds a model."""
    for package in _PACKAGES:
        path = importlib.import_module(package).__path__
        for module in pkgutil.iter_modules(path):
            importlib.import_module(f"{package}.{module.name}")

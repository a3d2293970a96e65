"""Which trials a sweep is made of: every combination of the overrides, models and seeds from the task.

All of them are checked before the first one starts.
"""

import functools
import itertools
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lookback.configuration import compose
from lookback.configuration.settings import Settings
from lookback.data.csv import derive
from lookback.errors import ConfigError
from lookback.experiment.key import deciding, measured
from lookback.experiment.model import model_of
from lookback.models import catalogue
from lookback.wording import count

GROUPS = ("baselines", "networks")  # of a task's own models
CHANGE_ALL = ("training.epochs", "training.batch_size", "training.learning_rate", "model.units", "model.layers")


@dataclass(frozen=True)
class Trial:
    """One trial of a sweep.

    Attributes:
        job: the overrides that a worker composes it from.
        label: the model's name in the comparison: where the sweep tries several numbers of one, with those.
    """

    job: list[str]
    settings: Settings
    label: str


@dataclass
class Grid:
    """The trials of a sweep.

    `model=baselines` and `model=networks` name all of the task's own that are such. An override of a model's number
    goes to the models that have it.

    Attributes:
        tasks: those of a sweep that names none.
        max_trials: a sweep of more is refused.
        composed: overrides -> the configuration of one trial.

    Raises:
        ConfigError: an empty or too large sweep, or any trial whose settings are wrong. Nothing has run then.
    """

    tasks: list[str]
    max_trials: int
    composed: Callable[[list[str]], Any]

    def trials(self, choices: dict[str, list[str]]) -> list[Trial]:
        """The trials of these overrides: key -> values."""
        for key, values in choices.items():
            if not values:
                raise ConfigError("SWEEP-EMPTY", f"{key}: the sweep holds no value, so there is nothing to run")
            if len(set(values)) < len(values):
                print(f"warning: {key} names a value more than once; each trial runs once")
                choices[key] = list(dict.fromkeys(values))
        choices.setdefault("task", self.tasks)
        models, seeds = choices.pop("model", None), choices.pop("seed", None)
        self._check_size(_at_least(choices, models, seeds))
        trials: dict[str, Trial] = {}
        ways: dict[str, dict[str, Any]] = {}
        for combination in itertools.product(*choices.values()):
            for trial in self._of(dict(zip(choices, combination, strict=True)), choices, models, seeds):
                _check_way(ways, trial.settings)  # first: files of two kinds are no repetition of each other
                _add(trials, trial)
                self._check_size(len(trials))
        if not trials:
            raise ConfigError(
                "SWEEP-EMPTY", "the sweep holds no trial: none of these models makes sense on these tasks"
            )
        return list(trials.values())

    def _of(
        self, chosen: dict[str, str], choices: dict[str, list[str]], models: list[str] | None, seeds: list[str] | None
    ) -> Iterator[Trial]:
        """The trials of one combination of overrides."""
        job = [f"{key}={value}" for key, value in chosen.items()]
        varied = [o for o in job if len(choices[_key(o)]) > 1 and not o.startswith("task=")]
        # A model's numbers compose only with a model that has them; the task is the same without.
        raw = compose.plain(self.composed([o for o in job if not _of_a_model(o)]))
        task = compose.task(raw)
        filled_in = derive.handed_on(raw["task"], task)  # workers read nothing off a CSV again
        wanted = _models(models, task["models"])
        for model in wanted:
            if model in catalogue.entries() and model not in catalogue.fitting(task["kind"]):
                print(f"skipped  {task['name']}/{model}: {model} makes no sense on this task")
                continue
            own = [*_with(job, model, wanted), f"model={model}", *filled_in]
            yield from self._seeds(own, [o for o in varied if o in own], seeds or list(map(str, range(task["seeds"]))))

    def _seeds(self, own: list[str], varied: list[str], seeds: list[str]) -> Iterator[Trial]:
        """A trial for each seed of a network; a baseline has none."""
        first = compose.settings(self.composed([*own, f"seed={seeds[0]}"]))
        label = _label(varied, first)
        yield Trial([*own, f"seed={seeds[0]}"], first, label)
        for seed in model_of(first).seeds(seeds)[1:]:
            job = [*own, f"seed={seed}"]
            # Composing takes a tenth of a second: a plain number is put in its place instead.
            plain = seed.isdecimal() and int(seed) < 2**31
            settings = first.model_copy(update={"seed": int(seed)}) if plain else compose.settings(self.composed(job))
            yield Trial(job, settings, label)

    def _check_size(self, trials: int) -> None:
        if trials > self.max_trials:
            raise ConfigError(
                "SWEEP-SIZE",
                f"more than {count(self.max_trials, 'trial')}; narrow the sweep, or set hydra.sweeper.max_trials",
            )


def _at_least(choices: dict[str, list[str]], models: list[str] | None, seeds: list[str] | None) -> int:
    """Trials that there are in any case, counted before any of them is composed.

    Only networks that go with every task count, and only numbers that change each of their trials.
    """
    networks = [m for m in models or [] if m in catalogue.networks() and _fits_all(m)]
    surely = [v for k, v in choices.items() if _plain(k) in CHANGE_ALL or k == "task"]
    return math.prod(map(len, surely)) * len(networks) * len(seeds or [""])


def _fits_all(model: str) -> bool:
    return catalogue.entry(model).problems == catalogue.ANY


def _key(override: str) -> str:
    return override.split("=", 1)[0]


def _plain(key: str) -> str:
    """Without the signs that add and delete."""
    return key.lstrip("+~")


def _of_a_model(override: str) -> bool:
    return _plain(override).startswith("model.")


def _with(job: list[str], model: str, others: list[str]) -> list[str]:
    """The overrides that go with a model: a number that only others of the sweep have is theirs."""

    def theirs(override: str) -> bool:
        group, _, number = _plain(_key(override)).partition(".")
        return group == "model" and not _has(model, number) and any(_has(other, number) for other in others)

    return [override for override in job if not theirs(override)]


def _has(model: str, number: str) -> bool:
    return model in catalogue.entries() and number in catalogue.entry(model).settings.model_fields


def _label(varied: list[str], settings: Settings) -> str:
    """The model, and the numbers that the sweep varies and that can change its result."""
    numbers = [o.removeprefix("model.") for o in varied if model_of(settings).reads(o)]
    return " ".join(dict.fromkeys([*settings.label.split(" "), *numbers]))


def _add(trials: dict[str, Trial], trial: Trial) -> None:
    """Add a trial, unless the sweep has it: what differs may be something that changes nothing for this model."""
    same = json.dumps([deciding(trial.settings), model_of(trial.settings).machine_part(trial.settings.device, "")])
    known = trials.setdefault(same, trial)
    differ = [o for o in trial.job if o not in known.job]
    if differ and model_of(trial.settings).seed(trial.settings) is not None:
        _say_once(f"skipped  {trial.settings.task.name}/{trial.label}: {' '.join(differ)} changes nothing there")


@functools.cache
def _say_once(sentence: str) -> None:
    print(sentence)


def _check_way(ways: dict[str, dict[str, Any]], settings: Settings) -> None:
    """A table compares models on the same targets.

    Args:
        ways: task -> how its first trial is measured; a task that is new is added.

    Raises:
        ConfigError: this trial has other files, targets, samples or origins than it, or refits differently.
    """
    way = measured(settings)
    first = ways.setdefault(settings.task.name, way)
    for key in dict.fromkeys([*first, *way]):
        here, there = first.get(key), way.get(key)
        if here != there:
            raise ConfigError(
                "SWEEP-MIXED",
                f"task {settings.task.name} would be measured in two ways, {key}={here} and {key}={there}: "
                "no table can compare them; sweep one after the other, or give each a task.name of its own",
            )


def _models(named: list[str] | None, own: list[str]) -> list[str]:
    """Those that are named; `baselines` and `networks` stand for the task's own ones of that kind."""
    baselines, networks = ([m for m in own if m in names] for names in (catalogue.baselines(), catalogue.networks()))
    groups = dict(zip(GROUPS, (baselines, networks), strict=True))
    return list(dict.fromkeys(m for name in named or own for m in groups.get(name, [name])))


def values(override: Any) -> list[str]:
    """The values of an override, one or several."""
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [override.get_value_element_as_str()]

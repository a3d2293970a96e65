"""The sweeper: which trials a sweep is made of, checked before the first one starts."""

import functools
import itertools
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cli
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from lookback.data import derive
from lookback.errors import ConfigError
from lookback.experiment.key import deciding, measured
from lookback.settings import BACKBONES, BASELINES, MODELS, NETWORKS, Settings, models_for
from lookback.wording import count

GROUPS = ("baselines", "networks")  # of a task's own models
CHANGE_ALL = ("training.epochs", "training.batch_size", "training.learning_rate", "model.units", "model.layers")
EVERY_MODEL = {name for kind in BASELINES for name in models_for(kind)}


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


class GridSweeper(Sweeper):
    """Every combination of the overrides; models and seeds come from the task unless they are named.

    `model=baselines` and `model=networks` name all of the task's own that are such. An override of a model's number
    goes to the models that have it.

    Raises:
        ConfigError: an empty or too large sweep, or any trial whose settings are wrong. Nothing has run then.
    """

    def __init__(self, tasks: list[str], max_trials: int, only_list: bool, params: DictConfig | None):
        self.tasks, self.max_trials, self.only_list = list(tasks), max_trials, only_list
        self.params = dict(OmegaConf.to_container(params)) if params else {}  # type: ignore[arg-type, call-overload]

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra."""
        self.loader, self.config = hydra_context.config_loader, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run every trial, compare, and fail if any trial failed."""
        import sweeps

        parser = OverridesParser.create(config_loader=self.loader)
        overrides = parser.parse_overrides([f"{k}={v}" for k, v in self.params.items()] + arguments)
        trials = self._trials({o.get_key_element(): _values(o) for o in overrides})
        asked = [(trial.settings, trial.label) for trial in trials]
        if self.only_list:
            return sweeps.listed(asked, self._workers())
        with sweeps.running(asked, self._workers()) as sweep:
            jobs = [[*trial.job, f"tracking.sweep={sweep.name}"] for trial in trials]
            returned = self.launcher.launch(jobs, initial_job_idx=0)
            return sweeps.end(sweep, asked[0][0].tracking.uri, [job.return_value for job in returned])

    def _workers(self) -> int:
        """Processes that the launcher runs side by side; joblib counts from all cores downwards below 0."""
        jobs = getattr(self.launcher, "joblib", {}).get("n_jobs") or 1
        return jobs if jobs > 0 else max((os.cpu_count() or 1) + 1 + jobs, 1)

    def _trials(self, choices: dict[str, list[str]]) -> list[Trial]:
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
        raw = cli.plain(self._compose([o for o in job if not _of_a_model(o)]))
        task = cli.task(raw)
        told = derive.handed_on(raw["task"], task)  # workers read nothing off a CSV again
        asked = _models(models, task["models"])
        for model in asked:
            if model in EVERY_MODEL and model not in models_for(task["kind"]):
                print(f"skipped  {task['name']}/{model}: {model} makes no sense on this task")
                continue
            own = [*_with(job, model, asked), f"model={model}", *told]
            yield from self._seeds(own, [o for o in varied if o in own], seeds or list(map(str, range(task["seeds"]))))

    def _seeds(self, own: list[str], varied: list[str], seeds: list[str]) -> Iterator[Trial]:
        """A trial for each seed of a network; a baseline has none."""
        first = cli.settings(self._compose([*own, f"seed={seeds[0]}"]))
        label = _label(varied, first)
        yield Trial([*own, f"seed={seeds[0]}"], first, label)
        for seed in seeds[1:] if first.network else ():
            job = [*own, f"seed={seed}"]
            # Composing takes a tenth of a second: a plain number is put in its place instead.
            plain = seed.isdecimal() and int(seed) < 2**31
            settings = first.model_copy(update={"seed": int(seed)}) if plain else cli.settings(self._compose(job))
            yield Trial(job, settings, label)

    def _check_size(self, trials: int) -> None:
        if trials > self.max_trials:
            raise ConfigError(
                "SWEEP-SIZE",
                f"more than {count(self.max_trials, 'trial')}; narrow the sweep, or set hydra.sweeper.max_trials",
            )

    def _compose(self, job: list[str]) -> DictConfig:
        composed = self.loader.load_sweep_config(self.config, job)
        return OmegaConf.masked_copy(composed, [key for key in composed if key != "hydra"])


def _at_least(choices: dict[str, list[str]], models: list[str] | None, seeds: list[str] | None) -> int:
    """Trials that there are in any case, counted before any of them is composed.

    Only networks that go with every task count, and only numbers that change each of their trials.
    """
    networks = [m for m in models or [] if m in BACKBONES]
    surely = [v for k, v in choices.items() if _plain(k) in CHANGE_ALL or k == "task"]
    return math.prod(map(len, surely)) * len(networks) * len(seeds or [""])


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
    return model in MODELS and number in MODELS[model].model_fields


def _label(varied: list[str], settings: Settings) -> str:
    """The model, and the numbers that the sweep varies and that can change its result."""
    of_baselines = ("task.", "model.", "evaluation.")
    told = [o.removeprefix("model.") for o in varied if settings.network or o.startswith(of_baselines)]
    return " ".join(dict.fromkeys([*settings.label.split(" "), *told]))


def _add(trials: dict[str, Trial], trial: Trial) -> None:
    """Add a trial, unless the sweep has it: what differs may be something that changes nothing for this model."""
    device = trial.settings.device if trial.settings.network else ""
    same = json.dumps([deciding(trial.settings), device], sort_keys=True)
    known = trials.setdefault(same, trial)
    differ = [o for o in trial.job if o not in known.job]
    if differ and trial.settings.network:
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
    baselines, networks = ([m for m in own if (m in NETWORKS) == network] for network in (False, True))
    groups = dict(zip(GROUPS, (baselines, networks), strict=True))
    return list(dict.fromkeys(m for name in named or own for m in groups.get(name, [name])))


def _values(override: Override) -> list[str]:
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [override.get_value_element_as_str()]

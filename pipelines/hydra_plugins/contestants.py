"""The sweeper: which trials a sweep is made of, checked before the first one starts."""

import itertools
import math
from typing import Any

import cli
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from lookback.config import BODIES, FLOORS, NETWORKS, Settings, contestants_for
from lookback.errors import ConfigError

MEASURED = ("kind", "path", "target", "series", "freq", "unit", "metrics", "yardstick", "horizon", "lead", "split")
GROUPS = ("floors", "networks")  # of a task's own contestants
EVERY_CONTESTANT = {name for kind in FLOORS for name in contestants_for(kind)}


class ContestantSweeper(Sweeper):
    """Every combination of the overrides; contestants and seeds come from the task unless they are named.

    `model=floors` and `model=networks` name all of the task's own that are such.

    Raises:
        ConfigError: an empty or too large sweep, or any trial whose settings are wrong. Nothing has run then.
    """

    def __init__(self, tasks: list[str], max_trials: int, params: DictConfig | None):
        self.tasks, self.max_trials = list(tasks), max_trials
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
        sweep = sweeps.begin([(settings, label) for _, settings, label in trials])
        jobs = [[*job, f"tracking.sweep={sweep.name}"] for job, _, _ in trials]
        returned = self.launcher.launch(jobs, initial_job_idx=0)
        sweeps.end(sweep, trials[0][1].tracking.uri, [job.return_value for job in returned])

    def _trials(self, choices: dict[str, list[str]]) -> list[tuple[list[str], Settings, str]]:
        """Overrides, settings and the name in the comparison of every trial."""
        for key, values in choices.items():
            if not values:
                raise ConfigError("SWEEP-EMPTY", f"{key}: the sweep holds no value, so there is nothing to run")
            if len(set(values)) < len(values):
                print(f"warning: {key} names a value more than once; each trial runs once")
                choices[key] = list(dict.fromkeys(values))
        choices.setdefault("task", self.tasks)
        models, seeds = choices.pop("model", None), choices.pop("seed", None)
        self._check_size(math.prod(map(len, [*choices.values(), models or [""], seeds or [""]])))
        trials: list[tuple[list[str], Settings, str]] = []
        for combination in itertools.product(*choices.values()):
            job = [f"{key}={value}" for key, value in zip(choices, combination, strict=True)]
            varied = [o for o in job if len(choices[o.split("=", 1)[0]]) > 1 and not o.startswith("task=")]
            of_floors = [o for o in varied if o.startswith(("task.", "model."))]  # nothing else changes a floor
            # Overrides of a model's numbers compose only with a model that has them.
            named = [f"model={m}" for m in models or [] if m not in GROUPS][:1]
            task = cli.task(cli.plain(self._compose([*job, *named])))
            for model in _contestants(models, task["contestants"]):
                if model in EVERY_CONTESTANT and model not in contestants_for(task["kind"]):
                    print(f"skipped  {task['name']}/{model}: {model} makes no sense on this task")
                    continue
                several = model in BODIES  # a floor has no seed, and the members of an ensemble have their own
                chosen = seeds or [str(seed) for seed in range(task["seeds"])]
                for seed in chosen if several else chosen[:1]:
                    trial = [*job, f"model={model}", f"seed={seed}"]
                    told = varied if model in NETWORKS else of_floors
                    label = " ".join([model, *(o.removeprefix("model.") for o in told)])
                    trials.append((trial, cli.settings(self._compose(trial)), label))
        _one_way_of_measuring([settings for _, settings, _ in trials])
        if not trials:
            raise ConfigError(
                "SWEEP-EMPTY", "the sweep holds no trial: none of these contestants makes sense on these tasks"
            )
        return trials

    def _check_size(self, trials: int) -> None:
        if trials > self.max_trials:
            raise ConfigError(
                "SWEEP-SIZE",
                f"more than {self.max_trials} trials; narrow the sweep, or set hydra.sweeper.max_trials",
            )

    def _compose(self, job: list[str]) -> DictConfig:
        composed = self.loader.load_sweep_config(self.config, job)
        return OmegaConf.masked_copy(composed, [key for key in composed if key != "hydra"])


def _one_way_of_measuring(trials: list[Settings]) -> None:
    """A table compares contestants on the same targets.

    Raises:
        ConfigError: two trials of one task name have other files, targets, splits or origins.
    """
    ways: dict[str, dict[str, Any]] = {}
    for settings in trials:
        task = settings.task.model_dump()
        way = {key: task.get(key) for key in MEASURED if key in task} | settings.evaluation.model_dump()
        first = ways.setdefault(settings.task.name, way)
        for key, value in way.items():
            if value != first[key]:
                raise ConfigError(
                    "SWEEP-MIXED",
                    f"task {settings.task.name} would be measured in two ways, {key}={first[key]} and {key}={value}: "
                    "no table can compare them; sweep one after the other, or give each a task.name of its own",
                )


def _contestants(named: list[str] | None, own: list[str]) -> list[str]:
    """Those that are named; `floors` and `networks` stand for the task's own ones of that kind."""
    floors, networks = ([m for m in own if (m in NETWORKS) == network] for network in (False, True))
    groups = dict(zip(GROUPS, (floors, networks), strict=True))
    return list(dict.fromkeys(m for name in named or own for m in groups.get(name, [name])))


def _values(override: Override) -> list[str]:
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [override.get_value_element_as_str()]

"""The sweeper, which Hydra finds by this folder's name."""

import os
import sys
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from lookback.experiment.grid import Grid, values
from lookback.paths import ROOT


class GridSweeper(Sweeper):
    """Every combination of the overrides; models and seeds come from the task unless they are named: see `Grid`."""

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
        from lookback.experiment import sweep as sweeps

        parser = OverridesParser.create(config_loader=self.loader)
        overrides = parser.parse_overrides([f"{k}={v}" for k, v in self.params.items()] + arguments)
        grid = Grid(self.tasks, self.max_trials, self._composed)
        trials = grid.trials({override.get_key_element(): values(override) for override in overrides})
        labelled = [(trial.settings, trial.label) for trial in trials]
        if self.only_list:
            return sweeps.show_plan(labelled, self._workers(), ROOT)
        with sweeps.running(labelled, self._workers(), ROOT) as (sweep, keys):
            own = [[f"tracking.sweep={sweep.name}", f"tracking.key={key}"] for key in keys]
            jobs = [[*trial.job, *more] for trial, more in zip(trials, own, strict=True)]
            returned = self.launcher.launch(jobs, initial_job_idx=0)
            ended = sweeps.end(sweep, labelled[0][0].tracking.uri, [job.return_value for job in returned], ROOT)
        if ended.exit_code:
            sys.exit(ended.exit_code)
        return None

    def _workers(self) -> int:
        """Processes that the launcher runs side by side; joblib counts from all cores downwards below 0."""
        jobs = getattr(self.launcher, "joblib", {}).get("n_jobs") or 1
        return jobs if jobs > 0 else max((os.cpu_count() or 1) + 1 + jobs, 1)

    def _composed(self, job: list[str]) -> DictConfig:
        composed = self.loader.load_sweep_config(self.config, job)
        return OmegaConf.masked_copy(composed, [key for key in composed if key != "hydra"])

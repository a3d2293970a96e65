"""What one uses tomorrow: the model that was scored, and the same one fitted once more on every row."""

import functools
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookback import problems
from lookback.configuration.settings import Settings
from lookback.data.dataset import Data, Fold
from lookback.errors import DataError
from lookback.experiment import bundle
from lookback.experiment.model import model_of
from lookback.tracking import log, runs, sweep_runs
from lookback.tracking.runs import Found
from lookback.tracking.store import Store
from lookback.training.callbacks import Silent
from lookback.training.progress import Progress

EVERY = "train+val+test"
FINAL = "-final"  # ends the name of a model that was fitted on every row


def log_model(
    tracked: log.Run, settings: Settings, data: Data, fitted: Any, predictions: pd.DataFrame, origin: dict[str, Any]
) -> None:
    """Keep the model of a trial with its run, as it was when it forecast the last fold.

    Args:
        predictions: of val and test, see `problems.base.Scored`.
        origin: `name`, `key` and `scores` of the trial.
    """
    parts = "train+val" if settings.task.refit else "train"
    known = origin | {"parts": parts, "rows": len(data.folds[-1].train)}
    radii = settings.problem.radii(settings.evaluation, predictions, data.names, test_is_known=False)
    _log(tracked.model, settings, data, fitted, radii, known, _name(settings))


def final_model(store: Store, run: Found, settings: Settings, root: Path) -> str:
    """The id of the model of a run that was fitted on train, val and test; it is fitted where there is none yet.

    What val chose is kept: the recipe is run again, and then once more on every row. Its scores are those of the model
    that had not seen test; its intervals rest on the errors of that model on val and test.

    Raises:
        DataError: the file is not the one that the run was trained on.
    """
    name = _name(settings) + FINAL
    if known := runs.logged_model(store, run, name):
        return known
    data = problems.load(settings.task, settings.evaluation, root)
    if data.digest != run.digest:
        raise DataError(
            "RUN-DATA", f"run {run.id}: the file is not the one that it was trained on; run pipelines/train.py again"
        )
    model, task = model_of(settings), settings.task.model_copy(update={"refit": True})
    assert data.whole is not None
    every = replace(data, folds=(Fold(data.whole, data.test),))
    again = settings.model_copy(update={"task": task})
    with Progress(run.name, len(data.train), Silent()) as progress:
        fitted = model.fit(again, every, progress)
    predictions = sweep_runs.predictions(store, run.id)
    radii = settings.problem.radii(settings.evaluation, predictions, data.names, test_is_known=True)
    origin = {"name": run.name, "key": run.key, "scores": run.scores, "parts": EVERY, "rows": len(data.whole)}
    logged = functools.partial(log.log_model, store.experiment(settings.task.name), run.id)
    return str(_log(logged, settings, data, fitted.final, radii, origin, name))


def _log(
    logged: Callable[[Path, Path, dict[str, Any], str], Any],
    settings: Settings,
    data: Data,
    fitted: Any,
    radii: np.ndarray,
    origin: dict[str, Any],
    name: str,
) -> Any:
    """Write a model and have it logged under a name."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / bundle.NAME
        bundle.write(written, settings, data, fitted, radii, origin)
        example = settings.problem.example(settings.task, data).to_json(orient="split", index=False)
        return logged(bundle.CODE, written, json.loads(example), name)


def _name(settings: Settings) -> str:
    return f"{settings.task.name}-{settings.model.name}"

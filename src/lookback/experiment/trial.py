"""One trial from its settings to its run. The straight line that the whole project is about."""

import json
import logging
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lookback import problems
from lookback.configuration.settings import Settings
from lookback.data.dataset import Data
from lookback.evaluation import metrics
from lookback.evaluation.predictions import Prediction
from lookback.experiment import use
from lookback.experiment.folds import folds_table
from lookback.experiment.key import deciding, measured, trial_key
from lookback.experiment.model import model_of
from lookback.problems.base import Scored
from lookback.tracking import journal, log, registry, store, view
from lookback.training import device as devices
from lookback.training.fitted import Fitted
from lookback.training.progress import Progress

WHILE_LEARNING = 200  # tokens that a language model writes after an epoch


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: "trained", "known" (it was finished before), "kept" (its server was lost) or "failed"."""

    status: str
    task: str
    model: str
    seed: int | None
    key: str = ""
    message: str = ""

    @classmethod
    def of(cls, settings: Settings, status: str, message: str, key: str = "") -> "Outcome":
        """How the trial of these settings ended."""
        seed = model_of(settings).seed(settings)
        return cls(status, settings.task.name, settings.label, seed, key, message)

    @property
    def name(self) -> str:
        """As people call it: airline/lstm seed 0."""
        return self.labelled(self.model)

    def labelled(self, model: str) -> str:
        """The same, with the name that the model has in a comparison."""
        return f"{self.task}/{model}" + ("" if self.seed is None else f" seed {self.seed}")


def data_of(settings: Settings, root: Path) -> Data:
    """The data of a trial."""
    return problems.load(settings.task, settings.evaluation, root)


def key_of(settings: Settings, root: Path) -> str:
    """The trial key. Reads the data for its digest; imports TensorFlow only where there may be a GPU."""
    device = model_of(settings).device(settings)
    return trial_key(settings, data_of(settings, root).digest, device, devices.flags())


def run(settings: Settings, root: Path, key: str | None = None) -> Outcome:
    """Train, score and log one model, unless its key is finished already.

    Args:
        key: as `key_of` told it, where it is known.

    Raises:
        LookbackError: the data, the device or the store cannot be used. Nothing is logged then.
        Exception: anything else, once the run is marked FAILED, with the traceback in it.
    """
    midway = settings.tracking.sweep is not None  # its server was there when the sweep began
    if not midway:
        store.check(settings.tracking.uri, root)  # first of all: the rest may take a while
    data, device = data_of(settings, root), model_of(settings).device(settings)
    key = key or key_of(settings, root)
    opened = store.open_store(settings.tracking.uri, root, midway)
    experiment = opened.link.attempt(lambda: opened.experiment(settings.task.name))
    with registry.claim(opened, experiment, key) as finished:
        if finished and not settings.force:
            return Outcome.of(settings, "known", "finished before; force=true trains it again", key)
        if not settings.force and (kept := journal.of_trial(opened, key)):
            return Outcome.of(settings, "kept", _waits(kept, root), key)
        name = Outcome.of(settings, "", "").name
        task = settings.task
        labels = {metric: metrics.METRICS[metric].label for metric in task.metrics}
        opened.link.attempt(lambda: view.describe(opened, str(experiment), task.name, labels, data.unit))
        tracked = log.Run(
            opened, experiment, run_name(settings), tags(settings, key, data, device, root), params(settings)
        )
        tracked.dataset(
            task.name, str(getattr(task, "path", None) or getattr(task, "source", None)), data.digest, _sizes(data)
        )
        try:
            message = _train_and_log(settings, data, tracked, name, key)
            tracked.tag(view.NOTE, f"{name}: {message}")
        except BaseException as e:
            tracked.fail("FAILED" if isinstance(e, Exception) else "KILLED", traceback.format_exc())
            raise
        kept = tracked.finish()
    if kept:
        return Outcome.of(settings, "kept", f"{message}; {_waits(kept, root)}", key)
    return Outcome.of(settings, "trained", message, key)


def run_name(settings: Settings) -> str:
    """Of its run within the experiment of its task: lstm seed=0."""
    seed = model_of(settings).seed(settings)
    return settings.label + ("" if seed is None else f" seed={seed}")


def _sizes(data: Data) -> dict[str, int]:
    """Split -> samples."""
    return {"train": len(data.train), "val": len(data.val), "test": len(data.test)}


def _waits(kept: Path, root: Path) -> str:
    return f"in {kept.relative_to(root)}; python pipelines/sync.py sends it"


def tags(settings: Settings, key: str, data: Data, device: str, root: Path) -> dict[str, str]:
    """What every run is found by."""
    model = model_of(settings)
    seed = model.seed(settings)
    return {
        "task": settings.task.name,
        "model": settings.model.name,
        "seed": "none" if seed is None else str(seed),
        "trial_key": key,
        "sweep": settings.tracking.sweep or "none",
        "smoke": str(settings.smoke).lower(),
        "metric": settings.task.metrics[0],
        "unit": data.unit,
        "family": model.family,
        "backend": model.backend,
        "device": device,
        "git_commit": registry.commit(root),
        "data_digest": data.digest,
    }


def params(settings: Settings) -> dict[str, str]:
    """What was chosen for this model: model.units, training.epochs, task.lookback, ...

    What it does not read, and what all models of a table have in common, is in config.json alone.
    """
    flat = pd.json_normalize(deciding(settings), max_level=1).iloc[0]
    told = measured(settings).keys() | {"model.name", "smoke"}
    return {str(name): str(value) for name, value in flat.items() if name not in told}


def _train_and_log(settings: Settings, data: Data, tracked: log.Run, name: str, key: str) -> str:
    """The work of a trial; returns what to say of it in a line."""
    model, problem = model_of(settings), settings.problem
    if odd := model.warning(settings, data):
        print(f"warning: {name}: {odd}", file=sys.stderr)
    with Progress(name, len(data.train), tracked) as progress:
        fitted = model.fit(settings, data, progress, _while_learning(settings, data, tracked))
    test = fitted.test(data)
    result = scored(settings, data, fitted, test)
    tracked.metrics(result.scores | _cost(fitted))
    if len(data.folds) > 1 and settings.tracking.sweep is None:  # a sweep has said it for all of its trials
        print("\n".join(problem.protocol(settings.task, settings.evaluation, data)), flush=True)
    tracked.tag("diverged", str(fitted.diverged).lower())
    tracked.tag("compiler", fitted.compiler)
    here = settings.tracking.model_copy(update={"uri": None})  # where it is stored; it may hold a password
    stored = settings.model_copy(update={"tracking": here})
    tracked.text(stored.model_dump_json(indent=2), "config.json")
    _log_tables(settings, data, tracked, result, problem.recursive(data, fitted.finals[0], test), name)
    _log_texts(settings, data, tracked, fitted)
    origin = {"name": name, "key": key, "scores": result.scores}
    use.log_model(tracked, settings, data, fitted.final, result.predictions, origin)
    tracked.flush()
    return _sentence(settings, data, fitted, result)


def scored(settings: Settings, data: Data, fitted: Fitted, test: Prediction) -> Scored:
    """What a fitted model is worth.

    Args:
        test: what its folds predict.
    """
    val = fitted.chosen.predict(data.val)
    return settings.problem.score(settings.task, settings.evaluation, data, val, test)


def _while_learning(settings: Settings, data: Data, tracked: log.Run) -> Callable[[Any, int], None]:
    """Logs what a language model writes after its first epoch and after every so many: one can watch it learn."""
    task: Any = settings.task

    def after_epoch(writer: Any, epoch: int) -> None:
        temperatures = getattr(task, "sample_temperatures", ())
        if temperatures and task.sample_length and (epoch == 1 or epoch % task.sample_every == 0):
            written = settings.problem.sample(task, data, settings.seed, writer, temperatures, WHILE_LEARNING)
            tracked.text(written, f"samples/epoch_{epoch:04d}.txt")

    return after_epoch


def _cost(fitted: Fitted) -> dict[str, float]:
    return {
        "seconds": fitted.seconds,
        "cpu_seconds": fitted.cpu_seconds,
        "parameters": fitted.parameters,
        "epochs": fitted.epochs,
    }


def _log_tables(
    settings: Settings, data: Data, tracked: log.Run, scored: Scored, recursive: pd.DataFrame | None, name: str
) -> None:
    from lookback.report import plots

    tables = {
        "predictions": scored.predictions,
        "by_step": scored.by_step,
        "by_series": scored.by_series,
        "by_class": scored.by_class,
        "folds": folds_table(data) if len(data.folds) > 1 else None,
        "recursive": recursive,
    }
    for table, frame in tables.items():
        if frame is not None:
            tracked.table(frame, table)
    test = scored.predictions[scored.predictions["split"] == "test"]
    drawn = scored.predictions if settings.problem.forecasts else test
    tracked.figure(settings.problem.picture(settings.task, data, drawn, name), "prediction.png")
    if recursive is not None:
        figure = plots.recursive(recursive, f"{name}: one step ahead, and recursively", data.unit)
        tracked.figure(figure, "recursive.png")


def _log_texts(settings: Settings, data: Data, tracked: log.Run, fitted: Fitted) -> None:
    vocabularies = {"tokens": data.tokens, "words": data.words, "letters": data.letters}
    if any(vocabularies.values()):
        tracked.text(json.dumps({k: v for k, v in vocabularies.items() if v}, ensure_ascii=False), "vocabulary.json")
    if length := getattr(settings.task, "sample_length", 0):
        seed = model_of(settings).seed(settings) or 0
        written = settings.problem.sample(settings.task, data, seed, fitted.final, (1.0,), length)
        tracked.text(written, "sample.txt")


def _sentence(settings: Settings, data: Data, fitted: Fitted, scored: Scored) -> str:
    primary = settings.task.metrics[0]
    diverged = ", diverged" if fitted.diverged else ""
    metric = "" if data.unit.startswith(primary) else f"{metrics.METRICS[primary].label} "
    return f"test {metric}{scored.scores[f'test/{primary}']:.4g} {data.unit}, {fitted.seconds:.1f} s{diverged}"


logging.getLogger("mlflow").setLevel(logging.ERROR)  # its advice is for its own users

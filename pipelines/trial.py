"""One trial from its settings to its MLflow run. The straight line that the whole project is about."""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import facts
import samples
from cli import ROOT

from lookback import scoring, tasks
from lookback.data.dataset import Data
from lookback.data.samples import Ragged
from lookback.experiment.fit import fit
from lookback.experiment.key import trial_key
from lookback.report.table import SHORT
from lookback.settings import LanguageTask, Settings
from lookback.tracking import log, registry, store
from lookback.training import device as devices
from lookback.training.progress import Progress


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: "trained", "known" (it was finished before) or "failed"."""

    status: str
    task: str
    model: str
    seed: int | None
    key: str = ""
    message: str = ""

    @classmethod
    def of(cls, settings: Settings, status: str, message: str, key: str = "") -> "Outcome":
        """How the trial of these settings ended."""
        seed = settings.seed if settings.network else None
        return cls(status, settings.task.name, settings.label, seed, key, message)

    @property
    def name(self) -> str:
        """As people call it: airline/lstm seed 0."""
        return self.labelled(self.model)

    def labelled(self, model: str) -> str:
        """The same, with the name that the model has in a comparison."""
        return f"{self.task}/{model}" + ("" if self.seed is None else f" seed {self.seed}")


def key_of(settings: Settings) -> str:
    """The trial key. Reads the data for its digest; imports TensorFlow only where there may be a GPU."""
    return trial_key(
        settings, tasks.load(settings.task, settings.evaluation, ROOT).digest, _device(settings), devices.flags()
    )


def _device(settings: Settings) -> str:
    return devices.name(settings.device, settings.threads) if settings.network else "cpu"


def run(settings: Settings) -> Outcome:
    """Train, score and log one model, unless its key is finished already.

    Raises:
        LookbackError: the data, the device or the store cannot be used. Nothing is logged then.
        Exception: anything else, once the run is marked FAILED, with the traceback in it.
    """
    data = tasks.load(settings.task, settings.evaluation, ROOT)
    device, key = _device(settings), key_of(settings)
    opened = store.open_store(settings.tracking.uri, ROOT)
    experiment = opened.experiment(settings.task.name)
    with registry.claim(opened, experiment, key) as finished:
        if finished and not settings.force:
            return Outcome.of(settings, "known", "finished before; force=true trains it again", key)
        tags = log.tags(settings, key, data.digest, device, registry.commit(ROOT), data.unit)
        name = Outcome.of(settings, "", "").name
        tracked = log.Run(opened, experiment, name, tags, log.params(settings))
        try:
            message = _train_and_log(settings, data, tracked, name)
        except BaseException as e:
            tracked.flush()
            tracked.text(traceback.format_exc(), "traceback.txt")
            opened.client.set_terminated(tracked.id, "FAILED" if isinstance(e, Exception) else "KILLED")
            raise
        registry.finish(opened, experiment, key, tracked.id)
    return Outcome.of(settings, "trained", message, key)


def _train_and_log(settings: Settings, data: Data, tracked: log.Run, name: str) -> str:
    """The work of a trial; returns what to say of it in a line."""
    if settings.network and settings.training.batch_size > len(data.train):
        told = f"training.batch_size={settings.training.batch_size} is more than the {len(data.train)} training samples"
        print(f"warning: {name}: {told}; every epoch is one step", file=sys.stderr)
    after_epoch = samples.logged(settings, data, tracked) if data.language else None
    with Progress(name, len(data.train), tracked) as callback:
        fitted = fit(settings, data, callback, after_epoch)
    val, test = fitted.chosen.predict(data.val), fitted.test(data)
    scored = scoring.score(settings, data, val, test)
    cost = {
        "seconds": fitted.seconds,
        "cpu_seconds": fitted.cpu_seconds,
        "parameters": fitted.parameters,
        "epochs": fitted.epochs,
    }
    tracked.metrics(scored.scores | cost)
    if len(data.folds) > 1 and settings.tracking.sweep is None:  # a sweep has said it for all of its trials
        print("\n".join(facts.protocol(settings, data)), flush=True)
    tracked.tag("diverged", str(fitted.diverged).lower())
    tracked.tag("compiler", fitted.compiler)
    tracked.text(settings.model_dump_json(indent=2), "config.json")
    tables: dict[str, Any] = {
        "predictions": scored.predictions,
        "by_step": scored.by_step,
        "by_series": scored.by_series,
        "by_class": scored.by_class,
    }
    tables["folds"] = facts.folds(data) if len(data.folds) > 1 else None
    tables["repeated"] = scoring.repeated(data, fitted.finals[0], test)
    for table, frame in tables.items():
        if frame is not None:
            tracked.table(frame, table)
    for picture, figure in _pictures(settings, data, tables, name):
        tracked.figure(figure, f"{picture}.png")
    vocabularies = {"tokens": data.tokens, "words": data.words, "letters": data.letters}
    if any(vocabularies.values()):
        tracked.text(json.dumps({k: v for k, v in vocabularies.items() if v}, ensure_ascii=False), "vocabulary.json")
    if data.language and settings.task.sample_length:  # type: ignore[union-attr]
        tracked.text(samples.told(settings, data, fitted.final, (1.0,)), "sample.txt")
    if settings.network:
        tracked.network(fitted.final.model)
    else:
        tracked.baseline(vars(fitted.final))
    tracked.flush()
    primary = settings.task.metrics[0]
    diverged = ", diverged" if fitted.diverged else ""
    metric = "" if data.unit.startswith(primary) else f"{SHORT.get(primary, primary)} "
    return f"test {metric}{scored.scores[f'test/{primary}']:.4g} {data.unit}, {fitted.seconds:.1f} s{diverged}"


def _pictures(settings: Settings, data: Data, tables: dict[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    from lookback.report import plots

    predictions = tables["predictions"]
    test = predictions[predictions["split"] == "test"]
    if data.language:
        assert isinstance(settings.task, LanguageTask)
        nats, level = test["nats"].to_numpy(), settings.task.level
        yield "prediction", plots.surprisal(nats, f"{name}: surprisal along the test text", level)
    elif data.classes:
        yield "prediction", plots.confusion(test["truth"], test["guess"], data.tokens, f"{name}: the test part")
    elif isinstance(data.test, Ragged):
        points = data.unit.removesuffix("²")  # of squared errors
        yield "prediction", plots.ratings(test["truth"], test["forecast"], f"{name}: the test part", points)
    else:
        yield "prediction", plots.forecast(predictions, f"{name}: the test part", data.unit)
    if tables["repeated"] is not None:
        yield "repeated", plots.repeated(tables["repeated"], f"{name}: one step ahead, and on and on", data.unit)


logging.getLogger("mlflow").setLevel(logging.ERROR)  # its advice is for its own users

"""One trial from its settings to its MLflow run. The straight line that the whole project is about."""

import logging
import sys
import traceback
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from cli import ROOT

from lookback import tasks
from lookback.config import Settings
from lookback.data import text
from lookback.data.contract import Data, Samples, Stream
from lookback.evaluation import metrics
from lookback.report.table import SHORT
from lookback.tracking import ledger, log, store
from lookback.training import device as devices


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
        return cls(status, settings.task.name, settings.model.name, seed, key, message)

    @property
    def name(self) -> str:
        """As people call it: airline/lstm seed 0."""
        return f"{self.task}/{self.model}" + ("" if self.seed is None else f" seed {self.seed}")


def key_of(settings: Settings) -> str:
    """The trial key. Reads the data for its digest; imports TensorFlow only where there may be a GPU."""
    return ledger.trial_key(settings, tasks.load(settings.task, ROOT).digest, _device(settings), devices.XLA_FLAGS)


def _device(settings: Settings) -> str:
    return devices.name(settings.device, settings.threads) if settings.network else "cpu"


def run(settings: Settings) -> Outcome:
    """Train, score and log one contestant, unless its key is finished already.

    Raises:
        LookbackError: the data, the device or the store cannot be used. Nothing is logged then.
        Exception: anything else, once the run is marked FAILED, with the traceback in it.
    """
    data = tasks.load(settings.task, ROOT)
    device, key = _device(settings), key_of(settings)
    opened = store.open_store(settings.tracking.uri, ROOT)
    experiment = opened.experiment(settings.task.name)
    with ledger.claim(opened, experiment, key) as finished:
        if finished and not settings.force:
            return Outcome.of(settings, "known", "finished before; force=true trains it again", key)
        tags = log.tags(settings, key, data.digest, device, ledger.commit(ROOT), data.unit)
        name = Outcome.of(settings, "", "").name
        tracked = log.Run(opened, experiment, name, tags, log.params(settings))
        try:
            message = _train_and_log(settings, data, tracked, name)
        except BaseException as e:
            tracked.flush()
            tracked.text(traceback.format_exc(), "traceback.txt")
            opened.client.set_terminated(tracked.id, "FAILED" if isinstance(e, Exception) else "KILLED")
            raise
        ledger.finish(opened, experiment, key, tracked.id)
    return Outcome.of(settings, "trained", message, key)


def _train_and_log(settings: Settings, data: Data, tracked: log.Run, name: str) -> str:
    """The work of a trial; returns what to say of it in a line."""
    if settings.network and settings.training.batch_size > len(data.train):
        told = f"training.batch_size={settings.training.batch_size} is more than the {len(data.train)} training windows"
        print(f"warning: {name}: {told}; every epoch is one step", file=sys.stderr)
    fitted = _fit(settings, data, tracked, name)
    val, test = fitted.chosen.predict(data.val), fitted.final.predict(data.test)
    scores = _scores(settings, data, "val", data.val, val) | _scores(settings, data, "test", data.test, test)
    tracked.metrics(scores | {"seconds": fitted.seconds, "parameters": fitted.parameters, "epochs": fitted.epochs})
    tracked.tag("diverged", str(fitted.diverged).lower())
    tracked.tag("compiler", fitted.compiler)
    tracked.text(settings.model_dump_json(indent=2), "config.json")
    predictions = _predictions(data, val, test)
    tracked.table(predictions, "predictions.csv")
    tracked.figure(_picture(data, predictions, name), "prediction.png")
    if data.tokens and settings.task.sample_length:  # type: ignore[union-attr]
        tracked.text(_sample(settings, data, fitted.final), "sample.txt")
    if settings.network:
        tracked.network(fitted.final.model)
    else:
        tracked.floor(vars(fitted.final))
    tracked.flush()
    primary = settings.task.metrics[0]
    diverged = ", diverged" if fitted.diverged else ""
    metric = "" if data.unit.startswith(primary) else f"{SHORT.get(primary, primary)} "
    return f"test {metric}{scores[f'test/{primary}']:.4g} {data.unit}, {fitted.seconds:.1f} s{diverged}"


def _fit(settings: Settings, data: Data, tracked: log.Run, name: str) -> Any:
    numbers = settings.model.model_dump(exclude={"name"})
    if not settings.network:
        from lookback.models import floors
        from lookback.training import loop

        return loop.fit_floor(floors.build(data, settings.model.name, **numbers), data, settings.task.refit)
    devices.prepare(settings.device, settings.threads)  # before anything that imports Keras
    from lookback.models import networks
    from lookback.training import loop
    from lookback.training.progress import Progress

    def build(part: Data) -> Any:
        return networks.build(part, settings.model.name, **numbers)

    with Progress(name, settings.training.epochs, len(data.train), tracked) as watch:
        return loop.fit_network(
            build, numbers["units"], data, settings.training, settings.seed, settings.task.refit, watch
        )


def _scores(settings: Settings, data: Data, split: str, samples: Samples, prediction: Any) -> dict[str, float]:
    scale = 1.0
    if "mase" in settings.task.metrics:
        before_test = data.test.arrays["target"][: data.test.target_rows()[0, 0]]
        scale = metrics.mase_scale(before_test, data.season)
    found = metrics.scores(settings.task.metrics, samples.targets(), prediction, scale)
    return {f"{split}/{metric}": value for metric, value in found.items()}


def _predictions(data: Data, val: Any, test: Any) -> pd.DataFrame:
    """Every target of val and test with what was said of it."""
    parts = []
    for split, samples, prediction in (("val", data.val, val), ("test", data.test, test)):
        rows, truth = samples.target_rows(), samples.targets()
        if isinstance(samples, Stream):
            tokens = np.array(data.tokens)
            said = {"truth": tokens[truth], "guess": tokens[prediction["guess"]], "nats": prediction["nats"].round(5)}
            parts.append(pd.DataFrame({"split": split, "position": data.labels[rows], **said}))
        else:
            steps = np.tile(np.arange(1, rows.shape[1] + 1), len(rows))
            said = {"truth": truth.ravel(), "forecast": prediction.ravel()}
            parts.append(pd.DataFrame({"split": split, "time": data.labels[rows.ravel()], "step": steps, **said}))
    return pd.concat(parts)


def _picture(data: Data, predictions: pd.DataFrame, name: str) -> Any:
    from lookback.report import plots

    if data.per_step:
        nats = predictions.loc[predictions["split"] == "test", "nats"].to_numpy()
        return plots.surprise(nats, f"{name}: surprise along the test text")
    return plots.forecast(predictions, f"{name}: the test part", data.unit)


def _sample(settings: Settings, data: Data, writer: Any) -> str:
    """What the model writes after the first words of the test part."""
    prompt = data.test.targets()[: settings.task.lookback]
    written = writer.write(prompt, settings.task.sample_length, settings.seed if settings.network else 0)  # type: ignore[union-attr]
    return f"[{text.decode(prompt, data.tokens)}]\n{text.decode(written, data.tokens)}"


logging.getLogger("mlflow").setLevel(logging.ERROR)  # its advice is for its own users

"""One finished run: finding it, and reading back what it holds."""

import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookback.configuration.settings import Settings
from lookback.configuration.validation import validate
from lookback.errors import ConfigError, DataError, LookbackError, MissingFile
from lookback.settings import suggest
from lookback.tracking import registry, sweep_runs
from lookback.tracking.store import Store

BEST = "best"
RETRAINED = "retrained_from"  # tag of a run that was measured on the last rows of a longer file, not on those of others


@dataclass(frozen=True)
class Found:
    """A finished run.

    Attributes:
        name: as people call it: text/lstm seed 0.
        task: its name.
        network: whether the model is a network; else a baseline.
        metric: the one that decides on its task.
        key: of its trial.
        digest: of the data that it was trained on.
        scores: "val/<metric>" and "test/<metric>" -> its value.
    """

    id: str
    name: str
    task: str
    network: bool
    metric: str
    key: str
    digest: str
    scores: dict[str, float]

    @property
    def val(self) -> dict[str, float]:
        """Metric -> what it scored on val."""
        return {name.removeprefix("val/"): v for name, v in self.scores.items() if name.startswith("val/")}


def find(store: Store, run_id: str) -> Found:
    """The run of this id.

    Raises:
        MissingFile: there is none, or it is not finished.
    """
    from mlflow.exceptions import MlflowException

    try:
        run = store.client.get_run(run_id)
    except MlflowException:
        raise MissingFile("RUN-MISSING", f"run: no run {run_id} in {store.shown}; set run={BEST}") from None
    if run.info.status != "FINISHED" or "trial_key" not in run.data.tags:
        what = f"is {run.info.status}" if "trial_key" in run.data.tags else "is no trial"
        raise MissingFile("RUN-UNFINISHED", f"run: {run_id} {what}; set run={BEST}")
    return _found(run)


def of_key(store: Store, task: str, key: str) -> Found:
    """The finished run of a trial.

    Raises:
        MissingFile: there is none.
    """
    for run in registry.runs(store, store.experiment(task), key):
        if run.info.status == "FINISHED":
            return _found(run)
    raise MissingFile("RUN-MISSING", f"no finished run of task {task} has this key; train it")


def ranked(store: Store, task: str, networks_only: bool = False) -> list[Found]:
    """The finished runs of a task, the best on val first; no smoke runs, and none that diverged.

    Runs that another metric decided than the newest's are left out, and those that `retrain` made: their val part is
    another one.

    Raises:
        MissingFile: there is none.
    """
    experiment = store.client.get_experiment_by_name(task)  # not made where it is missing: nothing is written here
    runs = registry.runs(store, experiment.experiment_id) if experiment else []
    sound = {"smoke": "false", "diverged": "false"}
    usual = [run for run in runs if run.info.status == "FINISHED" and RETRAINED not in run.data.tags]
    found = [_found(run) for run in usual if sound.items() <= run.data.tags.items()]
    found = [run for run in found if run.metric in run.val and (run.network or not networks_only)]
    if not found:
        what = "network" if networks_only else "run"
        known = [
            e.name for e in store.client.search_experiments() if e.name not in ("Default", sweep_runs.EXPERIMENT, task)
        ]
        hint = suggest(task, known) if known else "; run pipelines/train.py task=text model=lstm"
        raise MissingFile("RUN-MISSING", f"task: no finished {what} of task {task} in {store.shown}{hint}")
    alike = [run for run in found if run.metric == found[0].metric]
    return sorted(alike, key=lambda run: run.val[run.metric])


def settings(store: Store, run: Found) -> Settings:
    """The settings of a run, as it logged them.

    Raises:
        DataError: another version of Lookback logged it, or it is not whole.
    """
    try:
        raw = json.loads(_artifact(store, run, "config.json"))
    except MissingFile as e:
        raise _of_another_version(f"run {run.id}", e) from None
    return stored_settings(raw, f"run {run.id}")


def stored_settings(raw: dict[str, Any], name: str) -> Settings:
    """The settings that a run or a model was stored with.

    Args:
        name: what messages call it.

    Raises:
        DataError: another version of Lookback stored them, or they name plugins.
    """
    if raw.get("plugins"):  # whoever can write to the store would say which code its reader runs
        raise DataError("RUN-PLUGIN", f"{name}: its model stands in a plugin; name the files yourself")
    try:
        return validate(raw)
    except ConfigError as e:
        raise _of_another_version(name, e) from None


def _of_another_version(name: str, why: LookbackError) -> DataError:
    return DataError("RUN-OLD", f"{name}: of another version of Lookback ({why.message}); train it anew")


def logged_model(store: Store, run: Found, name: str) -> str | None:
    """The id of the model of this name that a run logged; None where it logged none."""
    return next((str(model.model_id) for model in _logged(store, run) if model.name == name), None)


def first_model(store: Store, run: Found) -> str:
    """The id of the model that a run logged when it was trained: the one that was scored.

    Raises:
        MissingFile: it logged none.
    """
    models = _logged(store, run)
    if not models:
        raise MissingFile("RUN-ARTIFACT", f"run {run.id}: it holds no model; train it anew")
    return str(min(models, key=lambda model: model.creation_timestamp).model_id)


def _logged(store: Store, run: Found) -> list[Any]:
    outputs = store.client.get_run(run.id).outputs
    return [store.client.get_logged_model(output.model_id) for output in (outputs.model_outputs if outputs else ())]


def model_folder(store: Store, model_id: str, name: str, into: Path) -> Path:
    """The files of a logged model, copied into a folder.

    Whoever can write to the store can say in a file `MLmodel` how a model is to be loaded, and have code run by its
    reader. So that file is never asked: only the folder of data is read.

    Args:
        name: of the folder among the artifacts of the model.

    Raises:
        MissingFile: it is not there.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        location = store.client.get_logged_model(model_id).artifact_location
        uri = f"{location}/artifacts/{name}"
        return Path(download_artifacts(artifact_uri=uri, dst_path=str(into), tracking_uri=store.uri))
    except (MlflowException, OSError, ValueError, AttributeError):
        raise MissingFile("RUN-ARTIFACT", f"model {model_id}: its files are not there; train it anew") from None


def frequent(store: Store, run: Found, number: int) -> list[str]:
    """The so many tokens that val and test of a language model hold most often."""
    counts = Counter(sweep_runs.table(store, run.id, "predictions")["truth"].astype(str))
    return [token for token, _ in counts.most_common(number)]


def _found(run: Any) -> Found:
    tags = run.data.tags
    seed = "" if tags["seed"] == "none" else f" seed {tags['seed']}"
    scores = {k: v for k, v in run.data.metrics.items() if k.startswith(("val/", "test/"))}
    name = f"{tags['task']}/{tags['model']}{seed}"
    network, key, digest = tags["family"] == "network", tags["trial_key"], tags["data_digest"]
    metric = tags.get("metric", "")  # what an older version logged is never chosen
    return Found(run.info.run_id, name, tags["task"], network, metric, key, digest, scores)


def _artifact(store: Store, run: Found, name: str) -> bytes:
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory() as folder:
        try:
            return Path(store.client.download_artifacts(run.id, name, folder)).read_bytes()
        except (MlflowException, OSError):
            raise MissingFile("RUN-ARTIFACT", f"run {run.id}: it holds no {name}; train it anew") from None

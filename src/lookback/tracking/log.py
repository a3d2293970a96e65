"""What a run holds. Nothing here changes a result, and MLflow's autolog is never used."""

import getpass
import json
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookback.tracking import journal, registry, server
from lookback.tracking.journal import ARTIFACTS, MODELS, TAG, Record
from lookback.tracking.store import Store

NEEDED = ("mlflow", "numpy", "pandas", "keras", "tensorflow")  # by whoever serves a model
FLUSH_SECONDS = 5.0
DIGEST = 36  # characters that MLflow takes of one
BATCH = 1000  # metrics that MLflow takes in one call


class Run:
    """One MLflow run that is being written. Also watches training, and sends its curves in batches.

    All that is logged is kept here as well, until the run is finished: when the store does not answer any more,
    nothing else is sent, training goes on, and `finish` leaves a record for `lookback.tracking.sync`.

    Attributes:
        experiment: its id; None where the store did not say it.
        id: in the store.
    """

    def __init__(self, store: Store, experiment: str | None, name: str, run_tags: dict[str, str], flat: dict[str, str]):
        self.experiment, self.id = experiment, ""
        self._store, self._told, self._flushed, self._sent = store, False, 0, time.monotonic()
        self._record = Record(store.shown, name, _source() | run_tags, flat)
        self._folder = tempfile.TemporaryDirectory(prefix="lookback-")
        self._files = Path(self._folder.name)
        for part in (ARTIFACTS, MODELS):
            (self._files / part).mkdir()
        self._send(self._begin)

    def _begin(self) -> None:
        self.id = create(self._store, str(self.experiment), self._record)
        log_params(self._store, self.id, self._record)

    def _send(self, what: Callable[[], Any]) -> None:
        self._store.link.attempt(what)
        if (why := self._store.link.lost) and not self._told:
            self._told = True
            rest = "training goes on, and what it finds is kept here"
            print(
                f"warning: {self._record.task}/{self._record.name}: {self._store.shown} is lost ({why}); {rest}",
                file=sys.stderr,
            )

    def finish(self) -> Path | None:
        """Mark it FINISHED, the only one of its trial.

        Returns:
            The folder that keeps the record, where the store does not have all of it.
        """
        self.flush()
        self._record.ended = journal.now()
        key, ended = self._record.key, self._record.ended
        self._send(lambda: registry.finish(self._store, str(self.experiment), key, self.id, ended))
        kept = journal.keep(self._store, self._record, self._files) if self._store.link.lost else None
        self._folder.cleanup()
        return kept

    def fail(self, status: str, traceback: str) -> None:
        """Mark it FAILED or KILLED. Such a trial leaves no record: it is run anew."""
        self.flush()
        self.text(server.hidden(traceback), "traceback.txt")
        self._send(lambda: self._store.client.set_terminated(self.id, status))
        self._folder.cleanup()

    # --- watching training ---

    def on_steps_end(self, epoch: int, done: int, total: int, loss: float) -> None:
        """Nothing is logged within an epoch."""

    def on_epoch_end(self, epoch: int, loss: float, val_loss: float) -> None:
        """Curves: `loss` and `val_loss`. A refit has no val loss; nothing is logged of it but its forecasts."""
        if np.isfinite(val_loss):
            self.metrics({"loss": loss, "val_loss": val_loss}, step=epoch)

    def on_fit_begin(self, fit: Any) -> None:
        """Nothing is logged of where a fit begins."""

    def metrics(self, values: dict[str, float], step: int = 0) -> None:
        """Buffer metrics; they are sent by time. What is not finite is left out (see the tag `diverged`)."""
        now = journal.now()
        self._record.metrics += [(k, float(v), now, step) for k, v in values.items() if np.isfinite(v)]
        if time.monotonic() - self._sent > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what is buffered."""
        waiting, self._flushed = self._record.metrics[self._flushed :], len(self._record.metrics)
        self._send(lambda: log_metrics(self._store, self.id, waiting))
        self._sent = time.monotonic()

    # --- artifacts ---

    def text(self, text: str, name: str) -> None:
        """A text file."""
        path = self._place(name)
        path.write_text(text, encoding="utf-8")
        self._upload(path)

    def table(self, frame: pd.DataFrame, name: str) -> None:
        """A table: as Parquet, which keeps its types and is read back, and as CSV for people."""
        path = self._place(f"{name}.parquet")
        frame.to_parquet(path, index=False)
        self._upload(path)
        self.text(frame.to_csv(index=False), f"{name}.csv")

    def figure(self, figure: Any, name: str) -> None:
        """A picture, as PNG."""
        path = self._place(name)
        figure.savefig(path, dpi=110)
        self._upload(path)

    def model(self, code: Path, folder: Path, example: dict[str, Any], name: str) -> None:
        """A trained model that was written to a folder: see `log_model`."""
        kept = self._files / MODELS / str(len(self._record.models))
        shutil.copytree(folder, kept / folder.name)
        shutil.copy(code, kept)
        known = {"code": code.name, "folder": folder.name, "example": example, "name": name}
        self._record.models.append(known | {"requirements": requirements()})
        self._send(lambda: log_model(str(self.experiment), self.id, code, folder, example, name))

    def dataset(self, name: str, source: str, digest: str, sizes: dict[str, int]) -> None:
        """What it was trained and scored on.

        Args:
            source: the file, as the settings name it.
            sizes: split -> samples.
        """
        self._record.datasets = [(f"{name} {split}", source, digest, number) for split, number in sizes.items()]
        self._send(lambda: log_datasets(self._store, self.id, self._record))

    def tag(self, name: str, value: str) -> None:
        """One more tag."""
        self._record.tags[name] = value
        self._send(lambda: self._store.client.set_tag(self.id, name, value))

    def _place(self, name: str) -> Path:
        path = self._files / ARTIFACTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _upload(self, path: Path) -> None:
        inside = path.parent.relative_to(self._files / ARTIFACTS).as_posix()
        self._send(lambda: self._store.client.log_artifact(self.id, str(path), None if inside == "." else inside))


def _source() -> dict[str, str]:
    """Who runs what: the UI has a column for each."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container whose user has no name
        user = "unknown"
    return {"mlflow.user": user, "mlflow.source.name": Path(sys.argv[0]).name, "mlflow.source.type": "LOCAL"}


def create(store: Store, experiment: str, record: Record) -> str:
    """Begin the run of a record; its id."""
    run = store.client.create_run(experiment, record.started, record.tags | {TAG: record.id}, record.name)
    return str(run.info.run_id)


def log_params(store: Store, run_id: str, record: Record) -> None:
    """The params of a record."""
    from mlflow.entities import Param

    listed = [Param(k, v) for k, v in record.params.items()]
    for first in range(0, len(listed), 100):
        store.client.log_batch(run_id, params=listed[first : first + 100])


def log_metrics(store: Store, run_id: str, values: Sequence[tuple[str, float, int, int]]) -> None:
    """Metrics, each with when and at which step: sent twice they are there once."""
    from mlflow.entities import Metric

    for first in range(0, len(values), BATCH):
        store.client.log_batch(run_id, metrics=[Metric(*value) for value in values[first : first + BATCH]])


def log_datasets(store: Store, run_id: str, record: Record) -> None:
    """What the run of a record was trained and scored on, each split by itself."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = []
    for name, source, digest, number in record.datasets:
        origin, rows = json.dumps({"uri": source}), json.dumps({"num_rows": number})
        part = Dataset(name, digest[:DIGEST], "local", origin, profile=rows)
        inputs.append(DatasetInput(part, [InputTag("mlflow.data.context", name.rpartition(" ")[2])]))
    store.client.log_inputs(run_id, datasets=inputs)


def requirements() -> list[str]:
    """What a logged model needs, as pip reads it."""
    return [f"{library}=={metadata.version(library)}" for library in NEEDED]


def log_model(
    experiment: str,
    run_id: str,
    code: Path,
    folder: Path,
    example: dict[str, Any],
    name: str,
    needed: Sequence[str] = (),
) -> str:
    """A trained model that was written to a folder, as a pyfunc: Lookback's own code and the files, no pickle.

    Args:
        code: the file that MLflow runs to load it.
        example: a frame that it answers: its `columns` and `data`.
        name: in MLflow.
        needed: its requirements, where they are not those of this moment.

    Returns:
        its id.
    """
    import mlflow
    import mlflow.pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType

    mlflow.set_experiment(experiment_id=experiment)  # else the model goes to the default one
    columns = [ColSpec(AnyType(), column) for column in example["columns"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        logged = Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            name=re.sub(r"""[/:.%"']""", "_", name),
            run_id=run_id,
            python_model=str(code),
            artifacts={folder.name: str(folder)},
            signature=ModelSignature(Schema(columns)),
            input_example=pd.DataFrame(example["data"], columns=example["columns"]),
            pip_requirements=list(needed) or requirements(),
        )
    return str(logged.model_id)

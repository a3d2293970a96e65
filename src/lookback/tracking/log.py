"""What a run holds. Nothing here changes a result, and MLflow's autolog is never used."""

import getpass
import json
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookback.tracking.store import Store

NEEDED = ("mlflow", "numpy", "pandas", "keras", "tensorflow")  # by whoever serves a model
FLUSH_SECONDS = 5.0
DIGEST = 36  # characters that MLflow takes of one
BATCH = 1000  # metrics that MLflow takes in one call


class Run:
    """One MLflow run that is being written. Also watches training, and sends its curves in batches."""

    def __init__(self, store: Store, experiment: str, name: str, run_tags: dict[str, str], flat: dict[str, str]):
        from mlflow.entities import Param

        self.client = store.client
        self.experiment = experiment
        self.id = self.client.create_run(experiment, tags=_source() | run_tags, run_name=name).info.run_id
        self._waiting: list[Any] = []
        self._sent = time.monotonic()
        listed = [Param(k, v) for k, v in flat.items()]
        for first in range(0, len(listed), 100):
            self.client.log_batch(self.id, params=listed[first : first + 100])

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
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._waiting += [Metric(k, float(v), now, step) for k, v in values.items() if np.isfinite(v)]
        if time.monotonic() - self._sent > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what is buffered."""
        for first in range(0, len(self._waiting), BATCH):
            self.client.log_batch(self.id, metrics=self._waiting[first : first + BATCH])
        self._waiting, self._sent = [], time.monotonic()

    # --- artifacts ---

    def text(self, text: str, name: str) -> None:
        """A text file."""
        self.client.log_text(self.id, text, name)

    def table(self, frame: pd.DataFrame, name: str) -> None:
        """A table: as Parquet, which keeps its types and is read back, and as CSV for people."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.parquet"
            frame.to_parquet(path, index=False)
            self.client.log_artifact(self.id, str(path))
        self.client.log_text(self.id, frame.to_csv(index=False), f"{name}.csv")

    def figure(self, figure: Any, name: str) -> None:
        """A picture, as PNG."""
        self.client.log_figure(self.id, figure, name, save_kwargs={"dpi": 110})

    def dataset(self, name: str, source: str, digest: str, sizes: dict[str, int]) -> None:
        """What it was trained and scored on.

        Args:
            source: the file, as the settings name it.
            sizes: split -> samples.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag

        origin = json.dumps({"uri": source})
        inputs = []
        for split, number in sizes.items():
            rows = json.dumps({"num_rows": number})
            part = Dataset(f"{name} {split}", digest[:DIGEST], "local", origin, profile=rows)
            inputs.append(DatasetInput(part, [InputTag("mlflow.data.context", split)]))
        self.client.log_inputs(self.id, datasets=inputs)

    def tag(self, name: str, value: str) -> None:
        """One more tag."""
        self.client.set_tag(self.id, name, value)


def _source() -> dict[str, str]:
    """Who runs what: the UI has a column for each."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container whose user has no name
        user = "unknown"
    return {"mlflow.user": user, "mlflow.source.name": Path(sys.argv[0]).name, "mlflow.source.type": "LOCAL"}


def log_model(experiment: str, run_id: str, code: Path, folder: Path, inputs: Sequence[str], name: str) -> str:
    """A trained model that was written to a folder, as a pyfunc: Lookback's own code and the files, no pickle.

    Args:
        code: the file that MLflow runs to load it.
        inputs: the columns of a frame that it takes.
        name: in MLflow.

    Returns:
        its id.
    """
    import mlflow
    import mlflow.pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType

    mlflow.set_experiment(experiment_id=experiment)  # else the model goes to the default one
    columns = [ColSpec(AnyType(), column) for column in inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it would like an example, and run the model on it
        logged = Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            name=re.sub(r"""[/:.%"']""", "_", name),
            run_id=run_id,
            python_model=str(code),
            artifacts={folder.name: str(folder)},
            signature=ModelSignature(Schema(columns)),
            pip_requirements=[f"{library}=={metadata.version(library)}" for library in NEEDED],
        )
    return str(logged.model_id)

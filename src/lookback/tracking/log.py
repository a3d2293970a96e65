"""What a run holds. Nothing here changes a result, and MLflow's autolog is never used."""

import json
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookback.tracking.store import Store

FLUSH_SECONDS = 5.0
BATCH = 1000  # metrics that MLflow takes in one call


class Run:
    """One MLflow run that is being written. Also watches training, and sends its curves in batches."""

    def __init__(self, store: Store, experiment: str, name: str, run_tags: dict[str, str], flat: dict[str, str]):
        from mlflow.entities import Param

        self.client = store.client
        self.experiment = experiment
        self.id = self.client.create_run(experiment, tags=run_tags, run_name=name).info.run_id
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

    def tag(self, name: str, value: str) -> None:
        """One more tag."""
        self.client.set_tag(self.id, name, value)

    def baseline(self, state: dict[str, Any]) -> None:
        """A baseline: its numbers as JSON, its arrays as npz. No pickle."""
        numbers = {k: v for k, v in state.items() if not _is_arrays(v)}
        arrays: dict[str, np.ndarray] = {}
        for name, value in state.items():
            if _is_arrays(value):
                several = value if isinstance(value, list) else [value]
                arrays |= {f"{name}.{i}" if isinstance(value, list) else name: a for i, a in enumerate(several)}
        self.client.log_text(self.id, json.dumps(numbers, indent=2), "baseline/numbers.json")
        if arrays:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "arrays.npz"
                np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
                self.client.log_artifact(self.id, str(path), "baseline")

    def network(self, model: Any) -> None:
        """A Keras model with its signature and the versions that it needs."""
        import mlflow
        import mlflow.keras
        from mlflow.models import Model, ModelSignature
        from mlflow.types import Schema, TensorSpec

        def spec(tensors: list[Any]) -> Any:
            shapes = [tuple(-1 if d is None else d for d in tensor.shape) for tensor in tensors]
            names = [tensor.name for tensor in tensors] if len(tensors) > 1 else [None]
            several = zip(tensors, shapes, names, strict=True)
            return Schema([TensorSpec(np.dtype(tensor.dtype), shape, name) for tensor, shape, name in several])

        mlflow.set_experiment(experiment_id=self.experiment)  # else the model goes to the default one
        Model.log(
            artifact_path=None,
            flavor=mlflow.keras,
            name="model",
            run_id=self.id,
            model=model,
            signature=ModelSignature(spec(model.inputs), spec(model.outputs)),
            pip_requirements=[f"{p}=={metadata.version(p)}" for p in ("keras", "tensorflow")],
        )


def _is_arrays(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], np.ndarray)
    )

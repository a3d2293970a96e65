"""What MLflow runs to load a trained model: this file, and the data beside it."""

import os
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel

os.environ.setdefault("KERAS_BACKEND", "tensorflow")


class LookbackModel(PythonModel):
    """Answers frames with the columns of the file that the model was trained on."""

    def load_context(self, context: Any) -> None:
        """Read the folder of the model."""
        from lookback.experiment import bundle

        self._bundle = bundle.read(Path(context.artifacts["bundle"]), "model")

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """A line for each answer; forecasts go on from the last row."""
        return self._bundle.predict(model_input, rolling=False)


mlflow.models.set_model(LookbackModel())

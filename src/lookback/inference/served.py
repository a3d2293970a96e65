"""What each worker of `serve` runs: MLflow's scoring server around one model, behind `doors.Doors`."""

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import pandas as pd

from lookback.errors import DataError, LookbackError
from lookback.experiment import bundle
from lookback.experiment.bundle import Bundle
from lookback.inference.doors import SAID, App, Doors

ENVIRONMENT = "LOOKBACK_SERVED"  # what `serving` tells its workers, as JSON


class Answering:
    """A model as MLflow's scoring server asks for it.

    One request at a time: a compiled program has one set of buffers. Workers answer side by side.
    """

    def __init__(self, held: Bundle):
        from mlflow.models import Model

        self.metadata = Model()  # without a signature: columns and cells are checked by our own reader
        self._bundle, self._turn = held, threading.Lock()
        held.model  # noqa: B018  # it is read before the first request comes

    def predict(self, data: Any) -> pd.DataFrame:
        """A line for each answer; what is wrong with the data is kept in `SAID` as well."""
        try:
            if not isinstance(data, pd.DataFrame):
                raise DataError(
                    "SERVE-FORMAT", "request: send a table, as dataframe_split or dataframe_records, or as text/csv"
                )
            with self._turn:
                return self._bundle.predict(data, rolling=False)
        except LookbackError as e:
            SAID.get([]).append(str(e))
            raise
        except Exception:
            traceback.print_exc(file=sys.stderr)
            SAID.get([]).append("the model cannot answer this request; what it stumbled over is in the server's log")
            raise


def app() -> App:
    """Called by uvicorn in each worker."""
    from mlflow.pyfunc import scoring_server

    told = json.loads(os.environ[ENVIRONMENT])
    model = Answering(bundle.read(Path(told["folder"]), told["name"], told["device"], told["threads"]))
    return Doors(scoring_server.init(model), told["hosts"], told["megabytes"])

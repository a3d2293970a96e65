"""The comparison of a sweep as a run of its own, above the runs that it compares."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from lookback.tracking.store import Store
from lookback.tracking.view import NOTE

_PARENT = "mlflow.parentRunId"  # what the UI nests runs by


def publish(
    store: Store,
    task: str,
    sweep: str,
    table: pd.DataFrame,
    note: str,
    runs: Iterable[str],
    best: str,
    files: list[Path],
) -> None:
    """Log a comparison, in place of the one that was logged of the same sweep.

    Args:
        table: a line for each model.
        note: the verdict, in words.
        runs: the ids of those that are compared; they stand below it from now on.
        best: the id of the best of them; "" where none is.
        files: of the report. A picture is named alike in every comparison, so that the UI puts them side by side.
    """
    client, experiment = store.client, store.experiment(task)
    for old in client.search_runs([experiment], f"tags.kind = 'comparison' and tags.sweep = '{sweep}'"):
        client.delete_run(old.info.run_id)
    tags = {"kind": "comparison", "model": "comparison", "sweep": sweep, "best_run": best or "none", NOTE: note}
    run = client.create_run(experiment, tags=tags, run_name=f"comparison {sweep}").info.run_id
    client.log_table(run, table.astype(object).where(table.notna(), None), "comparison.json")
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            named = Path(folder) / (f"comparison{file.suffix}" if file.suffix == ".png" else file.name)
            shutil.copy(file, named)
            client.log_artifact(run, str(named))
    for child in runs:
        client.set_tag(child, _PARENT, run)
    client.set_terminated(run, "FINISHED")

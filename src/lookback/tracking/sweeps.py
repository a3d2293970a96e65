"""Sweeps: the list of trial keys that each asked for, and the runs that answer it."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lookback.errors import MissingFile
from lookback.tracking.ledger import runs
from lookback.tracking.store import Store

EXPERIMENT = "sweeps"
NUMBERS = ("lower", "upper", "loss", "forecast", "one_step", "repeated")  # columns whose empty cells are no text


@dataclass(frozen=True)
class Sweep:
    """What a sweep asked for.

    Attributes:
        trials: key -> {task, model, seed}, in the order of the sweep; `model` is the name in the comparison: where
            the sweep tries several numbers of one, with those numbers.
        tasks: name -> what a comparison must know of it.
    """

    name: str
    run_id: str
    trials: dict[str, dict[str, Any]]
    tasks: dict[str, dict[str, Any]]


def begin(store: Store, sweep: Sweep, tags: dict[str, str]) -> Sweep:
    """Store a sweep; the answer has its run id."""
    experiment = store.experiment(EXPERIMENT)
    run = store.client.create_run(experiment, tags=tags | {"sweep": sweep.name}, run_name=sweep.name)
    store.client.log_dict(run.info.run_id, {"trials": sweep.trials, "tasks": sweep.tasks}, "sweep.json")
    return Sweep(sweep.name, run.info.run_id, sweep.trials, sweep.tasks)


def end(store: Store, sweep: Sweep, failed: bool) -> None:
    """Say how a sweep ended."""
    store.client.set_terminated(sweep.run_id, "FAILED" if failed else "FINISHED")


def find(store: Store, name: str | None) -> Sweep:
    """A sweep by its name, or the last one that was no smoke test.

    Raises:
        MissingFile: there is none.
    """
    wanted = f"tags.sweep = '{name}'" if name else "tags.smoke = 'false'"
    found = store.client.search_runs(
        [store.experiment(EXPERIMENT)], wanted, order_by=["attributes.start_time DESC"], max_results=1
    )
    if not found:
        raise MissingFile("SWEEP-MISSING", f"no sweep {name or 'yet'} in {store.uri}; run make train")
    content = json.loads(_artifact(store, found[0].info.run_id, "sweep.json"))
    return Sweep(found[0].data.tags["sweep"], found[0].info.run_id, content["trials"], content["tasks"])


def rows(store: Store, sweep: Sweep) -> pd.DataFrame:
    """One row per trial that is FINISHED: task, model, seed, diverged, network, run_id and every metric.

    Smoke runs are left out.
    """
    listed: list[dict[str, Any]] = []
    for task in sweep.tasks:
        for run in runs(store, store.experiment(task)):
            tags = run.data.tags
            if run.info.status == "FINISHED" and tags.get("trial_key") in sweep.trials and tags["smoke"] == "false":
                label = sweep.trials[tags["trial_key"]]["model"]
                facts = {"task": task, "model": label, "seed": tags["seed"], "run_id": run.info.run_id}
                flags = {
                    "network": tags["backend"] != "numpy",
                    "diverged": tags["diverged"] == "true",
                    "key": tags["trial_key"],
                }
                listed.append(facts | flags | run.data.metrics)
    order = {key: i for i, key in enumerate(sweep.trials)}
    return pd.DataFrame(sorted(listed, key=lambda row: order[row["key"]]))


def table(store: Store, run_id: str, name: str) -> pd.DataFrame:
    """A table that a run logged; empty where it logged none of this name."""
    if not any(file.path == f"{name}.csv" for file in store.client.list_artifacts(run_id)):
        return pd.DataFrame()
    with tempfile.TemporaryDirectory() as folder:
        path = store.client.download_artifacts(run_id, f"{name}.csv", folder)
        return pd.read_csv(path, keep_default_na=False, na_values={name: [""] for name in NUMBERS})


def losses(store: Store, run_id: str) -> pd.DataFrame:
    """The learning curve of a run: epoch, loss, val_loss."""
    curves = {
        name: {m.step: m.value for m in store.client.get_metric_history(run_id, name)} for name in ("loss", "val_loss")
    }
    return pd.DataFrame(curves, columns=["loss", "val_loss"]).rename_axis("epoch").reset_index()


def attach(store: Store, sweep: Sweep, path: Path) -> None:
    """Keep a file with a sweep."""
    store.client.log_artifact(sweep.run_id, str(path))


def _artifact(store: Store, run_id: str, name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return Path(store.client.download_artifacts(run_id, name, folder)).read_text()

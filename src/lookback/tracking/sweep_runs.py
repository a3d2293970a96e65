"""Sweeps: the list of trial keys that each asked for, and the runs that answer it."""

import contextlib
import json
import platform
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lookback.errors import DataError, MissingFile
from lookback.locks import clear, is_held
from lookback.settings import suggest
from lookback.tracking.registry import runs
from lookback.tracking.store import Store
from lookback.tracking.tally import Tally

EXPERIMENT = "sweeps"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # of a sweep or a task


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
    known = tags | {"sweep": sweep.name, "locks": _place(store)}
    run = store.client.create_run(experiment, tags=known, run_name=sweep.name)
    store.client.log_dict(run.info.run_id, {"trials": sweep.trials, "tasks": sweep.tasks}, "sweep.json")
    return Sweep(sweep.name, run.info.run_id, sweep.trials, sweep.tasks)


@contextlib.contextmanager
def running(store: Store, name: str) -> Iterator[None]:
    """Hold the lock of a sweep while it runs. Sweeps that are RUNNING and hold none died: they are marked KILLED."""
    with store.lock(f"sweep-{name}"):
        bury(store)
        yield


def bury(store: Store) -> None:
    """Mark the sweeps whose process died, forget how far they were, and remove what locks killed processes left.

    Those whose locks lie elsewhere, on another machine or in another checkout of a server, are not ours to judge.
    """
    clear(store.locks)
    for run in _search(store, f"attributes.status = 'RUNNING' and tags.locks = '{_place(store)}'"):
        name = run.data.tags["sweep"]
        if not is_held(store.lock_file(f"sweep-{name}")):
            store.client.set_terminated(run.info.run_id, "KILLED")
            Tally(store, name).end()


def _place(store: Store) -> str:
    """Where the locks of a sweep are: machine and folder."""
    return f"{platform.node()}:{store.locks}".replace("'", "_")


def end(store: Store, sweep: Sweep, failed: bool) -> None:
    """Say how a sweep ended."""
    store.client.set_terminated(sweep.run_id, status(failed))


def status(failed: bool) -> str:
    """As MLflow calls it."""
    return "FAILED" if failed else "FINISHED"


def find(store: Store, name: str | None) -> Sweep:
    """A sweep by its name, or the last one that came to its end and was no smoke test.

    Raises:
        MissingFile: there is none.
    """
    if name is not None and not NAME.fullmatch(name):
        raise MissingFile("SWEEP-MISSING", f"sweep: got {name!r}, which is no name of a sweep; {_listed(store)}")
    bury(store)
    ended = "tags.smoke = 'false' and attributes.status != 'RUNNING' and attributes.status != 'KILLED'"
    found = _search(store, f"tags.sweep = '{name}'" if name else ended, most=1)
    if not found:
        raise MissingFile("SWEEP-MISSING", _missing(store, name))
    content = json.loads(_artifact(store, found[0].info.run_id, "sweep.json"))
    # Reports are written under these names: a store that others write to shall not choose where.
    if strange := [n for n in (found[0].data.tags["sweep"], *content["tasks"]) if not NAME.fullmatch(n)]:
        raise DataError("SWEEP-NAME", f"run {found[0].info.run_id}: {strange[0]!r} is no name of a sweep or a task")
    return Sweep(found[0].data.tags["sweep"], found[0].info.run_id, content["trials"], content["tasks"])


def _missing(store: Store, name: str | None) -> str:
    if name:
        return f"sweep: got {name!r}, no such sweep in {store.shown}; {_listed(store, name)}"
    return f"no sweep came to its end in {store.shown}; {_listed(store)}"


def _listed(store: Store, near: str = "") -> str:
    """The last sweeps by name, or the one that was meant."""
    known = [run.data.tags["sweep"] for run in _search(store, "tags.smoke = 'false'", most=5)]
    if not known:
        return "run make train"
    return suggest(near, known).removeprefix("; ") if near else f"set sweep={known[0]}, or run make train"


def killed_since(store: Store, sweep: Sweep) -> list[str]:
    """Names of the sweeps that began later and were killed: what they have can be compared by name."""
    newest = _search(store, "tags.smoke = 'false'", most=50)
    names = [run.data.tags["sweep"] for run in newest]
    later = newest[: names.index(sweep.name)] if sweep.name in names else []
    return [run.data.tags["sweep"] for run in later if run.info.status == "KILLED"]


def _search(store: Store, wanted: str, most: int = 1000) -> list[Any]:
    """Runs of sweeps, the newest first."""
    order = ["attributes.start_time DESC"]
    return list(store.client.search_runs([store.experiment(EXPERIMENT)], wanted, order_by=order, max_results=most))


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
                    "network": tags["family"] == "network",
                    "diverged": tags["diverged"] == "true",
                    "key": tags["trial_key"],
                }
                listed.append(facts | flags | run.data.metrics)
    order = {key: i for i, key in enumerate(sweep.trials)}
    return pd.DataFrame(sorted(listed, key=lambda row: order[row["key"]]))


def table(store: Store, run_id: str, name: str) -> pd.DataFrame:
    """A table that a run logged, with the types that it had; empty where it logged none of this name."""
    if not any(file.path == f"{name}.parquet" for file in store.client.list_artifacts(run_id)):
        return pd.DataFrame()
    with tempfile.TemporaryDirectory() as folder:
        return pd.read_parquet(store.client.download_artifacts(run_id, f"{name}.parquet", folder))


def predictions(store: Store, run_id: str) -> pd.DataFrame:
    """The predictions of a run.

    Raises:
        DataError: another version of Lookback logged it, in another form.
    """
    found = table(store, run_id, "predictions")
    if found.empty:
        raise DataError("RUN-OLD", f"run {run_id}: of another version of Lookback; run the same sweep again")
    return found


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

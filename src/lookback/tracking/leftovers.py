"""Runs that are to go: which, with what files, and how they go so that nothing is left half-done.

A run is first marked as deleted, then its files are removed, then the database forgets it. Whoever is stopped in
between leaves a run that is marked as deleted, which the next call finds.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookback.errors import MissingFile
from lookback.locks import is_held
from lookback.tracking import places, sweep_runs
from lookback.tracking.store import Store

ENDED = ("FINISHED", "FAILED", "KILLED")


@dataclass(frozen=True)
class Old:
    """A run of a trial or of a sweep.

    Attributes:
        status: "FINISHED", "FAILED", "KILLED", "DIED" (it says RUNNING, and nobody runs it), "RUNNING" or "DELETED".
        task: the experiment that it is in.
        ended: milliseconds since 1970; when it began where its end was not written.
        key: of its trial; "" of a sweep.
        sweep: the sweep that it belongs to, or is.
        models: the ids of the models that it logged.
        folders: its files and those of its models.
    """

    id: str
    name: str
    status: str
    task: str
    ended: int
    key: str
    sweep: str
    models: tuple[str, ...]
    folders: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(p.lstat().st_size for folder in self.folders for p in folder.rglob("*") if p.is_file())


def listed(store: Store, tasks: Iterable[str] | None) -> list[Old]:
    """Every run of ours, the newest of each experiment first. What others keep in the store is left alone.

    Args:
        tasks: names of experiments; None: every one.
    """
    from mlflow.entities import ViewType

    found: list[Old] = []
    for experiment in store.client.search_experiments(view_type=ViewType.ALL):
        if tasks is None or experiment.name in tasks:
            models = _models(store, experiment.experiment_id)
            found += [
                _old(store, run, experiment.name, models.get(run.info.run_id, []))
                for run in _every(store, experiment.experiment_id)
                if "trial_key" in run.data.tags or experiment.name == sweep_runs.EXPERIMENT
            ]
    return found


def registered(store: Store) -> tuple[set[str], set[str]]:
    """The runs, and the logged models, that a registered version stands on."""
    runs, models, token = set(), set(), None
    while True:
        page = store.client.search_model_versions(max_results=1000, page_token=token)
        runs |= {str(version.run_id) for version in page if version.run_id}
        models |= {str(version.source).removeprefix("models:/") for version in page}
        token = page.token
        if not token:
            return runs, models


def of_last_sweep(store: Store) -> tuple[str, set[str]]:
    """The name of the last sweep that came to its end, and the keys of its trials."""
    try:
        sweep = sweep_runs.find(store, None)
    except MissingFile:
        return "", set()
    return sweep.name, set(sweep.trials)


def still_so(store: Store, run: Old) -> bool:
    """Whether a run is as it was when it was listed: nobody has taken it up, or registered it, since."""
    runs, models = registered(store)
    if run.id in runs or models & set(run.models):
        return False
    now = store.client.get_run(run.id)
    return _status(store, now) == run.status


def remove(store: Store, run: Old) -> None:
    """Remove a run, its models and their files."""
    tracking: Any = store.client._tracking_client.store  # `mlflow gc` asks the same of it
    if run.status == "DIED":
        store.client.set_terminated(run.id, "KILLED")
    if run.status != "DELETED":
        store.client.delete_run(run.id)
    for folder in run.folders:
        shutil.rmtree(folder, ignore_errors=False)
    for model in run.models:
        tracking._hard_delete_logged_model(model)
    tracking._hard_delete_run(run.id)


def _old(store: Store, run: Any, task: str, models: list[Any]) -> Old:
    tags = run.data.tags
    folders = [_folder(store, run.info.artifact_uri, run.info.run_id)]
    folders += [_folder(store, model.artifact_location, model.model_id) for model in models]
    return Old(
        run.info.run_id, run.info.run_name or run.info.run_id, _status(store, run), task,
        run.info.end_time or run.info.start_time, tags.get("trial_key", ""), tags.get("sweep", "none"),
        tuple(str(model.model_id) for model in models), tuple(f for f in folders if f is not None and f.is_dir()),
    )  # fmt: skip


def _folder(store: Store, address: str, name: str) -> Path | None:
    """The folder `<name>/` around the artifacts; None where it is not one of the store's own.

    A database says where to remove files: it is believed only where that is beside itself, and called as it should be.
    """
    assert store.database is not None
    path = places.path_of(address)
    own = places.folder_of(store.database).resolve()
    if path is None or path.name != "artifacts" or path.parent.name != name:
        return None
    folder = path.parent.resolve()
    return folder if own in folder.parents else None


def _status(store: Store, run: Any) -> str:
    if run.info.lifecycle_stage == "deleted":
        return "DELETED"
    if run.info.status in ENDED:
        return str(run.info.status)
    tags = run.data.tags
    lock = f"trial-{tags['trial_key']}" if "trial_key" in tags else f"sweep-{tags.get('sweep')}"
    return "RUNNING" if is_held(store.lock_file(lock)) else "DIED"


def _every(store: Store, experiment: str) -> Iterator[Any]:
    from mlflow.entities import ViewType

    token = None
    while True:
        page = store.client.search_runs(
            [experiment], run_view_type=ViewType.ALL, order_by=["attributes.start_time DESC"], max_results=1000,
            page_token=token,
        )  # fmt: skip
        yield from page
        token = page.token
        if not token:
            return


def _models(store: Store, experiment: str) -> dict[str, list[Any]]:
    """Run -> the models that it logged."""
    found: dict[str, list[Any]] = {}
    token = None
    while True:
        page = store.client.search_logged_models([experiment], max_results=50, page_token=token)
        for model in page:
            found.setdefault(str(model.source_run_id), []).append(model)
        token = page.token
        if not token:
            return found

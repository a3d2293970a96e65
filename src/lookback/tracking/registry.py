"""Trials and their keys: exactly one FINISHED run per key.

A trial is claimed by holding a file lock named by its key. The lock goes with the process, so a run
that is RUNNING while its key is free belongs to a process that died: it is marked KILLED and the
trial is run anew. Any pipeline can be killed at any moment, and the same command finishes the rest.
A server that is lost meanwhile is no obstacle: a trial that cannot be looked up is run.
"""

import contextlib
import functools
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookback.tracking.store import Store

NEWEST = 1000  # runs that tell how long trials take


@functools.cache
def commit(root: Path) -> str:
    """The commit of the working tree, with + where it has changes; "none" outside git."""
    try:
        git = ["git", "-C", str(root)]
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        dirty = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True).stdout
        return head + "+" * bool(dirty)
    except (OSError, subprocess.CalledProcessError):
        return "none"


@contextlib.contextmanager
def claim(store: Store, experiment: str | None, key: str) -> Iterator[str | None]:
    """Hold a trial, waiting for any other process that holds it.

    Yields:
        The id of the key's FINISHED run, or None where there is none, or where the store does not answer any more.
    """
    with store.lock(f"trial-{key}"):
        yield store.link.attempt(lambda: _finished(store, str(experiment), key))


def _finished(store: Store, experiment: str, key: str) -> str | None:
    finished = None
    for run in runs(store, experiment, key):
        if run.info.status == "RUNNING":
            store.client.set_terminated(run.info.run_id, "KILLED")
        elif run.info.status == "FINISHED" and finished is None:
            finished = run.info.run_id
    return finished


def finish(store: Store, experiment: str, key: str, run_id: str, ended: int | None = None) -> None:
    """Mark a run FINISHED and delete every other FINISHED run of its key.

    Args:
        ended: when, in milliseconds; None: now.
    """
    store.client.set_terminated(run_id, "FINISHED", ended)
    alone(store, experiment, key, run_id)


def alone(store: Store, experiment: str, key: str, run_id: str) -> None:
    """Delete every FINISHED run of a key but this one."""
    for run in runs(store, experiment, key):
        if run.info.status == "FINISHED" and run.info.run_id != run_id:
            store.client.delete_run(run.info.run_id)


def runs(store: Store, experiment: str, key: str | None = None) -> list[Any]:
    """The runs of a key (or of an experiment), the newest first."""
    wanted = f"tags.trial_key = '{key}'" if key else ""
    found: list[Any] = []
    token = None
    while True:
        page = store.client.search_runs(
            [experiment], wanted, order_by=["attributes.start_time DESC"], max_results=1000, page_token=token
        )
        found += page
        token = page.token
        if not token:
            return found


@dataclass(frozen=True)
class Past:
    """What earlier runs of a task tell.

    Attributes:
        keys: of the finished trials.
        seconds: what a trial of a model took, mean; the model with the number of its members.
    """

    keys: frozenset[str]
    seconds: dict[tuple[str, int], float]


def past(store: Store, task: str, keys: Iterable[str]) -> Past:
    """Which of these keys are finished, and how long the trials of a task take.

    The newest `NEWEST` runs tell it; a key that is not among them is asked for by itself.
    """
    experiment = store.client.get_experiment_by_name(task)  # not made where it is missing: nothing is written here
    if experiment is None:
        return Past(frozenset(), {})
    newest = store.client.search_runs(
        [experiment.experiment_id], "attributes.status = 'FINISHED' and tags.smoke = 'false'",
        order_by=["attributes.start_time DESC"], max_results=NEWEST,
    )  # fmt: skip
    finished = {run.data.tags.get("trial_key", "") for run in newest}
    if len(newest) == NEWEST:
        finished |= {key for key in set(keys) - finished if _is_finished(store, experiment.experiment_id, key)}
    return Past(frozenset(finished), _durations(newest))


def _is_finished(store: Store, experiment: str, key: str) -> bool:
    return any(run.info.status == "FINISHED" for run in runs(store, experiment, key))


def _durations(newest: list[Any]) -> dict[tuple[str, int], float]:
    taken: dict[tuple[str, int], list[float]] = {}
    for run in newest:
        model = run.data.tags["model"], int(run.data.params.get("model.members", 1))
        taken.setdefault(model, []).append((run.info.end_time - run.info.start_time) / 1000)
    return {model: sum(some) / len(some) for model, some in taken.items()}

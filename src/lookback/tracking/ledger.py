"""Trials and their keys: exactly one FINISHED run per key.

A trial is claimed by holding a file lock named by its key. The lock goes with the process, so a run
that is RUNNING while its key is free belongs to a process that died: it is marked KILLED and the
trial is run anew. Any pipeline can be killed at any moment, and the same command finishes the rest.
"""

import contextlib
import functools
import hashlib
import json
import platform
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from lookback.config import Settings
from lookback.tracking.store import Store, lock

_VERSIONED = ("tensorflow", "keras", "numpy", "pandas", "scikit-learn", "statsmodels")
# Settings that say who is compared, where a file lies and what is shown; none changes a trial's result.
_NOT_THE_RESULT = {"contestants", "seeds", "yardstick", "unit", "path", "source"}


def trial_key(settings: Settings, digest: str, device: str, flags: str) -> str:
    """SHA-256 of everything that can change the result of a trial.

    Args:
        digest: of the data.
        device: that computes ("cpu", "gpu").
        flags: of the compiler.
    """
    task = settings.task.model_dump(exclude=_NOT_THE_RESULT)
    content: dict[str, Any] = {
        "task": task,
        "model": settings.model.model_dump(),
        "evaluation": settings.evaluation.model_dump(),
        "smoke": settings.smoke,
        "data": digest,
        "versions": versions(),
        "sources": sources(),
    }
    if settings.network:  # a floor has no seed, and nothing of this changes it
        content |= {
            "training": settings.training.model_dump(),
            "seed": settings.seed,
            "device": device,
            "threads": settings.threads,
            "flags": flags,
        }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@functools.cache
def versions() -> dict[str, str]:
    """Of the interpreter and the libraries that compute."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in _VERSIONED}


@functools.cache
def sources() -> str:
    """SHA-256 of the sources of this package."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


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
def claim(store: Store, experiment: str, key: str) -> Iterator[str | None]:
    """Hold a trial, waiting for any other process that holds it.

    Yields:
        The id of the key's FINISHED run, or None where there is none.
    """
    with lock(store.root, f"trial-{key}"):
        finished = None
        for run in runs(store, experiment, key):
            if run.info.status == "RUNNING":
                store.client.set_terminated(run.info.run_id, "KILLED")
            elif run.info.status == "FINISHED" and finished is None:
                finished = run.info.run_id
        yield finished


def finish(store: Store, experiment: str, key: str, run_id: str) -> None:
    """Mark a run FINISHED and delete every other FINISHED run of its key."""
    store.client.set_terminated(run_id, "FINISHED")
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

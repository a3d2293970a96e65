"""Where runs are kept: an MLflow store, by default an SQLite file in the repository.

MLflow breaks its own database when two processes are the first to open it, so the file is made once,
under a lock, beside its final name, and moved there when it is whole.
"""

import contextlib
import os
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookback.errors import MissingFile, Unavailable
from lookback.locks import hold
from lookback.tracking import places

if TYPE_CHECKING:
    from mlflow import MlflowClient

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # the default blocks one call for four minutes
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

PROBE_SECONDS = 5
KIND = {"mlflow.experimentKind": "custom_model_development"}  # the UI opens on runs, not on traces
FROM_ENVIRONMENT = os.environ.get("MLFLOW_TRACKING_URI")  # read once: MLflow overwrites the variable


@dataclass(frozen=True)
class Store:
    """An open MLflow store.

    Attributes:
        uri: the tracking URI.
        locks: the folder of the locks of all who use this store, whatever checkout they run in; beside the database.
            Of a server, which may be far away, those of one checkout.
    """

    client: "MlflowClient"
    uri: str
    locks: Path

    def experiment(self, name: str) -> str:
        """The id of an experiment, made or brought back where it is not there."""
        found = self.client.get_experiment_by_name(name)
        if found is None:
            with self.lock("store"):
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    return self.client.create_experiment(name, self._artifacts(name), tags=KIND)
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def lock(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Hold a lock of this name; other processes wait."""
        return hold(self.lock_file(name))

    def lock_file(self, name: str) -> Path:
        """The file of a lock."""
        return self.locks / f"{name}.lock"

    @property
    def database(self) -> Path | None:
        """The SQLite file; None where a server keeps the runs."""
        return _database(self.uri)

    def _artifacts(self, name: str) -> str | None:
        """Beside the database; a server decides for itself."""
        return (places.folder_of(self.database) / name).as_uri() if self.database else None


def locate(uri: str | None, root: Path) -> str:
    """The tracking URI: the setting, else $MLFLOW_TRACKING_URI, else `mlflow.db` in the repository."""
    return uri or FROM_ENVIRONMENT or f"sqlite:///{root / 'mlflow.db'}"


def open_store(uri: str | None, root: Path) -> Store:
    """Open the store, creating the SQLite file on first use.

    Raises:
        Unavailable: a server that does not answer within seconds, or a URI of no known kind.
    """
    uri = locate(uri, root)
    if database := _database(uri):
        _make_database(database)
        _check_place(database)
    elif uri.startswith(("http://", "https://")):
        _probe(uri)
    else:
        raise Unavailable(
            "TRACKING-URI", f"tracking.uri: got {uri!r}, allowed: sqlite:///FILE, http://HOST:PORT, https://HOST"
        )
    import mlflow

    mlflow.set_tracking_uri(uri)
    return Store(mlflow.MlflowClient(uri), uri, locks_of(database) if database else root / ".lookback" / "locks")


def exists(uri: str | None, root: Path) -> bool:
    """Whether there is a store: an SQLite file that nothing made yet is none."""
    database = _database(locate(uri, root))
    return database is None or database.exists()


def database(uri: str | None, root: Path) -> Path:
    """The SQLite file of a store, which is not opened.

    Raises:
        Unavailable: a server keeps it.
        MissingFile: nothing made it yet.
    """
    uri = locate(uri, root)
    path = _database(uri)
    if path is None:
        raise Unavailable("TRACKING-SERVER", f"tracking.uri: {uri} keeps its files itself; do this where it runs")
    if not path.exists():
        raise MissingFile("STORE-MISSING", f"tracking.uri: there is no store {path} yet; run make train")
    return path


def locks_of(database: Path) -> Path:
    """The folder of the locks of an SQLite store."""
    return database.with_name(f"{database.name}.locks")


def _database(uri: str) -> Path | None:
    """The file of an SQLite store, however its path is written."""
    return Path(uri.removeprefix("sqlite:///")).resolve() if uri.startswith("sqlite:///") else None


def _check_place(database: Path) -> None:
    """Refuse a store that was moved: MLflow would look for old files, and put new ones, where the folder was before."""
    try:
        folder = places.lost(database)
    except sqlite3.Error:  # MLflow says better what is wrong with it
        return
    if folder:
        raise MissingFile(
            "STORE-MOVED",
            f"tracking.uri: the files of {database} should be in {folder}, which is not there; if the folder was "
            "moved, run pipelines/relocate.py",
        )


def _make_database(path: Path) -> None:
    if path.exists():
        return
    if not path.parent.is_dir():
        raise Unavailable("TRACKING-URI", f"tracking.uri: there is no folder {path.parent}; make it first")
    with hold(locks_of(path) / "store.lock"):
        if path.exists():
            return
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        unfinished = path.with_name(f"{path.name}.new")
        unfinished.unlink(missing_ok=True)  # of a process that was killed here
        with _quiet():
            made: Any = SqlAlchemyStore(f"sqlite:///{unfinished}", places.folder_of(path).as_uri())
        made.engine.dispose()
        unfinished.replace(path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Alembic tells every migration of an empty database."""
    import logging

    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _probe(uri: str) -> None:
    try:
        urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError:
        return  # it answers: behind a proxy, or asking who we are
    except (OSError, ValueError) as e:
        raise Unavailable(
            "TRACKING-SERVER",
            f"tracking.uri: {uri} does not answer ({getattr(e, 'reason', e)}); start it, or unset MLFLOW_TRACKING_URI",
        ) from None

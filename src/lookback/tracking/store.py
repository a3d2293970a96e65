"""Where runs are kept: an MLflow store, by default an SQLite file in the repository.

MLflow breaks its own database when two processes are the first to open it, so the file is made once,
under a lock, beside its final name, and moved there when it is whole.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookback.errors import LookbackError, MissingFile, Unavailable
from lookback.locks import hold
from lookback.tracking import places, server
from lookback.tracking.server import Link

if TYPE_CHECKING:
    from mlflow import MlflowClient

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # the default blocks one call for four minutes
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # a line for each run; passwords and all
os.environ.setdefault("PGCONNECT_TIMEOUT", "4")  # the default waits as long as the system does

KIND = {"mlflow.experimentKind": "custom_model_development"}  # the UI opens on runs, not on traces
FROM_ENVIRONMENT = os.environ.get("MLFLOW_TRACKING_URI")  # read once: MLflow overwrites the variable


@dataclass(frozen=True)
class Store:
    """An open MLflow store.

    Attributes:
        uri: the tracking URI.
        locks: the folder of the locks of all who use this store, whatever checkout they run in; beside the database.
            Of a server, which may be far away, those of one checkout.
        journal: the folder of the records that wait for a server, see `lookback.tracking.journal`.
        artifacts: the folder of the artifacts; None: a server decides for itself.
        link: whether it still answers, for those who go on without it.
    """

    client: "MlflowClient"
    uri: str
    locks: Path
    journal: Path = Path()
    artifacts: Path | None = None
    link: Link = field(default_factory=Link)

    @property
    def shown(self) -> str:
        """Its URI as people may see it: without a password."""
        return server.hidden(self.uri)

    def experiment(self, name: str) -> str:
        """The id of an experiment, made or brought back where it is not there."""
        found = self.client.get_experiment_by_name(name)
        if found is None:
            with self.lock("store"):
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    place = (self.artifacts / name).as_uri() if self.artifacts else None
                    return self.client.create_experiment(name, place, tags=KIND)
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


def locate(uri: str | None, root: Path) -> str:
    """The tracking URI: the setting, else $MLFLOW_TRACKING_URI, else `mlflow.db` in the repository."""
    return uri or FROM_ENVIRONMENT or f"sqlite:///{root / 'mlflow.db'}"


def check(uri: str | None, root: Path) -> None:
    """Refuse a store that cannot be had, before anything else is done. Makes and imports nothing.

    Raises:
        Unavailable: a server that does not answer within seconds, or a URI of no known kind.
    """
    uri = locate(uri, root)
    if database := _database(uri):
        if not database.parent.is_dir():
            raise Unavailable("TRACKING-URI", f"tracking.uri: there is no folder {database.parent}; make it first")
        return
    if not server.is_remote(uri):
        allowed = "sqlite:///FILE, http://HOST:PORT, https://HOST, postgresql://USER@HOST/DATABASE"
        raise Unavailable("TRACKING-URI", f"tracking.uri: got {server.hidden(uri)!r}, allowed: {allowed}")
    if server.is_database(uri):
        server.driver()
    if why := server.silence(uri):
        raise _silent(uri, why)


def open_store(uri: str | None, root: Path, midway: bool = False) -> Store:
    """Open the store, creating the SQLite file on first use.

    Args:
        midway: of work that goes on without it. Where it does not answer its `link` says why.

    Raises:
        Unavailable: a server that does not answer within seconds, or a URI of no known kind.
    """
    store = unopened(uri, root)
    try:
        check(store.uri, root)
        if database := _database(store.uri):
            _make_database(database)
            _check_place(database)
        return replace(store, client=_client(store))
    except Unavailable as e:
        if not midway:
            raise
        store.link.lost = e.message
        return store


def unopened(uri: str | None, root: Path) -> Store:
    """The folders of a store. It is not opened: nothing can be asked of it."""
    uri = server.spoken(locate(uri, root))
    kept, database = root / ".lookback", _database(uri)
    beside = database.parent if database else root if server.is_database(uri) else None
    client: Any = None
    locks = locks_of(database) if database else kept / "locks"
    return Store(client, uri, locks, kept / "journal", beside and beside / "mlartifacts")


@contextlib.contextmanager
def answering(store: Store, rest: str) -> Iterator[None]:
    """Say in a line that a server was lost, whatever its absence made fail.

    Args:
        rest: what to do about it.

    Raises:
        Unavailable: something failed, and the server does not answer.
    """
    try:
        yield
    except LookbackError:
        raise
    except Exception:
        if why := server.silence(store.uri):
            raise Unavailable("TRACKING-LOST", f"{store.shown} does not answer any more ({why}); {rest}") from None
        raise


def _client(store: Store) -> "MlflowClient":
    """MLflow's client of a store that answers.

    Raises:
        Unavailable: what answers is no MLflow server, or one that refuses us.
    """
    import mlflow

    mlflow.set_tracking_uri(store.uri)
    if not server.is_remote(store.uri):
        return mlflow.MlflowClient(store.uri)
    try:
        with store.lock("store"), _quiet():  # an empty database gets its tables here: one process makes them
            client = mlflow.MlflowClient(store.uri)
            client.search_experiments(max_results=1)
        return client
    except Exception as e:
        if why := server.silence(store.uri):
            raise _silent(store.uri, why) from None
        hint = "is it MLflow, and may we in? see docs/mlflow-server.md"
        raise Unavailable(
            "TRACKING-SERVER", f"tracking.uri: {store.shown} refuses us ({server.reason(e)}); {hint}"
        ) from None


def _silent(uri: str, why: str) -> Unavailable:
    hint = "start it, or set another tracking.uri or MLFLOW_TRACKING_URI"
    return Unavailable("TRACKING-SERVER", f"tracking.uri: {server.hidden(uri)} does not answer ({why}); {hint}")


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

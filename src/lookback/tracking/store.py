"""Where runs are kept: an MLflow store, by default an SQLite file in the repository.

MLflow breaks its own database when two processes are the first to open it, so the file is made once,
under a lock, beside its final name, and moved there when it is whole.
"""

import contextlib
import fcntl
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookback.errors import Unavailable

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
        root: the repository; locks are files under it.
    """

    client: "MlflowClient"
    uri: str
    root: Path

    def experiment(self, name: str) -> str:
        """The id of an experiment, made or brought back where it is not there."""
        found = self.client.get_experiment_by_name(name)
        if found is None:
            with lock(self.root, "store"):
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    return self.client.create_experiment(name, self._artifacts(name), tags=KIND)
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def _artifacts(self, name: str) -> str | None:
        """Beside the database; a server decides for itself."""
        if not self.uri.startswith("sqlite:///"):
            return None
        return (Path(self.uri.removeprefix("sqlite:///")).parent / "mlartifacts" / name).as_uri()


def locate(uri: str | None, root: Path) -> str:
    """The tracking URI: the setting, else $MLFLOW_TRACKING_URI, else `mlflow.db` in the repository."""
    return uri or FROM_ENVIRONMENT or f"sqlite:///{root / 'mlflow.db'}"


def open_store(uri: str | None, root: Path) -> Store:
    """Open the store, creating the SQLite file on first use.

    Raises:
        Unavailable: a server that does not answer within seconds, or a URI of no known kind.
    """
    uri = locate(uri, root)
    if uri.startswith("sqlite:///"):
        _make_database(Path(uri.removeprefix("sqlite:///")), root)
    elif uri.startswith(("http://", "https://")):
        _probe(uri)
    else:
        raise Unavailable(
            "TRACKING-URI", f"tracking.uri: got {uri!r}, allowed: sqlite:///FILE, http://HOST:PORT, https://HOST"
        )
    import mlflow

    mlflow.set_tracking_uri(uri)
    return Store(mlflow.MlflowClient(uri), uri, root)


@contextlib.contextmanager
def lock(root: Path, name: str) -> Iterator[None]:
    """Hold a lock of this name; other processes wait. It goes with the process, however that ends."""
    folder = root / ".lookback"
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_database(path: Path, root: Path) -> None:
    if path.exists():
        return
    if not path.parent.is_dir():
        raise Unavailable("TRACKING-URI", f"tracking.uri: there is no folder {path.parent}; make it first")
    with lock(root, "store"):
        if path.exists():
            return
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        unfinished = path.with_name(f"{path.name}.new")
        unfinished.unlink(missing_ok=True)  # of a process that was killed here
        with _quiet():
            made: Any = SqlAlchemyStore(f"sqlite:///{unfinished}", (path.parent / "mlartifacts").as_uri())
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

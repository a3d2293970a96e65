"""Real servers for the tests: MLflow's own, and PostgreSQL. Each ends with the test that started it."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import clean_environment

SECRET = "pw-that-nobody-sees"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class MlflowServer:
    """`mlflow server` on the loopback, which can be killed and started again on the same port."""

    def __init__(self, folder: Path, backend: str | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.backend = backend or f"sqlite:///{folder}/server.db"
        self.backend = self.backend.replace("postgresql://", "postgresql+psycopg2://")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "MlflowServer":
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--artifacts-destination", str(self.folder / "artifacts")]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        environment = clean_environment() | quiet | {"MLFLOW_BACKEND_STORE_URI": self.backend}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        for _ in range(600):
            assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
            with contextlib.suppress(OSError):
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{self.uri}/health", timeout=2)
                return self
            time.sleep(0.1)
        raise AssertionError("mlflow server did not come up")

    def kill(self) -> None:
        """SIGKILL for it and the workers that it started, which are its process group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def mlflow_server(folder: Path, backend: str | None = None) -> Iterator[MlflowServer]:
    server = MlflowServer(folder, backend)
    try:
        yield server.start()
    finally:
        server.kill()


def _binaries() -> Path | None:
    """Where initdb and postgres are; None where there are none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if config := shutil.which("pg_config"):
        places.append(Path(subprocess.run([config, "--bindir"], capture_output=True, text=True).stdout.strip()))
    return next((place for place in places if (place / "initdb").exists()), None)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of its own; yields the URI of an empty database. Skips where it is not installed."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: no initdb in PATH, in /usr/lib/postgresql or where pg_config says")
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed")
    owner = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        known = {entry.pw_name for entry in pwd.getpwall()}
        user = next((name for name in ("postgres", "nobody") if name in known), None)
        if user is None:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")
        owner = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    folder, port = Path(tempfile.mkdtemp(prefix="lookback-pg-", dir="/tmp")), free_port()
    process = None
    try:
        (folder / "secret").write_text(SECRET)
        if owner:
            for path in (folder, folder / "secret"):
                shutil.chown(path, owner["user"], owner["group"])
        made = [str(binaries / "initdb"), "-D", f"{folder}/db", "-U", "look", "--auth=scram-sha-256", "-E", "UTF8"]
        made += ["--pwfile", f"{folder}/secret", "--no-sync", "--locale=C"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, **owner)
        command = [str(binaries / "postgres"), "-D", f"{folder}/db", "-k", str(folder), "-h", "127.0.0.1"]
        process = subprocess.Popen(
            [*command, "-p", str(port), "-c", "fsync=off"], cwd=folder, stderr=subprocess.DEVNULL, **owner
        )
        uri = f"postgresql://look:{SECRET}@127.0.0.1:{port}/postgres"
        _wait_for(uri)
        yield uri
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # fast shutdown: it ends its own children
            process.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(uri: str) -> None:
    import psycopg2

    for _ in range(300):
        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(uri).close()
            return
        time.sleep(0.1)
    raise AssertionError("PostgreSQL did not come up")

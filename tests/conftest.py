"""Shared fixtures. Nothing is mocked: real files, real processes, a real store."""

import contextlib
import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from lookback import tasks
from lookback.data.dataset import Data
from lookback.settings import Settings, validate
from lookback.tracking import store

ROOT = Path(__file__).resolve().parents[1]
hypothesis.settings.register_profile("house", deadline=None)  # machines are noisy
hypothesis.settings.load_profile("house")


@functools.cache  # they are frozen, and composing takes a tenth of a second
def settings(*overrides: str) -> Settings:
    """The validated settings of a command line."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        composed = compose("train", overrides=list(overrides))
    return validate(OmegaConf.to_container(composed, resolve=True))  # type: ignore[arg-type]


def load(settled: Settings, root: Path = ROOT) -> Data:
    """The data of a trial."""
    return tasks.load(settled.task, settled.evaluation, root)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what a pipeline needs, so that its store, locks and reports are its own."""
    for room in ("conf", "pipelines", "data"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite store that holds nothing yet: to make one takes MLflow seconds."""
    folder = tmp_path_factory.mktemp("store")
    store.open_store(f"sqlite:///{folder}/mlflow.db", folder)
    return folder / "mlflow.db"


@pytest.fixture(scope="session")
def open_stores(empty_store: Path) -> Callable[[Path], store.Store]:
    """Opens a store of its own in a folder."""

    def opened(folder: Path) -> store.Store:
        shutil.copy(empty_store, folder / "mlflow.db")
        return store.open_store(f"sqlite:///{folder}/mlflow.db", folder)

    return opened


@pytest.fixture
def stocked(house: Path, empty_store: Path) -> None:
    """The house has its store already: for tests that are not about its making."""
    shutil.copy(empty_store, house / "mlflow.db")


@pytest.fixture
def cli(house: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a pipeline as a user would, in the copied house."""

    def run(*arguments: str, pipeline: str = "train", timeout: int = 300, **environment: str):
        return subprocess.run(
            [sys.executable, f"pipelines/{pipeline}.py", *arguments],
            cwd=house,
            env=clean_environment() | environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run


def clean_environment() -> dict[str, str]:
    """This process's environment without what would send runs elsewhere."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "XLA_", "TF_", "HYDRA_", "COLUMNS"))}


def new_files(house: Path) -> set[str]:
    """Files in a house that were not copied into it."""
    known = {p.relative_to(ROOT) for room in ("conf", "pipelines", "data") for p in (ROOT / room).rglob("*")}
    made = {p.relative_to(house) for p in house.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    return {str(p) for p in made - known}


@contextlib.contextmanager
def serving(handler, monkeypatch) -> Iterator[http.server.ThreadingHTTPServer]:
    """A real server on the loopback, asked without a proxy."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()

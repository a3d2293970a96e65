"""Shared fixtures. Nothing is mocked: real files, real processes, a real store."""

import contextlib
import copy
import functools
import gc
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from lookback import problems
from lookback.configuration import plugins
from lookback.configuration.settings import Settings
from lookback.configuration.validation import validate
from lookback.data.dataset import Data
from lookback.evaluation import metrics
from lookback.evaluation.metrics import METRICS
from lookback.evaluation.predictions import Prediction
from lookback.models import catalogue
from lookback.problems import PROBLEMS
from lookback.problems.base import Scored
from lookback.report.table import TaskFacts
from lookback.tracking import store
from lookback.training.callbacks import Silent  # noqa: F401  # for the tests

ROOT = Path(__file__).resolve().parents[1]
hypothesis.settings.register_profile("all", deadline=None)  # machines are noisy
hypothesis.settings.register_profile("fast", deadline=None, max_examples=25)


def pytest_configure(config: pytest.Config) -> None:
    """A quarter of the examples in the fast tests."""
    hypothesis.settings.load_profile("fast" if config.option.markexpr == "not slow" else "all")


def examples(number: int) -> int:
    """So many in all tests, a quarter of them in the fast ones."""
    return number if hypothesis.settings.default.max_examples == 100 else -(-number // 4)  # type: ignore[union-attr]


def pytest_collection_finish() -> None:
    """What the libraries have built lives to the end: the garbage collector need not walk through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def some(cases: Iterable[Any], fast: Collection[Any]) -> list[Any]:
    """All cases for the slow tests, of which the fast tests take those that stand for the others."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=[] if case in fast else [pytest.mark.slow])
        for case in cases
    ]


GROUPS = ("task", "model", "training", "evaluation")


@functools.cache  # choosing among the files of conf/ takes Hydra a tenth of a second
def _chosen(*groups: str) -> DictConfig:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return compose("train", overrides=list(groups))


def composed(*overrides: str) -> DictConfig:
    """The configuration of a command line, as Hydra composes it: the files are chosen once, then values are put in."""
    groups = tuple(o for o in overrides if o.split("=")[0] in GROUPS)
    values = OverridesParser.create().parse_overrides([o for o in overrides if o not in groups])
    if any(v.is_sweep_override() or "/" in v.key_or_group or v.key_or_group in ("sweep", "hydra") for v in values):
        return _chosen(*overrides)
    config = copy.deepcopy(_chosen(*groups))
    ConfigLoaderImpl._apply_overrides_to_config(values, config)
    return config


@functools.cache  # they are frozen
def settings(*overrides: str) -> Settings:
    """The validated settings of a command line."""
    return validate(OmegaConf.to_container(composed(*overrides), resolve=True))  # type: ignore[arg-type]


def load(settled: Settings, root: Path = ROOT) -> Data:
    """The data of a trial."""
    return problems.load(settled.task, settled.evaluation, root)


def facts(kind: str, *given: Any, **changed: Any) -> TaskFacts:
    """What a comparison knows of a toy task of a kind."""
    problem, names = PROBLEMS[kind], given[2]
    said = {
        "tested": problem.tested, "answered": problem.answered, "clusters": problem.clusters,
        "loss_unit": problem.loss_unit, "forecasts": problem.forecasts,
        "labels": {name: METRICS[name].label for name in names}, "loss_noun": METRICS[names[0]].loss_noun,
        "reduction": METRICS[names[0]].reduction,
    }  # fmt: skip
    return TaskFacts(given[0], kind, *given[1:], **said | changed)


def score(settled: Any, data: Data, val: Prediction, test: Prediction) -> Scored:
    """What the predictions of a trial are worth."""
    return PROBLEMS[settled.task.kind].score(settled.task, settled.evaluation, data, val, test)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what a pipeline needs, so that its store, locks and reports are its own."""
    for room in ("conf", "pipelines", "data"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "src").symlink_to(ROOT / "src")
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
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models and metrics that a test registers are gone after it."""
    catalogue.entries()
    monkeypatch.setattr(catalogue, "_ENTRIES", dict(catalogue.entries()))
    monkeypatch.setattr(metrics, "METRICS", dict(METRICS))
    monkeypatch.setattr(plugins, "_loaded", set())


class Forking:
    """The server of `forking.py`."""

    def __init__(self, folder: Path):
        command = [sys.executable, str(ROOT / "tests/forking.py")]
        self._folder, self._number = folder, 0
        self._server = subprocess.Popen(
            command, cwd=folder, env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, arguments: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` of a script does."""
        assert self._server.stdin and self._server.stdout
        self._number += 1
        out, err = (self._folder / f"{name}{self._number}" for name in ("out", "err"))
        asked = {"arguments": arguments, "folder": str(folder), "environment": environment}
        self._server.stdin.write(json.dumps(asked | {"out": str(out), "err": str(err)}) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    def close(self) -> None:
        """End it."""
        self._server.communicate()


@pytest.fixture(scope="session")
def forking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forking]:
    """Runs pipelines in processes that need not import the libraries anew."""
    running = Forking(tmp_path_factory.mktemp("forking"))
    yield running
    running.close()


@pytest.fixture
def cli(house: Path, forking: Forking) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a pipeline as a user would, in the copied house."""

    def run(*arguments: str, pipeline: str = "train", **environment: str):
        command = [f"pipelines/{pipeline}.py", *arguments]
        return forking.run(command, house, clean_environment(house) | environment)

    return run


def clean_environment(house: Path | None = None) -> dict[str, str]:
    """This process's environment without what would send runs elsewhere, for a process in a house of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "XLA_", "TF_", "HYDRA_", "COLUMNS"))}
    return kept | ({} if house is None else {"PYTHONPATH": str(house / "src")})


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

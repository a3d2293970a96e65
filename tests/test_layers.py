"""Who may import whom (docs/architecture.md), read from the sources."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "src/lookback"
ROOMS = {  # room -> rooms of the package that it may import, itself aside
    "errors": set(),
    "settings": {"errors"},
    "locks": set(),
    "wording": set(),
    "data": {"settings", "errors", "locks", "wording"},
    "tasks": {"data", "settings", "errors", "wording"},
    "models": {"data.samples", "data.dataset", "data.sampling"},
    "training": {"data.samples", "data.dataset", "data.sampling", "settings", "errors"},
    "evaluation": set(),
    "experiment": {"settings", "data.samples", "data.dataset", "data.sampling", "errors", "models", "training"},
    "scoring": {"settings", "data.samples", "data.dataset", "data.sampling", "evaluation"},
    "tracking": {"settings", "errors", "locks"},
    "report": set(),
}
LIBRARIES = {  # library -> the only places that may import it
    "hydra": {"pipelines"},
    "omegaconf": {"pipelines"},
    "mlflow": {"tracking"},
    "keras": {"models.networks", "training", "tracking.runs", "pipelines.bench_jobs"},
    "tensorflow": {"training", "pipelines.bench_jobs"},
    "jax": {"training"},
    "matplotlib": {"report"},
    "jinja2": {"report"},
    "statsmodels": {"models.baselines", "evaluation"},
    "sklearn": {"models.baselines", "evaluation"},
    "scipy": {"models.baselines", "evaluation"},
    "pyarrow": {"data"},
    "requests": {"data.sources"},
    "yaml": {"data.sources"},
    "rich": {"training.progress", "pipelines"},
}


def modules():
    for root, prefix in ((PACKAGE, ""), (ROOT / "pipelines", "pipelines.")):
        for path in sorted(root.rglob("*.py")):
            name = prefix + ".".join(path.relative_to(root).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def under(name, places):
    return any(name == place or name.startswith(f"{place}.") for place in places)


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda v: v if isinstance(v, str) else "")
def test_imports_keep_to_the_layers(name, path):
    room = name.split(".")[0]
    for imported in imports(path):
        library = imported.split(".")[0]
        if library in LIBRARIES:
            assert under(name, LIBRARIES[library]), f"{name} imports {library}"
        if library == "lookback" and room in ROOMS:
            inside = imported.removeprefix("lookback").lstrip(".")
            assert under(inside, ROOMS[room] | {room}), f"{name} imports {imported}"


def test_every_room_has_its_rule():
    assert {p.stem for p in PACKAGE.iterdir() if not p.name.startswith("__")} == set(ROOMS)


def test_importing_everything_but_models_and_training_imports_no_heavy_library():
    code = (
        "import sys, lookback.settings, lookback.tasks, lookback.evaluation.metrics, lookback.report.table, "
        "lookback.training.device, lookback.tracking.registry, lookback.tracking.sweeps, lookback.tracking.log, "
        "lookback.experiment.key, lookback.experiment.fit, "
        "lookback.evaluation.significance, lookback.evaluation.intervals, lookback.models.baselines, "
        "lookback.report.page; "
        "heavy = ('tensorflow', 'keras', 'mlflow', 'matplotlib', 'sklearn', 'statsmodels', 'scipy'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )

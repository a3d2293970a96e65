"""Who may import whom (docs/architecture.md), read from the sources."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "src/lookback"
SAMPLES = {"data.samples", "data.dataset", "data.sampling"}
ROOMS = {  # room -> rooms of the package that it may import, itself aside
    "errors": set(),
    "locks": set(),
    "paths": set(),
    "wording": set(),
    "report": set(),
    "evaluation": {"errors"},
    "settings": {"errors"},
    "data": {"settings", "errors", "locks", "wording"},
    "models": {"settings", "evaluation.predictions", "errors"} | SAMPLES,
    "training": {"settings", "evaluation.predictions", "errors"} | SAMPLES,
    "problems": {"settings", "data", "models", "evaluation", "report", "errors", "wording"},
    "configuration": {"settings", "data", "models.catalogue", "problems", "evaluation", "errors", "paths", "wording"},
    "tracking": {"settings", "configuration", "errors", "locks"},
    "comparison": {"tracking", "evaluation", "report", "errors", "wording"},
    "experiment": {
        "settings", "configuration", "data", "models", "training", "problems", "evaluation", "tracking", "comparison",
        "report", "errors", "paths", "wording",
    },
    "inference": {
        "settings", "configuration", "data", "problems.longer", "models", "training", "experiment", "comparison",
        "tracking", "report", "errors", "wording",
    },
    "upkeep": {"paths",
        "settings", "configuration", "tracking", "data", "problems", "experiment", "training", "errors", "locks",
        "wording",
    },
    "console": {"settings", "errors", "paths"},
    "api": {"configuration", "experiment", "comparison", "inference", "tracking", "errors", "paths"},
}  # fmt: skip
LIBRARIES = {  # library -> the only places that may import it
    "hydra": {"pipelines", "configuration", "benchmarks"},
    "omegaconf": {"pipelines", "configuration"},
    "mlflow": {"tracking", "experiment.pyfunc_model", "inference.served"},
    "psycopg2": {"tracking"},
    "keras": {"models.networks", "training", "experiment.model", "benchmarks"},
    "tensorflow": {"training.tensorflow", "benchmarks"},
    "jax": set(),
    "matplotlib": {"report", "problems"},  # problems: for the type of a figure
    "jinja2": {"report"},
    "statsmodels": {"models.baselines", "evaluation", "inference"},
    "sklearn": {"models.baselines", "evaluation"},
    "scipy": {"models.baselines", "evaluation"},
    "pyarrow": {"data"},
    "requests": {"data.sources"},
    "yaml": {"data.sources", "inference.exporting"},
    "onnxruntime": {"models.networks.interchange"},
    "rich": {"training.progress", "inference", "benchmarks"},
}


def modules():
    for root, prefix in ((PACKAGE, ""), (ROOT / "pipelines", "pipelines."), (ROOT / "benchmarks", "benchmarks.")):
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


def test_no_circle_leads_from_room_to_room():
    left = {room: {name.split(".")[0] for name in may} for room, may in ROOMS.items()}
    while free := [room for room, may in left.items() if not may & left.keys()]:
        for room in free:
            del left[room]
    assert not left, f"these import each other: {sorted(left)}"


def test_files_stay_short():
    long = {p: n for p in PACKAGE.rglob("*.py") if (n := len(p.read_text().splitlines())) > 300}
    assert not long
    long = {p: n for p in (ROOT / "pipelines").glob("*.py") if (n := len(p.read_text().splitlines())) > 40}
    assert not long


def test_every_room_has_its_rule():
    assert {p.stem for p in PACKAGE.iterdir() if p.suffix != ".bash" and not p.name.startswith("__")} == set(ROOMS)


def test_importing_everything_but_models_and_training_imports_no_heavy_library():
    code = (
        "import sys, lookback.settings, lookback.problems, lookback.evaluation.metrics, lookback.report.table, "
        "lookback.training.device, lookback.tracking.registry, lookback.tracking.sweep_runs, lookback.tracking.log, "
        "lookback.experiment.key, lookback.experiment.trial, lookback.experiment.grid, lookback.models.catalogue, "
        "lookback.comparison, lookback.configuration.compose, "
        "lookback.evaluation.significance, lookback.evaluation.intervals, lookback.models.baselines, "
        "lookback.report.page; "
        "heavy = ('tensorflow', 'keras', 'mlflow', 'matplotlib', 'sklearn', 'statsmodels', 'scipy'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )

"""`import lookback`: the notebook in docs/, and what a notebook may get wrong."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from conftest import ROOT, clean_environment

import lookback
from lookback.errors import LookbackError

NOTEBOOK = json.loads((ROOT / "docs/python.ipynb").read_text())
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
BESIDE_IT = """
import os, shutil
shutil.copytree({examples!r}, "docs/examples")
os.chdir("docs")
"""


@pytest.fixture
def in_python(house, forking):
    """Runs code as a notebook beside the house's `conf/` would."""

    def run(code):
        (house / "notebook.py").write_text(code)
        return forking.run(["notebook.py"], house, clean_environment(house))

    return run


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_the_notebook_runs_and_the_command_line_finds_its_trials(house, cli, in_python):
    cells = "\n".join(f"exec(compile({cell!r}, 'cell {i}', 'exec'), globals())" for i, cell in enumerate(CODE, 1))
    done = in_python(BESIDE_IT.format(examples=str(ROOT / "docs/examples")) + cells)
    assert done.returncode == 0, done.stderr
    assert "airline: " in done.stdout and "the lowest loss" in done.stdout and "load: " in done.stdout
    again = cli("task=airline", "model=linear")
    assert "known" in again.stdout, again.stdout
    frames = list((house / ".lookback/frames").glob("*/frame.csv"))
    assert len(frames) == 1 and pd.read_csv(frames[0]).columns[0] == "time"


@pytest.mark.usefixtures("stocked")
def test_a_comparison_is_that_of_the_pipeline(in_python):
    code = """
import lookback, pandas as pd
from pathlib import Path
found = lookback.compare(task="airline", models=["naive", "drift", "linear"])
assert list(found.table["model"])[0] == found.best == "linear" and found.failed == {}
assert found.verdict.startswith("no network. airline: linear has the lowest loss"), found.verdict
assert found.report.is_file() and found.report.parent.name == found.sweep
html = found._repr_html_()
assert found.verdict in html and html.count("<tr") == 4 and "NaN" not in html, html
run = lookback.train(task="airline", model="linear")
assert run.name == "airline/linear" and run.scores["test/mae"] == found.table["mae"][0], run
assert len(run.predictions) and set(run.predictions["split"]) == {"val", "test"}
frame = pd.read_csv("data/airline.csv")
model = lookback.load(run.run_id, final=False)
assert repr(model) == "airline/linear, fitted on train+val: 91 samples", model
told = run.predictions[run.predictions["split"] == "test"]["forecast"].tolist()
assert model.predict(frame, rolling=True)["forecast"].tolist()[-29:-1] == told
assert model.promote() == "airline@champion"
assert lookback.load("airline@champion").predict(frame).equals(model.predict(frame))
"""
    done = in_python(code)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_a_tuple_tries_each_of_its_values(in_python):
    code = """
import lookback
several = lookback.compare(task="airline", models=["linear", "lad"], model__harmonics=(0, 2))
assert set(several.table["model"]) == {"linear", "lad harmonics=0", "lad harmonics=2"}
"""
    done = in_python(code)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.slow  # as a sweep of the command line, in the fast tests
@pytest.mark.usefixtures("stocked")
def test_a_trial_that_fails_is_told_and_the_others_are_compared(in_python):
    code = """
import lookback
from lookback.models import catalogue
from dataclasses import replace
def broken(data, **numbers): raise RuntimeError("no luck today")
catalogue.entries()["drift"] = replace(catalogue.entry("drift"), build=broken)
found = lookback.compare(task="airline", models=["naive", "drift"])
assert found.failed == {"airline/drift": "no luck today"} and list(found.table["model"]) == ["naive"]
try:
    lookback.compare(task="airline", models=["drift"])
except lookback.LookbackError as e:
    print(e)
"""
    done = in_python(code)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "error[SWEEP-FAILED] no trial of " in done.stdout and "no luck today" in done.stdout


MISTAKES = {
    "no target": (lambda: lookback.compare("x.csv"), r"CONFIG-KEY\] target is missing"),
    "no file": (lambda: lookback.compare("nothere.csv", target="y"), r"FILE-MISSING\] .*nothere.csv"),
    "no column": (
        lambda: lookback.compare(pd.DataFrame({"a": [1.0, 2.0]}), target="b"),
        r"CSV-COLUMN\] .*no column 'b'",
    ),
    "unknown setting": (lambda: lookback.compare(task__horizn=3), "unknown key 'task.horizn'; did you mean 'horizon'"),
    "unknown model": (lambda: lookback.compare(models=["lstmm"]), "model: got 'lstmm'; did you mean 'lstm'"),
    "several in one trial": (lambda: lookback.train(model__units=(1, 2)), r"CONFIG-SWEEP\] model.units: several"),
    "smoke": (lambda: lookback.compare(models=["naive"], training="smoke"), "smoke runs are never compared"),
    "several tasks": (lambda: lookback.compare(task=("airline", "weather"), models=["naive"]), "task: got several"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(name, monkeypatch, tmp_path):
    from lookback import api

    monkeypatch.setattr(api, "FRAMES", tmp_path)
    call, pattern = MISTAKES[name]
    with pytest.raises(LookbackError, match=pattern) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_values_are_typed_as_hydra_reads_them():
    from lookback.api import _word
    from lookback.configuration import compose

    for value in ("a, b", "it's", "$[{", "2020-01-01", "", "null"):
        assert compose.plain(compose.composed([f"task.name={_word(value)}"]))["task"]["name"] == value
    words = {"task.metrics": ["mae", "rmse"], "tracking.uri": None, "force": True, "training.learning_rate": 1e-3}
    raw = compose.plain(compose.composed([f"{key}={_word(value)}" for key, value in words.items()]))
    assert raw["task"]["metrics"] == ["mae", "rmse"] and raw["tracking"]["uri"] is None
    assert raw["force"] is True and raw["training"]["learning_rate"] == 1e-3


def test_importing_it_imports_nothing_heavy():
    code = "import lookback, sys; print([m for m in ('pandas', 'hydra', 'mlflow', 'keras') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert all(getattr(lookback, name) for name in lookback.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lookback.nothing

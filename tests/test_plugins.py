"""Models and metrics of one's own, from files that the user names."""

import json
import re
import shutil

import pytest
from conftest import ROOT, settings

from lookback.configuration import compose
from lookback.errors import ConfigError, DataError
from lookback.experiment.key import trial_key
from lookback.tracking import runs, store

EXAMPLES = ROOT / "docs/examples"


@pytest.fixture
def mine(tmp_path):
    shutil.copytree(EXAMPLES, tmp_path / "mine")
    return tmp_path / "mine/my_models.py"


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_a_network_of_ones_own_runs_in_a_sweep_of_several_processes(cli, mine):
    words = [f"plugins=[{mine}]", "training.epochs=2", "hydra/launcher=joblib"]
    done = cli("-m", "task=airline", "model=naive,median,conv", "seed=0", *words)
    assert done.returncode == 0 and re.search(r"^  conv +\d", done.stdout, re.M), done.stdout + done.stderr


@pytest.mark.usefixtures("stocked")
def test_a_baseline_and_a_metric_of_ones_own_run_in_a_sweep(cli, house, mine):
    words = [f"plugins=[{mine}]", "task.metrics=[quantile,mae]"]
    done = cli("-m", "task=airline", "model=naive,median", *words)
    assert done.returncode == 0, done.stderr
    assert "quantile" in done.stdout
    assert re.search(r"^  median +\d", done.stdout, re.M)
    again = cli(pipeline="compare")  # which knows nothing of the file
    assert again.returncode == 0 and again.stdout.strip() in done.stdout, again.stderr
    known = cli("task=airline", "model=median", *words)
    assert "known" in known.stdout
    mine.write_text(mine.read_text() + "\n# another version\n")
    assert "trained" in cli("task=airline", "model=median", *words).stdout, "the file is part of the key"
    opened = store.open_store(f"sqlite:///{house}/mlflow.db", house)
    with pytest.raises(DataError, match=r"RUN-PLUGIN.*name the files yourself"):
        runs.settings(opened, runs.ranked(opened, "airline")[0])


def test_the_key_of_everybody_else_stays(own_registry, mine):
    plain = settings("task=airline", "model=linear")
    named = plain.model_copy(update={"plugins": (str(mine),)})
    assert trial_key(plain, "d", "cpu", "") != trial_key(named, "d", "cpu", "")
    assert plain.plugins == ()


def test_a_model_without_its_yaml_is_told_where_to_write_it(own_registry, mine):
    shutil.rmtree(mine.parent / "model")
    with pytest.raises(ConfigError, match=r"PLUGIN-SETTINGS\] model median has no YAML; write model/median.yaml"):
        compose.composed([f"plugins=[{mine}]", "model=median"])


def test_its_numbers_are_checked_like_any(own_registry, mine):
    with pytest.raises(ConfigError, match=r"model.rows: got 0, allowed: .*greater than or equal to 1"):
        compose.settings(compose.composed([f"plugins=[{mine}]", "model=median", "model.rows=0"]))
    with pytest.raises(ConfigError, match="model median makes no sense on task text"):
        compose.settings(compose.composed([f"plugins=[{mine}]", "model=median", "task=text"]))


BROKEN = {
    "a name that is taken": ("import lookback\nfrom lookback.settings.base import Numbers\n"
        "@lookback.baseline('naive', Numbers, problems=['forecast'])\ndef naive(data): ...\n",
        r"MODEL-TWICE\] model naive: there is one of this name"),
    "a metric that is there": ("import lookback\n@lookback.metric('mae', 'MAE', problems=['forecast'])\n"
        "def mae(truth, prediction, scale): ...\n", r"METRIC-TWICE\] metric mae"),
    "a metric of the intervals": ("import lookback\n@lookback.metric('pinball', 'x', problems=['forecast'])\n"
        "def mae(truth, prediction, scale): ...\n", r"METRIC-TWICE\] metric pinball"),
    "an error in it": ("1 / 0\n", r"PLUGIN-FILE\] plugins: .*x.py: ZeroDivisionError: division by zero"),
    "no Python": ("def\n", r"PLUGIN-FILE\] plugins: .*x.py: SyntaxError"),
    "a kind of problem that is none": ("import lookback\nfrom lookback.settings.base import Numbers\n"
        "@lookback.baseline('x', Numbers, problems=['forcast'])\ndef naive(data): ...\n",
        r"PLUGIN-PROBLEM\] plugins: .*x.py: no kind of problem is called 'forcast'; did you mean 'forecast'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_line(name, own_registry, tmp_path):
    text, pattern = BROKEN[name]
    (tmp_path / "x.py").write_text(text)
    with pytest.raises(ConfigError, match=pattern) as caught:
        compose.composed([f"plugins=[{tmp_path}/x.py]"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["nothere.py", "[nothere.py]", "[1]", "null"])
def test_no_such_file(value):
    with pytest.raises(ConfigError, match=r"plugins(: got|: nothere.py: no such Python file|.0: got 1)"):
        compose.settings(compose.composed([f"plugins={value}"]))


def test_the_example_is_the_documented_one():
    """The README and docs/architecture.md name it."""
    assert "docs/examples/my_models.py" in (ROOT / "README.md").read_text()
    notebook = json.loads((ROOT / "docs/python.ipynb").read_text())
    assert any("examples/my_models.py" in "".join(cell["source"]) for cell in notebook["cells"])

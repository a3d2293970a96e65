"""The command `lookback`: from a checkout, and installed without one in another folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, clean_environment


def run(command, folder, **environment):
    known = {k: v for k, v in clean_environment().items() if k != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, env=known | environment, capture_output=True, text=True, timeout=500)


def console(*arguments, folder=ROOT):
    code = "import sys; from lookback import console; sys.argv[0] = 'lookback'; console.main()"
    return run([sys.executable, "-c", code, *arguments], folder, PYTHONPATH=str(ROOT / "src"))


def test_every_pipeline_is_a_command_and_another_name_is_refused(tmp_path):
    told = console("--help").stdout
    listed = re.findall(r"^  (\w+) +[A-Z]", told, re.MULTILINE)
    assert listed == [*sorted(p.stem for p in (ROOT / "pipelines").glob("*.py")), "completion"]
    assert console().stdout == told
    wrong = console("trian")
    assert (
        wrong.returncode == 64 and wrong.stderr == "error[CONFIG-NAME] lookback: got 'trian'; did you mean 'train'?\n"
    )
    assert "python" not in told and console("../pipelines/train").returncode == 64
    done = console("train", "task=airlin", folder=tmp_path)
    assert done.returncode == 64 and "did you mean 'airline'" in done.stderr and not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of what `pip install .` puts into an environment."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    copy = folder / "source"
    names = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    done = run([*pip, "--target", str(folder / "there"), str(copy)], folder)
    assert done.returncode == 0, done.stderr
    return folder / "there"


@pytest.fixture
def lookback(installed, tmp_path):
    def command(*arguments):
        path = f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return run([str(installed / "bin/lookback"), *arguments], tmp_path, PYTHONPATH=str(installed), PATH=path)

    return command


@pytest.mark.slow
def test_installed_it_trains_promotes_and_predicts_in_a_folder_of_ones_own(lookback, installed, tmp_path):
    assert (installed / "lookback/shipped/pipelines/hydra_plugins/grid.py").exists()
    (tmp_path / "conf/task").mkdir(parents=True)
    own = (ROOT / "conf/task/airline.yaml").read_text().replace("name: airline", "name: mine")
    (tmp_path / "conf/task/mine.yaml").write_text(own)
    done = lookback("train", "--config-dir", "conf", "-m", "task=mine", "model=naive,linear")
    assert done.returncode == 0 and "mine: linear has the lowest loss" in done.stdout, done.stderr
    done = lookback("promote", "task=mine")
    assert done.returncode == 0 and "mine@champion: version 1" in done.stdout, done.stderr
    done = lookback("predict", "run=mine@champion", "out=next.csv")
    assert done.returncode == 0 and (tmp_path / "next.csv").exists(), done.stderr
    done = lookback("train", "task=weather", "model=climatology")
    assert done.returncode == 0 and "trained  weather/climatology" in done.stdout, done.stderr
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"conf", "next.csv", "reports", "mlflow.db", "mlflow.db.locks", "mlartifacts"}


@pytest.mark.slow
def test_installed_bash_completes_commands_and_settings(lookback, installed, tmp_path):
    script = tmp_path / "complete.sh"
    script.write_text(
        'eval "$(lookback completion)"\ncompopt() { :; }\n'
        'COMP_LINE="$1"; COMP_POINT=${#1}; read -ra COMP_WORDS <<< "${1//=/ = }"\n'
        'COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _lookback; echo "${COMPREPLY[*]}"\n'
    )
    path = f"{installed / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for typed, completed in (
        ("lookback tr", "train"),
        ("lookback train task=weat", "weather"),
        ("lookback train model.un", "model.units="),
    ):
        done = run(["bash", str(script), typed], tmp_path, PYTHONPATH=str(installed), PATH=path)
        assert done.stdout.strip() == completed, (typed, done)

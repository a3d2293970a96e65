"""The pipelines as a user runs them: real processes, real kills."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from conftest import ROOT, clean_environment, new_files, some

from lookback.tracking import registry, store, sweep_runs

WITNESS = """
import atexit, sys
atexit.register(lambda: print("HEAVY", [m for m in ("tensorflow", "keras") if m in sys.modules], file=sys.stderr))
"""


@pytest.fixture
def witness(house):
    """A folder for PYTHONPATH whose sitecustomize tells at exit what was imported."""
    folder = house / "witness"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITNESS)
    return str(folder)


LIGHT = {  # arguments -> exit code, pattern of stdout or stderr
    "help": (["--help"], 0, "Settings"),
    "cfg": (["--cfg", "job"], 0, "lookback: 25"),
    "65 unknown key": (["task.windw=5"], 64, r"^error\[CONFIG-KEY\] unknown key 'task.windw'; there is: .*lookback.*$"),
    "65 unknown key at the top": (["sede=5"], 64, "unknown key 'sede'; did you mean 'seed'"),
    "66 wrong type": (["task.lookback=abc"], 64, r"task.lookback: got 'abc', allowed: valid integer"),
    "65 a group misspelt": (["modle.units=5"], 64, "unknown key 'modle.units'; did you mean 'model'"),
    "65 below a key without keys": (["seed.units=5"], 64, "unknown key 'seed.units'; seed has no keys below it"),
    "74 unknown model": (["model=lstmm"], 64, r"^error\[CONFIG-NAME\] model: got 'lstmm'; did you mean 'lstm'"),
    "74 unknown task": (["task=airlin"], 64, "task: got 'airlin'; did you mean 'airline'"),
    "75 list without -m": (["seed=0,1,2"], 64, r"^error\[CONFIG-SWEEP\] seed=0,1,2: several values; add -m"),
    "76 empty sweep": (["-m", "seed=range(0,0)"], 64, r"^error\[SWEEP-EMPTY\] seed: the sweep holds no value"),
    "76 no pair left": (["-m", "task=airline", "model=ngram"], 64, r"SWEEP-EMPTY"),
    "78 too many": (
        ["-m", "model=lstm", "task=airline", "seed=range(0,1200)"],
        64,
        r"SWEEP-SIZE.*more than 1,000 trials",
    ),
    "79 unset variable": (
        ["training.learning_rate=${oc.env:NOT_SET}"],
        64,
        "training.learning_rate: .*'NOT_SET' not found",
    ),
    "79 cycle": (["seed=${seed}"], 64, r"^error\[CONFIG"),
    "80 target": (["+model._target_=os.system"], 64, "CONFIG-CODE.*model._target_"),
    "81 equals sign": (
        ["task.path=/d/a=1.csv"],
        64,
        r"cannot read task.path=/d/a=1.csv; quote the value: \"task.path='/d/a=1.csv'\"",
    ),
    "94 no gpu": (["device=gpu"], 69, "DEVICE-GPU.*finds no GPU"),
    "95 tpu": (["device=tpu"], 69, "DEVICE-TPU.*needs the JAX backend"),
    "a wrong point of a sweep stops it before it starts": (["-m", "seed=0,-1", "task=airline"], 64, "seed: got -1"),
    "pair": (["model=ngram"], 64, "model ngram makes no sense on task airline"),
    "1 file": (["task.path=data/airlin.csv"], 66, "FILE-MISSING.*did you mean .*airline.csv"),
    "4 column": (["task.target=pasengers"], 65, "CSV-COLUMN.*airline.csv:1: no column 'pasengers'.*set task.target"),
    "60 too short": (["task.lookback=120"], 65, "SPLIT-EMPTY"),
}


# One of a kind; all that is refused is in the slow tests, and, in one process, in test_one_line and test_config.
QUICK = ("help", "65 unknown key", "66 wrong type", "75 list without -m", "78 too many", "94 no gpu", "1 file",
         "4 column")  # fmt: skip


@pytest.mark.parametrize("name", some(LIGHT, QUICK))
def test_help_and_mistakes_answer_without_tensorflow_and_leave_nothing(name, cli, house, witness):
    arguments, code, pattern = LIGHT[name]
    if (
        name.startswith("94")
        and list(os.scandir("/dev"))
        and any(e.name.startswith("nvidia") for e in os.scandir("/dev"))
    ):
        pytest.skip("this machine has a GPU")
    done = cli(*arguments, PYTHONPATH=witness)
    told = done.stderr.replace("HEAVY []\n", "")
    assert "HEAVY []" in done.stderr, done.stderr
    assert done.returncode == code, done.stderr
    assert re.search(pattern, told if code else done.stdout, re.M), done.stdout + done.stderr
    if code:
        assert len(told.strip().splitlines()) == 1, told
        assert "Traceback" not in told
        left = {f for f in new_files(house) if not f.startswith(("witness", ".lookback"))}
        assert not left, left


def finished(house, experiment="airline"):
    opened = store.open_store(f"sqlite:///{house}/mlflow.db", house)
    return Counter(
        run.data.tags["trial_key"]
        for run in registry.runs(opened, opened.experiment(experiment))
        if run.info.status == "FINISHED" and "trial_key" in run.data.tags  # comparisons are runs as well
    )


SWEEP = ["-m", "task=airline", "model=naive,linear,dense", "seed=0", "training.epochs=3", "training.compiler=graph"]


@pytest.mark.usefixtures("stocked")
def test_a_sweep_compares_and_the_same_command_finds_everything_known(cli, house):
    first = cli(*SWEEP)
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("trained  ") == 3
    assert re.search(r"airline: \w+ has the lowest loss, MAE", first.stdout)
    assert {"index.html", "comparison.md", "comparison.csv", "airline.png"} == {
        p.name for p in (house / "reports/latest").iterdir()
    }
    opened = store.open_store(f"sqlite:///{house}/mlflow.db", house)
    sweep = sweep_runs.find(opened, None)
    assert "index.html" in {file.path for file in opened.client.list_artifacts(sweep.run_id)}
    again = cli(*SWEEP)
    assert again.stdout.count("known  ") == 3 and "trained  " not in again.stdout
    assert set(finished(house).values()) == {1} and len(finished(house)) == 3
    tables = [re.findall(r"^  (\w+) +[\d.]+", out, re.M) for out in (first.stdout, again.stdout)]
    assert tables[0] == tables[1]
    compared = cli(f"sweep={sweep.name}", pipeline="compare")
    assert compared.returncode == 0 and "has the lowest loss, MAE" in compared.stdout
    text = (house / "reports/latest/comparison.md").read_text()
    assert "| naive |" in text and "## Skill" in text


@pytest.mark.usefixtures("stocked")
def test_compare_without_a_sweep_says_so(cli):
    done = cli(pipeline="compare")
    assert done.returncode == 66 and "SWEEP-MISSING" in done.stderr and "make train" in done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_baselines_run_once_whatever_the_seeds_and_odd_pairs_are_skipped_with_a_line(cli, house):
    done = cli("-m", "task=airline", "model=naive,ngram", "seed=0,1,2")
    assert done.returncode == 0, done.stderr
    assert "skipped  airline/ngram: ngram makes no sense on this task" in done.stdout
    assert done.stdout.count("trained  airline/naive") == 1
    twice = cli("-m", "--cfg", "job", "task=airline", "model=naive,naive")
    assert "warning: model names a value more than once" in twice.stdout and twice.stdout.count("known  ") == 1


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_a_batch_larger_than_the_data_is_told(cli):
    done = cli("task=airline", "model=dense", "training.batch_size=500", "training.epochs=2")
    assert done.returncode == 0
    assert "training.batch_size=500 is more than the 75 training samples; every epoch is one step" in done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_smoke_runs_are_marked_and_never_compared(cli, house):
    done = cli("-m", "task=airline", "model=naive,dense", "seed=0", "training=smoke")
    assert done.returncode == 0 and "nothing to compare" in done.stdout
    assert cli(pipeline="compare").returncode == 66


@pytest.mark.usefixtures("stocked")
def test_a_failing_trial_fails_alone_and_is_told_at_the_end(cli, house):
    done = cli("-m", "task=weather", "model=naive,log_linear")  # degrees below 0 have no logarithm
    assert done.returncode == 1 and "trained  weather/naive" in done.stdout
    assert "1 of 2 trials failed" in done.stderr and "error[MODEL-DATA] weather/log_linear" in done.stderr
    assert "Traceback" not in done.stderr and "weather: naive has the lowest loss" in done.stdout


@pytest.mark.usefixtures("stocked")
def test_a_crash_inside_a_trial_leaves_a_failed_run_with_its_traceback(cli, house):
    (house / "src").unlink()
    shutil.copytree(ROOT / "src", house / "src", ignore=shutil.ignore_patterns("__pycache__"))
    module = house / "src/lookback/experiment/trial.py"
    broken = '    if settings.model.name == "drift":\n        raise RuntimeError("boom")\n    """The work of a trial;'
    module.write_text(module.read_text().replace('    """The work of a trial;', broken))
    done = cli("-m", "task=airline", "model=naive,drift")
    assert done.returncode == 1
    assert done.stdout.count("trained  ") == 1 and "failed  airline/drift" in done.stdout
    assert "1 of 2 trials failed" in done.stderr and "airline/drift: boom" in done.stderr
    opened = store.open_store(f"sqlite:///{house}/mlflow.db", house)
    runs = registry.runs(opened, opened.experiment("airline"))
    trials = [r for r in runs if "trial_key" in r.data.tags]
    assert Counter(r.info.status for r in trials) == {"FINISHED": 1, "FAILED": 1}
    above = {r.data.tags.get("mlflow.parentRunId") for r in trials if r.info.status == "FINISHED"}
    assert above == {r.info.run_id for r in runs if r.data.tags.get("kind") == "comparison"}
    failed = next(r for r in runs if r.info.status == "FAILED")
    text = opened.client.download_artifacts(failed.info.run_id, "traceback.txt", str(house))
    assert "RuntimeError: boom" in open(text).read()  # noqa: PTH123, SIM115


@pytest.mark.slow
def test_both_launchers_give_the_same_scores(cli, house):
    arguments = ["-m", "task=airline", "model=dense,gru", "seed=0", "training.epochs=3"]
    lines = []
    for launcher in ("basic", "joblib"):
        shutil.rmtree(house / "mlartifacts", ignore_errors=True)
        (house / "mlflow.db").unlink(missing_ok=True)
        done = cli(*arguments, f"hydra/launcher={launcher}")
        assert done.returncode == 0, done.stderr
        lines.append(sorted(re.findall(r"trained +(\S+ seed 0 +test MAE [\d.]+)", done.stdout)))
    assert lines[0] == lines[1] and len(lines[0]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_sweep_killed_at_any_moment_is_finished_by_the_same_command(house, launcher):
    command = [sys.executable, "pipelines/train.py", *SWEEP, f"hydra/launcher={launcher}"]
    luck = random.Random(7)
    for _ in range(3):
        process = subprocess.Popen(
            command,
            cwd=house,
            env=clean_environment(house),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(luck.uniform(3, 14))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if (house / "mlflow.db").exists():
            assert all(count == 1 for count in finished(house).values())
    done = subprocess.run(command, cwd=house, env=clean_environment(house), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(finished(house).values()) == {1} and len(finished(house)) == 3
    opened = store.open_store(f"sqlite:///{house}/mlflow.db", house)
    statuses = Counter(r.info.status for r in registry.runs(opened, opened.experiment("airline")))
    assert statuses["RUNNING"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["thorough", "baselines"])
@pytest.mark.usefixtures("stocked")
def test_ready_made_sweeps_run(cli, name):
    done = cli(
        "-m", f"+sweep={name}", "task=airline", "training=smoke", *(["model=dense"] if name == "thorough" else [])
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trained  ") == {"thorough": 5, "baselines": 10}[name]

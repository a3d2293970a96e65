"""The store, the registry and what a run holds, with the real MLflow on a real SQLite file."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import clean_environment, settings

from lookback.errors import DataError, Unavailable
from lookback.experiment import trial
from lookback.experiment.key import trial_key
from lookback.tracking import log, registry, store, sweep_runs

NEW = """
import sys, lookback.tracking.store as store
from pathlib import Path
opened = store.open_store(None, Path(sys.argv[1]))
opened.client.create_run(opened.experiment("race"))
"""


@pytest.mark.slow
def test_eight_processes_starting_at_once_on_a_fresh_store_all_succeed(tmp_path):
    command = [sys.executable, "-c", NEW, str(tmp_path)]
    started = [subprocess.Popen(command, env=clean_environment(), stderr=subprocess.PIPE, text=True) for _ in range(8)]
    errors = [process.communicate(timeout=240)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 8, errors
    opened = store.open_store(None, tmp_path)
    assert len(registry.runs(opened, opened.experiment("race"))) == 8
    assert not list(tmp_path.glob("*.new"))


def test_a_store_half_made_by_a_killed_process_is_made_anew(tmp_path):
    (tmp_path / "mlflow.db.new").write_bytes(b"half")
    opened = store.open_store(None, tmp_path)
    assert opened.experiment("x") and (tmp_path / "mlflow.db").exists()


@pytest.fixture(scope="module")
def opened(tmp_path_factory, open_stores):
    return open_stores(tmp_path_factory.mktemp("store"))


def begin(opened, key, status=None):
    run = opened.client.create_run(opened.experiment("registry"), tags={"trial_key": key})
    if status:
        opened.client.set_terminated(run.info.run_id, status)
    return run.info.run_id


def status(opened, run_id):
    return opened.client.get_run(run_id).info.status


def test_a_run_of_a_dead_process_is_killed_and_its_trial_is_free(opened):
    dead = begin(opened, "a")
    with registry.claim(opened, opened.experiment("registry"), "a") as finished:
        assert finished is None
    assert status(opened, dead) == "KILLED"


def test_a_finished_run_is_found_and_a_failed_one_is_not(opened):
    begin(opened, "b", "FAILED")
    done = begin(opened, "b", "FINISHED")
    with registry.claim(opened, opened.experiment("registry"), "b") as finished:
        assert finished == done


def test_a_new_finished_run_takes_the_place_of_the_old(opened):
    experiment = opened.experiment("registry")
    begin(opened, "c", "FINISHED")
    begin(opened, "c", "FINISHED")
    new = begin(opened, "c")
    registry.finish(opened, experiment, "c", new)
    found = [r.info.run_id for r in registry.runs(opened, experiment, "c") if r.info.status == "FINISHED"]
    assert found == [new]


def test_a_claim_waits_for_the_process_that_holds_it(opened, tmp_path):
    code = (
        "import sys, time, fcntl; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); "
        "print('held', flush=True); time.sleep(2)"
    )
    path = opened.lock_file("trial-d")
    path.parent.mkdir(exist_ok=True)
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with registry.claim(opened, opened.experiment("registry"), "d"):
        assert holder.wait(timeout=0.5) == 0  # it let go before we got in


def test_a_deleted_experiment_comes_back(opened):
    number = opened.experiment("gone")
    opened.client.delete_experiment(number)
    assert opened.experiment("gone") == number


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("http://127.0.0.1:9", "TRACKING-SERVER"),
        ("file:./mlruns", "TRACKING-URI"),
        ("sqlite:////no/such/x.db", "TRACKING-URI"),
    ],
)
def test_a_store_that_cannot_be_had_is_refused_in_seconds(uri, code, tmp_path):
    with pytest.raises(Unavailable, match=code):
        store.open_store(uri, tmp_path)


def test_tables_are_read_back_with_the_types_that_they_had(opened):
    frame = pd.DataFrame(
        {
            "truth": ["01", "1", "NA", "", "nan"],
            "guess": ["1", "1", "NA", "NA", "null"],
            "time": pd.date_range("2020-01-01", periods=5),
            "loss": [0.1, np.nan, 1e-300, 2.0, 3.0],
            "step": [1, 2, 3, 4, 5],
            "known": [True, False, True, True, False],
        }
    )
    run = log.Run(opened, opened.experiment("tables"), "r", {}, {})
    run.table(frame, "predictions")
    found = sweep_runs.table(opened, run.id, "predictions")
    pd.testing.assert_frame_equal(found, frame)
    assert (found["truth"] == found.guess).tolist() == [False, True, True, False, False], "01 and 1 are two classes"
    assert {"predictions.csv", "predictions.parquet"} == {f.path for f in opened.client.list_artifacts(run.id)}
    assert sweep_runs.table(opened, run.id, "by_step").empty
    old = log.Run(opened, opened.experiment("tables"), "old", {}, {})
    old.text("split,truth\ntest,1\n", "predictions.csv")
    with pytest.raises(DataError, match=r"RUN-OLD\] run \w+: of another version of Lookback; run the same sweep again"):
        sweep_runs.predictions(opened, old.id)


def key(*overrides, digest="d", device="cpu", flags="f"):
    return trial_key(settings(*overrides), digest, device, flags)


@pytest.mark.parametrize(
    "overrides",
    [
        ["seed=1"],
        ["model.units=9"],
        ["training.epochs=9"],
        ["task.lookback=30"],
        ["task.loss=mse"],
        ["threads=3"],
        ["training=smoke"],
    ],
    ids=str,
)
def test_what_can_change_a_result_changes_the_key(overrides):
    assert key("model=lstm", *overrides) != key("model=lstm")


@pytest.mark.parametrize("changed", [{"digest": "e"}, {"device": "gpu"}, {"flags": "g"}], ids=str)
def test_so_do_the_data_the_device_and_the_flags(changed):
    assert key("model=lstm", **changed) != key("model=lstm")


@pytest.mark.parametrize(
    "overrides",
    [
        ["force=true"],
        ["tracking.uri=x"],
        ["tracking.sweep=x"],
        ["task.models=[naive,lstm]"],
        ["task.seeds=9"],
        ["task.unit=x"],
    ],
    ids=str,
)
def test_what_cannot_change_a_result_does_not_change_the_key(overrides):
    assert key("model=lstm", *overrides) == key("model=lstm")


def test_a_baseline_has_no_seed_and_nothing_of_training():
    assert key("model=linear", "seed=1", "training.epochs=3", "threads=3", device="gpu") == key("model=linear")
    assert key("model=linear", "model.alphas=[1]") != key("model=linear")
    assert key("model=linear", "training=smoke") != key("model=linear")


@pytest.mark.usefixtures("stocked")
def test_runs_read_back_with_the_real_client(house):
    uri = f"tracking.uri=sqlite:///{house}/mlflow.db"
    for model in ("dense", "linear"):
        settled = settings("task=airline", f"model={model}", "training.epochs=4", "training.compiler=graph", uri)
        assert trial.run(settled, house).status == "trained"
    opened = store.open_store(f"sqlite:///{house}/mlflow.db", house)
    runs = {r.data.tags["model"]: r for r in registry.runs(opened, opened.experiment("airline"))}
    network, baseline = runs["dense"], runs["linear"]
    for run in runs.values():
        assert run.info.status == "FINISHED"
        tags = run.data.tags
        assert {
            "task",
            "model",
            "seed",
            "trial_key",
            "sweep",
            "unit",
            "backend",
            "device",
            "git_commit",
            "data_digest",
        } <= set(tags)
        assert tags["task"] == "airline" and tags["unit"] == "thousand passengers" and len(tags["trial_key"]) == 64
        assert "task.path" not in run.data.params and "model.name" not in run.data.params
        for metric in ("mae", "rmse", "mase", "bias"):
            assert {f"val/{metric}", f"test/{metric}"} <= set(run.data.metrics)
        assert {"seconds", "parameters"} <= set(run.data.metrics)
        _check_artifacts(opened, run, house)
    assert network.data.tags["seed"] == "0" and baseline.data.tags["seed"] == "none"
    assert network.data.tags["backend"] == "tensorflow" and baseline.data.tags["backend"] == "numpy"
    for curve in ("loss", "val_loss"):
        assert [m.step for m in opened.client.get_metric_history(network.info.run_id, curve)] == [1, 2, 3, 4]
    _check_model(opened, network, house)


def _check_artifacts(opened, run, house):
    found = {a.path for a in opened.client.list_artifacts(run.info.run_id)}
    assert {"config.json", "predictions.csv", "prediction.png"} <= found
    folder = Path(opened.client.download_artifacts(run.info.run_id, "", str(house / "got" / run.info.run_id)))
    assert (folder / "prediction.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((folder / "config.json").read_text())["task"]["name"] == "airline"
    table = pd.read_csv(folder / "predictions.csv")
    assert table.groupby("split").size().to_dict() == {"val": 16, "test": 28}
    test = table[table["split"] == "test"]
    assert (test["forecast"] - test["truth"]).abs().mean() == pytest.approx(run.data.metrics["test/mae"], rel=1e-6)
    assert test["time"].iloc[0] == "1958-09-01"


def _check_model(opened, run, house):
    models = opened.client.search_logged_models([run.info.experiment_id])
    (model,) = (model for model in models if model.source_run_id == run.info.run_id)
    assert model.name == "airline-dense"
    files = [p for p in Path(model.artifact_location.removeprefix("file://")).rglob("*") if p.is_file()]
    assert not [p for p in files if "pickle" in p.name or p.suffix == ".pkl"]
    loaded = keras.saving.load_model(next(p for p in files if p.suffix == ".keras"))
    values = np.array([float(v.split(",")[1]) for v in (house / "data/airline.csv").read_text().split()[1:]])
    said = loaded.predict(values[-26:-1].reshape(1, 25, 1).astype("f4"), verbose=0)  # raw values in, raw values out
    folder = opened.client.download_artifacts(run.info.run_id, "predictions.csv", str(house))
    assert said[0, 0] == pytest.approx(pd.read_csv(folder)["forecast"].iloc[-1], rel=1e-4)


@pytest.mark.usefixtures("stocked")
def test_a_text_run_holds_what_the_model_writes(cli, house):
    assert cli("task=text", "model=unigram", "task.sample_length=500").returncode == 0
    opened = store.open_store(f"sqlite:///{house}/mlflow.db", house)
    (run,) = registry.runs(opened, opened.experiment("text"))
    assert {f"test/{m}" for m in ("nats", "bits", "perplexity", "accuracy")} <= set(run.data.metrics)
    sample = Path(opened.client.download_artifacts(run.info.run_id, "sample.txt", str(house))).read_text()
    prompt, written = sample.split("]\n", 1)
    assert len(prompt) == 1 + 64 and len(written) == 500
    table = pd.read_csv(opened.client.download_artifacts(run.info.run_id, "predictions.csv", str(house)))
    assert table[table["split"] == "test"]["nats"].mean() == pytest.approx(run.data.metrics["test/nats"], abs=1e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("stocked")
def test_force_trains_again_and_leaves_one_finished_run(cli, house):
    for arguments in ([], ["force=true"], []):
        done = cli("task=airline", "model=naive", *arguments)
        assert done.returncode == 0 and ("known" in done.stdout) == (arguments == [] and "trained" not in done.stdout)
    opened = store.open_store(f"sqlite:///{house}/mlflow.db", house)
    assert [r.info.status for r in registry.runs(opened, opened.experiment("airline"))] == ["FINISHED"]

"""A trained model as a folder for other programs."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import Silent, load, settings, some

from lookback.errors import DataError, Unavailable
from lookback.experiment.model import model_of
from lookback.models.networks import interchange

for library in ("onnx", "onnxruntime", "tf2onnx"):
    pytest.importorskip(library, reason=f"{library} is not installed: pip install 'lookback[onnx]'")

NETWORKS = [
    ("airline", "simple_rnn"), ("airline", "lstm"), ("airline", "gru"), ("airline", "dense"), ("weather", "lstm"),
    ("airline-year", "gru"), ("text", "bigram"), ("text", "lstm"), ("words", "gru"), ("sentiment", "bag_of_words"),
    ("sentiment", "lstm"), ("rating", "gru"), ("tagging", "simple_rnn"), ("tagging", "lstm"),
]  # fmt: skip
ODD = [("airline", "lstm", "model.members=2"), ("tagging", "lstm", "model.bidirectional=true"), ("sky", "gru")]
SHARED = {"README.md", "export.json", "settings.yaml", "predictions.csv", "bundle"}


@pytest.mark.parametrize("words", some([(case,) for case in [*NETWORKS, *ODD]], fast=[(("airline", "dense"),)]))
def test_onnxruntime_gives_what_keras_gives(words, tmp_path):
    task, model, *rest = words
    settled = settings(f"task={task}", f"model={model}", "training=smoke", *rest)
    data = load(settled)
    final = model_of(settled).fit(settled, data, Silent()).final
    far = interchange.write(final.model, data.test, tmp_path / "model.onnx", "x")
    assert (tmp_path / "model.onnx").stat().st_size > 500
    given = interchange.last(data.test)
    said = np.asarray(final.model(given if len(given) > 1 else given[0]))
    answer = interchange._answer(tmp_path / "model.onnx", given)
    assert answer.shape == said.shape and far == abs(answer - said).max()
    assert np.ptp(said) > 0, "it says something"


def test_an_onnx_that_differs_is_refused_and_nothing_is_left(tmp_path, monkeypatch):
    settled = settings("task=airline", "model=dense", "training=smoke")
    data = load(settled)
    final = model_of(settled).fit(settled, data, Silent()).final
    monkeypatch.setattr(interchange, "TOLERANCE", -1.0)
    with pytest.raises(DataError, match=r"EXPORT-ONNX\] x: onnxruntime differs from Keras by .*; set onnx=false"):
        interchange.write(final.model, data.test, tmp_path / "model.onnx", "x")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("stocked")
@pytest.mark.slow
def test_a_network_and_a_baseline_are_exported(cli, house):
    for model in ("holt_winters", "dense"):
        assert cli("task=airline", f"model={model}", "training.epochs=2").returncode == 0
        done = cli("task=airline", "final=false", f"out={model}", pipeline="export")
        assert done.returncode == 0, done.stderr
        if model == "dense":
            assert "onnxruntime and Keras differ by" in done.stdout, done.stdout
            again = cli("task=airline", "final=false", "out=dense", pipeline="export")
            assert again.returncode == 64 and "out: dense is there already" in again.stderr
        else:
            assert "a baseline is no network" in done.stdout
            assert {p.name for p in (house / model).iterdir()} == SHARED
    files = {p.name for p in (house / "dense").iterdir()}
    assert files == SHARED | {"model.keras", "model.onnx"}
    facts = json.loads((house / "dense/export.json").read_text())
    assert 0 <= facts["onnx_largest_difference"] < 0.01 and facts["parts"] == "train+val"
    assert yaml.safe_load((house / "dense/settings.yaml").read_text())["model"]["name"] == "dense"
    table = pd.read_csv(house / "dense/predictions.csv")
    assert table.loc[table["split"] == "test", "loss"].mean() > 0
    assert not list(house.glob(".*unfinished"))


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    interchange.check_installed()
    monkeypatch.setattr(interchange, "NEEDED", ("onnx", "nobody_has_this"))
    with pytest.raises(
        Unavailable, match=r"EXPORT-ONNX\] onnx: nobody_has_this is not installed; pip install 'lookback"
    ):
        interchange.check_installed()

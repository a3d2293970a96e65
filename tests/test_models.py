"""One harness for every model on every task, and the binding of each YAML to its function."""

import inspect
import json
import os
from collections import Counter
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT, Silent, load, score, settings

from lookback.data.samples import Ragged, Stream
from lookback.experiment import bundle
from lookback.experiment.model import model_of
from lookback.models import catalogue
from lookback.training import device

device.prepare("cpu", 2)

from lookback.training.schedule import Epochs  # noqa: E402

ONES_OWN = ("csv", "corpus")  # the file is still to be named
TASKS = {
    p.stem: settings(f"task={p.stem}", "model=gru").task
    for p in sorted((ROOT / "conf/task").glob("[!_]*.yaml"))
    if p.stem not in ONES_OWN
}
# Every model on some task and every task that ships, in the fast tests; every pair in the slow ones.
EVERY_BASELINE = catalogue.baselines()
QUICK = {
    "airline": (*EVERY_BASELINE, "simple_rnn"),
    "weather": EVERY_BASELINE,
    "sky": EVERY_BASELINE,
    "text": EVERY_BASELINE,
    "words": (*EVERY_BASELINE, "bigram"),
    "namaskar": EVERY_BASELINE,
    "sentiment": (*EVERY_BASELINE, "bag_of_words"),
    "rating": (*EVERY_BASELINE, "gru"),
    "tagging": EVERY_BASELINE,
}
PAIRS = [
    pytest.param(task, model, id=f"{task}/{model}", marks=[] if model in QUICK.get(task, ()) else [pytest.mark.slow])
    for task, settled in TASKS.items()
    for model in settled.models
]


@pytest.mark.parametrize("path", sorted((ROOT / "conf/model").glob("*.yaml")), ids=lambda p: p.stem)
def test_each_yaml_holds_the_numbers_of_its_model_and_no_default_stands_elsewhere(path):
    numbers = yaml.safe_load(path.read_text())
    entry = catalogue.entry(path.stem)
    assert numbers["name"] == entry.name and set(numbers) == set(entry.settings.model_fields)
    assert entry.settings.model_validate(numbers).model_dump() == _tuples(numbers)
    assert all(p.default is inspect.Parameter.empty for p in inspect.signature(entry.build).parameters.values())


def _tuples(numbers):
    return {key: tuple(value) if isinstance(value, list) else value for key, value in numbers.items()}


def test_every_model_has_its_yaml():
    assert {p.stem for p in (ROOT / "conf/model").glob("*.yaml")} == set(catalogue.entries())


@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_every_model_on_every_task(task, model, tmp_path):
    # One of them is compiled by XLA, as series are by default; the others are ready in a fraction of its time.
    graph = [] if (task, model) == ("airline", "gru") else ["training.compiler=graph"]
    settled = settings(f"task={task}", f"model={model}", "training=smoke", *graph)
    if getattr(settled.task, "source", None) and "LOOKBACK_DATA" not in os.environ:
        pytest.skip("LOOKBACK_DATA names no folder with the fetched files")
    data = load(settled)
    if not settled.entry.network:
        fitted = model_of(settled).fit(settled, data, Silent())
        _check_predictions(settled, data, fitted)
        _check_bundle(settled, data, fitted, tmp_path)
        return

    # Smaller than shipped, the same kinds of layers: a test of the plan, not of the numbers.
    small = {"units": min(settled.model.units, 24), "dropout": 0.0}
    small = {name: value for name, value in small.items() if name in type(settled.model).model_fields}
    # The gradient of mae is a sum of signs: on a bias it can be exactly 0.
    smooth = {"loss": "mse"} if "loss" in type(settled.task).model_fields else {}
    settled = settled.model_copy(
        update={"model": settled.model.model_copy(update=small), "task": settled.task.model_copy(update=smooth)}
    )
    before = _weights(data, lambda part: settled.problem.network(settled.task, part, settled.model))
    fitted = model_of(settled).fit(settled, data, Silent())
    _check_predictions(settled, data, fitted)
    assert fitted.epochs == 1 and len(fitted.history) == 1

    program = fitted.chosen.program
    for variable, a, b in zip(program.network.loss_model.variables, before, fitted.chosen.weights, strict=True):
        if any(variable is v for v in program.network.loss_model.trainable_variables):
            assert not np.array_equal(a, b), f"{variable.path} did not move"

    saved = fitted.final.model
    saved.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = _inputs(data.train)
    assert np.array_equal(saved(x), loaded(x))

    _check_bundle(settled, data, fitted, tmp_path)
    data = fitted.chosen.units.inside(data)
    parts = [data.train, *(fold.train for fold in data.folds if settled.task.refit)]
    capacity = max(part.steps(program.batch_size) for part in parts)
    _check_overfit(program, data, before, capacity, _after_one_token(_few(data.train)) if model == "bigram" else 0.0)


def _weights(data, build):
    keras.utils.set_random_seed(0)
    return [v.numpy() for v in build(data).loss_model.variables]


def _check_predictions(settled, data, fitted):
    val, test = fitted.chosen.predict(data.val), fitted.test(data)
    for said, samples in ((val, data.val), (test, data.test)):
        if isinstance(samples, Stream):
            assert said.nats.shape == said.guess.shape == (len(samples),)
            assert (said.nats >= 0).all() and said.guess.max() < data.outputs
        elif data.tokens:
            assert said.probabilities.shape == (samples.targets().size, data.outputs)
            np.testing.assert_allclose(said.probabilities.sum(axis=1), 1, rtol=1e-5)
        elif data.bounds:
            assert said.values.shape == (len(samples), 1)
            assert said.values.min() >= data.bounds[0] and said.values.max() <= data.bounds[1]
        else:
            assert said.values.shape == samples.targets().shape
            assert np.isfinite(said.values).all()
    scores = score(settled, data, val, test).scores
    for metric in settled.task.metrics:
        assert np.isfinite([scores[f"val/{metric}"], scores[f"test/{metric}"]]).all(), metric


def _check_bundle(settled, data, fitted, folder):
    """What is read back from the folder of a model says the same, of the same samples and of the file they are from."""
    predictions = score(settled, data, fitted.chosen.predict(data.val), fitted.test(data)).predictions
    radii = settled.problem.radii(settled.evaluation, predictions, data.names, test_is_known=False)
    origin = {"name": "x", "key": "y", "parts": "train", "rows": 1, "scores": {}}
    bundle.write(folder / "bundle", settled, data, fitted.final, radii, origin)
    read = bundle.read(folder / "bundle", "x")
    assert read.settings.model_dump() == settled.model_dump() | {"tracking": read.settings.tracking.model_dump()}
    samples = data.folds[-1].test
    _same(read.model.predict(samples), fitted.final.predict(samples))
    _check_example(settled, data, read)
    if settled.problem.forecasts and settled.task.source is None:
        _check_answers(settled, data, read, fitted.final.predict(samples), samples, radii)


def _check_example(settled, data, read):
    """What is logged as an example, once it has been JSON, is answered."""
    sent = json.loads(settled.problem.example(settled.task, data).to_json(orient="split", index=False))
    frame = pd.DataFrame(sent["data"], columns=sent["columns"])
    assert tuple(frame) == settled.problem.inputs(settled.task) and len(frame)
    if getattr(settled.task, "sample_length", 1):
        assert len(read.predict(frame, rolling=False))


def _check_answers(settled, data, read, expected, samples, radii):
    """Read from the CSV as a user gives it, with the columns turned round."""
    frame = pd.read_csv(ROOT / settled.task.path, comment="#" if settled.task.comment == "hash" else None)
    answers = read.predict(frame[frame.columns[::-1]], rolling=True)
    columns = settled.problem.place(samples, data)
    expected = pd.DataFrame({"time": columns["time"], "step": columns["step"], "expected": expected.values.ravel()})
    both = expected.merge(answers, on=["time", "step"], how="left")
    np.testing.assert_array_equal(both["forecast"], both["expected"])
    first = both[: radii.shape[1]]
    np.testing.assert_array_equal(first["upper"], first["forecast"] + radii[0])


def _same(left, right):
    for name, array in vars(right).items():
        np.testing.assert_array_equal(getattr(left, name), array)


def _inputs(samples):
    """A few that a model takes at once."""
    if isinstance(samples, Ragged):
        a, b = samples.arrays["first"][samples.examples[0] :][:2]
        x = [samples.arrays[name][a:b][None] for name in samples.x]
        return x if len(x) > 1 else x[0]
    x = replace(samples, starts=samples.starts[:3]).inputs()
    return x.astype(np.float32) if x.dtype.kind == "f" else x


def _after_one_token(windows):
    """What is left to lose where only the token before is known: the entropy of the next one given it."""
    x, y = windows.inputs().ravel(), windows.targets().ravel()
    pairs, tokens = Counter(zip(x.tolist(), y.tolist(), strict=True)), Counter(x.tolist())
    return -sum(n * np.log(n / tokens[before]) for (before, _), n in pairs.items()) / len(x)


def _check_overfit(program, data, begin, capacity, least):
    """A few samples can be learnt by heart. The capacity is that of the fit: nothing is compiled anew for it.

    Args:
        least: the loss that is left to who has learnt all that it can.
    """
    few = _few(data.train)
    program.start(begin)
    losses: list[float] = []
    callback = Silent()
    callback.on_epoch_end = lambda epoch, loss, val_loss: losses.append(loss)
    at_once = program.block(capacity)
    for first in range(0, 200, at_once):
        visits = [few.schedule(program.batch_size, 0, epoch, False) for epoch in range(first, first + at_once)]
        assert {len(numbers) for numbers, _ in visits} == {1}
        epochs = Epochs([v[0] for v in visits], [v[1] for v in visits], [0.02] * at_once, capacity, None)
        program.run(data.train, epochs, None, 9999, callback)
    assert len(losses) >= 200 and losses[199] - least < 0.25 * (losses[0] - least), (losses[0], losses[199], least)


def _few(samples):
    """Four samples that make one batch."""
    if isinstance(samples, Ragged):
        return replace(samples, examples=samples.examples[np.argsort(samples.lengths(), kind="stable")[:4]])
    return replace(samples, starts=samples.starts[:4], random_offset=1)

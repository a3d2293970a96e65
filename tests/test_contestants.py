"""One harness for every contestant on every task, and the binding of each YAML to its function."""

import inspect
import os
from dataclasses import replace

import keras
import numpy as np
import pytest
import yaml
from conftest import ROOT, load, settings

from lookback.config import BODIES, FLOORS, NETWORKS, contestants_for
from lookback.data.contract import Stream
from lookback.training import device, loop

device.prepare("cpu", 2)

from lookback.models import floors, networks  # noqa: E402
from lookback.training import engine  # noqa: E402

TASKS = [p.stem for p in sorted((ROOT / "conf/task").glob("[!_]*.yaml")) if p.stem != "csv"]
# Every contestant on some task and every task that ships, in the fast tests; every pair in the slow ones.
EVERY_FLOOR = tuple(name for names in FLOORS.values() for name in names)
QUICK = {
    "airline": (*EVERY_FLOOR, "simple_rnn", "gru"),
    "weather": (*EVERY_FLOOR, "dense", "lstm"),
    "sky": (*EVERY_FLOOR, "gru"),
    "text": (*EVERY_FLOOR, "dense", "gru"),
}
PAIRS = [
    pytest.param(task, model, id=f"{task}/{model}", marks=[] if model in QUICK.get(task, ()) else [pytest.mark.slow])
    for task in TASKS
    for settled in [settings(f"task={task}", "model=gru").task]
    for model in settled.contestants
]


class Silent:
    def steps(self, epoch, done, total, loss):
        pass

    def epoch(self, epoch, loss, val_loss):
        pass

    def fold(self, number, folds):
        pass


@pytest.mark.parametrize("path", sorted((ROOT / "conf/model").glob("*.yaml")), ids=lambda p: p.stem)
def test_each_yaml_binds_to_its_function(path):
    numbers = yaml.safe_load(path.read_text())
    name = numbers.pop("name")
    assert name == path.stem
    if "defaults" in numbers:  # an ensemble: the numbers of its members
        assert numbers == {"defaults": [name.removesuffix("_ensemble"), "_self_"], "members": 5}
        return
    if name in floors.FLOORS:  # built from its numbers below, on every task
        task = next(t for t in TASKS if name in contestants_for(settings(f"task={t}", "model=gru").task.kind))
        assert settings(f"task={task}", f"model={name}").model.model_dump(exclude={"name"}) == _tuples(numbers)
        return
    for everybody in ("members", "linear_path"):  # asked of every network, whatever its body
        numbers.pop(everybody)
    signature = inspect.signature(networks.BODIES[name])
    signature.bind(None, **numbers)
    assert set(signature.parameters) - {"data"} == set(numbers)
    assert all(p.default is inspect.Parameter.empty for p in signature.parameters.values()), "defaults live in YAML"


def _tuples(numbers):
    return {key: tuple(value) if isinstance(value, list) else value for key, value in numbers.items()}


def test_every_function_has_its_yaml_and_every_name_its_function():
    yamls = {p.stem for p in (ROOT / "conf/model").glob("*.yaml")}
    assert yamls == set(NETWORKS) | set(floors.FLOORS)
    assert set(networks.BODIES) == set(BODIES)
    assert set(floors.FLOORS) == {name for names in FLOORS.values() for name in names}


@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_every_contestant_on_every_task(task, model, tmp_path):
    settled = settings(f"task={task}", f"model={model}", "training=smoke")
    if getattr(settled.task, "source", None) and "LOOKBACK_DATA" not in os.environ:
        pytest.skip("LOOKBACK_DATA names no folder with the fetched files")
    data = load(settled)
    numbers = settled.model.model_dump(exclude={"name"})
    if not settled.network:
        fitted = loop.fit_floor(floors.build(data, model, **numbers), data, settled.task.refit)
        _check_predictions(data, fitted)
        return

    if not data.per_step and not data.kinds:
        data = replace(data, loss="mse")  # the gradient of mae is a sum of signs: on a bias it can be exactly 0

    # Smaller than shipped, the same kinds of layers: a test of the plan, not of the numbers.
    numbers = numbers | {"units": min(numbers["units"], 24), "dropout": 0.0}

    numbers.pop("members")

    def build(part):
        return networks.build(part, model.removesuffix("_ensemble"), **numbers)

    before = _weights(data, build)
    recipe = loop.Recipe(
        build, numbers["units"], 1, networks.together, settled.training, settled.task.refit, warm_start=False
    )
    fitted = loop.fit_network(recipe, data, 0, Silent())
    _check_predictions(data, fitted)
    assert fitted.epochs == 1 and len(fitted.history) == 1

    program = fitted.chosen.program
    for variable, a, b in zip(program.network.trainer.variables, before, fitted.chosen.weights, strict=True):
        if any(variable is v for v in program.network.trainer.trainable_variables):
            assert not np.array_equal(a, b), f"{variable.path} did not move"

    saved = fitted.final.model
    saved.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    few = replace(data.train, starts=data.train.starts[:3])
    x = few.inputs() if data.per_step else few.inputs().astype(np.float32)
    assert np.array_equal(saved(x), loaded(x))

    _check_overfit(program, data, before)


def _weights(data, build):
    keras.utils.set_random_seed(0)
    return [v.numpy() for v in build(data).trainer.variables]


def _check_predictions(data, fitted):
    for said, samples in ((fitted.chosen.predict(data.val), data.val), (fitted.test(data), data.test)):
        if isinstance(samples, Stream):
            assert said["nats"].shape == said["guess"].shape == (len(samples),)
            assert (said["nats"] >= 0).all() and said["guess"].max() < data.outputs
        elif data.kinds:
            assert said["probabilities"].shape == (len(samples), data.outputs)
            np.testing.assert_allclose(said["probabilities"].sum(axis=1), 1, rtol=1e-5)
        else:
            assert said.shape == samples.targets().shape
            assert np.isfinite(said).all()


def _check_overfit(program, data, begin):
    """A few windows can be learnt by heart."""
    few = replace(data.train, starts=data.train.starts[:4])
    program.begin(begin)
    losses: list[float] = []
    watch = Silent()
    watch.epoch = lambda epoch, loss, val_loss: losses.append(loss)
    epochs = engine.Epochs([few.starts] * 200, [0.02] * 200, len(few), None)
    program.train(engine.upload(few), epochs, None, 999, watch)
    assert len(losses) == 200 and losses[-1] < 0.25 * losses[0], (losses[0], losses[-1])

"""The engine against a loop that is plain, slow and obviously right."""

import hashlib
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT, clean_environment, settings

from lookback import tasks
from lookback.data.contract import Data, Span, Stream, Windows
from lookback.training import device

device.prepare("cpu", 2)

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from lookback.models import networks  # noqa: E402
from lookback.training import engine, loop  # noqa: E402

BODIES = {
    "dense": {"units": 5, "layers": 2, "dropout": 0.0, "kernel_size": 4},
    "simple_rnn": {"units": 5, "layers": 1, "dropout": 0.0},
    "lstm": {"units": 5, "layers": 2, "dropout": 0.0},
    "gru": {"units": 5, "layers": 1, "dropout": 0.0},
}


class Silent:
    def steps(self, epoch, done, total, loss):
        pass

    def epoch(self, epoch, loss, val_loss):
        pass


class Told(Silent):
    def __init__(self):
        self.chunks, self.losses = 0, []

    def steps(self, epoch, done, total, loss):
        self.chunks += 1

    def epoch(self, epoch, loss, val_loss):
        self.losses.append((epoch, loss, val_loss))


def train(ours, data, epochs=1, seed=5, rate=0.01, val=None, patience=99, spare=11, watch=None):
    orders = [data.train.epoch(seed, epoch) for epoch in range(1, epochs + 1)]
    block = engine.Epochs(orders, [rate] * epochs, len(data.train) + spare, None)
    ours.train(engine.upload(data.train), block, val, patience, watch or Silent())


def series(rows=60, lookback=7, horizon=2, columns=3, **facts) -> Data:
    rng = np.random.default_rng(4)
    values = np.cumsum(rng.normal(size=(rows, columns)), axis=0) + 20
    arrays = {"rows": values, "target": values[:, 0]}

    def part(first, stop):
        starts = np.arange(first, stop, dtype=np.int32)
        return Windows(arrays, starts, Span("rows", 0, lookback), Span("target", lookback, horizon))

    parts = {"train": part(0, 33), "val": part(33, 42), "test": part(42, rows - lookback - horizon + 1)}
    return Data(**parts, labels=np.arange(rows), outputs=horizon, unit="u", digest="", loss="mae", **facts)


def letters(length=330, lookback=6) -> Data:
    codes = (np.random.default_rng(1).integers(1, 5, length) * (np.arange(length) % 3 > 0) + 1).astype(np.int32)
    arrays = {"codes": codes}
    starts = np.arange(0, 190 - 2 * lookback, lookback, dtype=np.int32)
    return Data(
        train=Windows(arrays, starts, Span("codes", 0, lookback), Span("codes", 1, lookback), jitter=lookback),
        val=Stream(arrays, "codes", 200, 260),
        test=Stream(arrays, "codes", 260, length),
        labels=np.arange(length),
        outputs=6,
        unit="nats",
        digest="",
        tokens=tuple("?abcde"),
        embedding=3,
    )


def fresh(data, name, seed=3, **changed):
    keras.utils.set_random_seed(seed)
    return networks.build(data, name, **BODIES[name] | changed)


def all_weights(network):
    return [v.numpy() for v in network.trainer.variables]


def program(network, data, xla=True, batch_size=8, clip_norm=1.0):
    # A program of this test's own: one that another test made would own other variables.
    return engine.Program(network, data.loss, data.train.x, data.train.y, batch_size, clip_norm, xla)


def plain_epochs(network, data, epochs, batch_size, learning_rate, clip_norm, seed):
    """One step at a time, only the rows that are there, Keras's own optimizer."""
    optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=clip_norm)
    for epoch in range(1, epochs + 1):
        order = data.train.epoch(seed, epoch)
        for first in range(0, len(order), batch_size):
            samples = replace(data.train, starts=order[first : first + batch_size])
            x, y = samples.inputs(), samples.targets()
            with tf.GradientTape() as tape:
                target, said, _ = network.trainer(
                    [tf.constant(x.astype("f4") if x.dtype.kind == "f" else x), tf.constant(y)]
                )
                if data.per_step:
                    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, said))
                else:
                    loss = tf.reduce_mean(tf.abs(target - said))
            variables = network.trainer.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)


@pytest.mark.parametrize("xla", [True, False])
@pytest.mark.parametrize("kind", ["series", "letters"])
@pytest.mark.parametrize("name", BODIES)
def test_three_epochs_equal_the_plain_loop(name, kind, xla):
    data = series() if kind == "series" else letters()
    network = fresh(data, name)
    begin = all_weights(network)
    plain_epochs(network, data, 3, 8, 0.01, 1.0, seed=5)
    expected = all_weights(network)

    ours = program(network, data, xla=xla)
    ours.begin(begin)
    train(ours, data, epochs=3)
    moved = 0
    for variable, a, b, c in zip(network.trainer.variables, ours.weights(), expected, begin, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-5, err_msg=variable.path)
        moved += not np.array_equal(b, c)
    assert moved >= 4
    assert len(data.train) % 8, "the last batch must be a short one"


def test_losses_are_means_over_real_rows_only():
    data = series()
    network = fresh(data, "dense")
    ours = program(network, data)
    target, said, _ = network.trainer([data.val.inputs().astype("f4"), data.val.targets()])
    expected = float(tf.reduce_mean(tf.abs(target - said)))
    assert len(data.val) == 9  # evaluated in one padded batch
    assert ours.evaluate(engine.upload(data.val), data.val.starts)[0] == pytest.approx(expected, rel=1e-5)


def test_predictions_are_those_of_the_model_whatever_their_number(monkeypatch):
    data = series(rows=900)
    network = fresh(data, "gru")
    monkeypatch.setattr(engine, "EVALUATE", 64)
    monkeypatch.setattr(engine, "BATCHES", 4)
    ours = program(network, data)
    for count in (1, 3, 64, 65, 256, 257, 600):
        samples = replace(data.train, starts=np.arange(count, dtype=np.int32))
        said = ours.evaluate(engine.upload(samples), samples.starts)[1]
        np.testing.assert_allclose(said, network.model.predict(samples.inputs(), verbose=0), rtol=1e-4)
    assert ours.traces == 1


@pytest.mark.parametrize("name", BODIES)
def test_a_stream_is_read_as_if_it_were_one_long_window(name, monkeypatch):
    monkeypatch.setattr(engine, "READ", 7)
    monkeypatch.setattr(engine, "READS", 2)
    data = letters()
    network = fresh(data, name)
    found = program(network, data).read(engine.upload(data.test), data.test)
    codes = data.test.arrays["codes"]
    logits = network.model(codes[data.test.start - 1 : data.test.stop - 1][None])[0]
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(data.test.targets(), logits)
    np.testing.assert_allclose(found["nats"], expected, rtol=1e-4, atol=1e-5)
    assert found["guess"].tolist() == tf.argmax(logits, -1).numpy().tolist()


def test_writing_depends_on_the_seed_alone_and_never_draws_the_unknown_token():
    data = letters()
    ours = program(fresh(data, "lstm"), data)
    prompt = data.test.targets()[:5]
    first, again, other = (ours.write(prompt, 200, seed) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()
    assert set(first.tolist()) <= set(range(1, 6))


def test_writing_draws_what_the_model_says():
    data = letters()
    network = fresh(data, "dense")
    head = network.model.get_layer("head")
    head.set_weights([np.zeros_like(head.kernel), np.log([1e-9, 0.1, 0.2, 0.3, 0.4, 1e-9])])
    written = program(network, data).write(np.array([1, 2], np.int32), 4000, 0)
    shares = np.bincount(written, minlength=6) / 4000
    np.testing.assert_allclose(shares, [0, 0.1, 0.2, 0.3, 0.4, 0], atol=0.03)


def test_a_second_trial_traces_nothing_and_starts_from_its_own_weights():
    data = series()
    training = settings("training.epochs=2", "training.batch_size=8").training
    first = loop.fit_network(
        lambda d: networks.build(d, "lstm", **BODIES["lstm"]), 5, data, training, 0, True, Silent()
    )
    used = first.chosen.program
    traced = used.traces
    other = training.model_copy(update={"learning_rate": 0.02})
    second = loop.fit_network(lambda d: networks.build(d, "lstm", **BODIES["lstm"]), 5, data, other, 1, True, Silent())
    assert second.chosen.program is used and used.traces == traced
    third = loop.fit_network(
        lambda d: networks.build(d, "lstm", **BODIES["lstm"]), 5, data, training, 0, True, Silent()
    )
    for a, b in zip(first.final.weights, third.final.weights, strict=True):
        assert np.array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(first.final.weights, second.final.weights, strict=True))


def test_a_diverging_trial_keeps_its_last_finite_weights():
    data = series()
    ours = program(fresh(data, "dense"), data)
    broken = {k: v.copy() for k, v in data.train.arrays.items()}
    broken["target"][25] = np.nan  # in some batch of the epoch
    ours.begin(ours.weights())
    before = ours.weights()
    told = Told()
    train(ours, replace(data, train=replace(data.train, arrays=broken)), epochs=3, watch=told)
    assert ours.diverged and ours.stopped and len(told.losses) == 1 and not math.isfinite(told.losses[0][1])
    assert all(np.isfinite(w).all() for w in ours.weights())
    steps = int(ours._optimizer.iterations)
    assert 0 <= steps < 5
    if steps == 0:
        assert all(np.array_equal(a, b) for a, b in zip(before, ours.weights(), strict=True))


def test_a_diverged_trial_is_a_finished_result_that_says_so():
    data = series()
    training = settings("training.epochs=5", "training.learning_rate=1e30", "training.clip_norm=1e30").training
    fitted = loop.fit_network(
        lambda d: networks.build(d, "dense", **BODIES["dense"]), 5, data, training, 0, True, Silent()
    )
    assert fitted.diverged
    assert np.isfinite(fitted.final.predict(data.test)).all()


def test_early_stopping_restores_the_best_weights():
    data = series()
    training = settings("training.epochs=60", "training.patience=5", "training.learning_rate=0.05").training
    fitted = loop.fit_network(
        lambda d: networks.build(d, "dense", **BODIES["dense"]), 5, data, training, 0, False, Silent()
    )
    losses = [val for _, val in fitted.history]
    assert fitted.epochs == 1 + int(np.argmin(losses)) and len(losses) <= fitted.epochs + 5
    used = fitted.chosen.program
    used.load(fitted.chosen.weights)
    assert used.evaluate(engine.upload(data.val), data.val.starts)[0] == pytest.approx(min(losses), rel=1e-5)


def test_the_refit_sees_train_and_val_for_the_epochs_that_val_chose():
    data = series()
    training = settings("training.epochs=12", "training.patience=3", "training.batch_size=8").training

    def build(d):
        return networks.build(d, "gru", **BODIES["gru"])

    fitted = loop.fit_network(build, 5, data, training, 2, True, Silent())
    keras.utils.set_random_seed(2)
    everything = replace(data, train=data.train_and_val)
    network = build(everything)
    plain_epochs(network, everything, fitted.epochs, 8, training.learning_rate, training.clip_norm, seed=2)
    for a, b in zip(fitted.final.weights, all_weights(network), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-2, atol=1e-4)


def test_chunks_change_nothing(monkeypatch):
    data = series(rows=2000)
    data = replace(data, train=replace(data.train, starts=np.arange(1500, dtype=np.int32)))
    results = []
    for seconds in (0.0, 1e9):
        monkeypatch.setattr(engine, "CHUNK_SECONDS", seconds)
        ours = program(fresh(data, "dense"), data)
        ours.begin(ours.weights())
        told = Told()
        train(ours, data, epochs=2, val=data.val, watch=told)
        results.append((told.losses, ours.weights(), told.chunks))
    assert results[0][0] == results[1][0] and len(results[0][0]) == 2
    assert results[0][2] > 100 > results[1][2]
    assert all(np.array_equal(a, b) for a, b in zip(results[0][1], results[1][1], strict=True))


def test_blocks_change_nothing(monkeypatch):
    data = series()
    training = settings("training.epochs=30", "training.patience=4", "training.learning_rate=0.05").training
    results = []
    for steps in (1, 64, 4096):
        monkeypatch.setattr(engine, "BLOCK_STEPS", steps)
        engine._programs.clear()
        results.append(
            loop.fit_network(lambda d: networks.build(d, "gru", **BODIES["gru"]), 5, data, training, 0, True, Silent())
        )
    for other in results[1:]:
        assert other.history == results[0].history and other.epochs == results[0].epochs
        assert all(np.array_equal(a, b) for a, b in zip(other.final.weights, results[0].final.weights, strict=True))


def test_padding_is_no_step():
    data = series()
    ours = program(fresh(data, "dense"), data)
    ours.begin(ours.weights())
    train(ours, data, spare=500)
    assert int(ours._optimizer.iterations) == math.ceil(len(data.train) / 8)


HASH = """
import sys; sys.path[:0] = ["tests"]
from test_engine import *
data = series() if sys.argv[1] == "series" else letters()
training = settings("training.epochs=3", "training.batch_size=8").training
numbers = BODIES[sys.argv[2]] | {"dropout": 0.3}
fitted = loop.fit_network(lambda d: networks.build(d, sys.argv[2], **numbers), 5, data, training, 9, False, Silent())
print(hashlib.sha256(b"".join(w.tobytes() for w in fitted.final.weights)).hexdigest())
"""


@pytest.mark.parametrize("arguments", [("series", "lstm"), ("letters", "dense")])
def test_a_fresh_process_gives_the_identical_weights(arguments):
    def digest(hash_seed):
        environment = clean_environment() | {"PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", HASH, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        ).stdout.split()[-1]

    assert digest("1") == digest("2")


def test_the_compiler_is_chosen_by_size():
    assert engine.uses_xla("auto", 32, per_step=False)
    assert not engine.uses_xla("auto", 128, per_step=False)
    assert not engine.uses_xla("auto", 32, per_step=True)
    assert engine.uses_xla("xla", 512, per_step=True) and not engine.uses_xla("graph", 8, per_step=False)


def test_hashes_are_of_something():
    assert (
        hashlib.sha256(b"").hexdigest() != hashlib.sha256(all_weights(fresh(series(), "lstm"))[0].tobytes()).hexdigest()
    )
    assert tasks.load(settings("task=airline").task, ROOT).digest

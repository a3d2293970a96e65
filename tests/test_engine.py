"""The engine against a loop that is plain, slow and obviously right."""

import hashlib
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT, Silent, clean_environment, load, settings, some
from factories import Data, build

from lookback.data.dataset import Fold, TargetTransform
from lookback.data.samples import Span, Stream, Windows
from lookback.data.sampling import SamplingConfig
from lookback.training import device

device.prepare("cpu", 2)

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from lookback.models.networks.network import average_models  # noqa: E402
from lookback.training import fit as fitting  # noqa: E402
from lookback.training import program as programs  # noqa: E402
from lookback.training.compiler import uses_xla  # noqa: E402
from lookback.training.schedule import Epochs  # noqa: E402
from lookback.training.tensorflow import (  # noqa: E402
    evaluation,
    streams,
)
from lookback.training.tensorflow import program as tf_program  # noqa: E402
from lookback.training.tensorflow.gather import upload  # noqa: E402
from lookback.training.tensorflow.program import TensorFlowProgram  # noqa: E402

READ = {"bidirectional": False, "pooling": "last"}
BACKBONES = {
    "dense": {"units": 5, "layers": 2, "dropout": 0.0, "kernel_size": 4},
    "simple_rnn": {"units": 5, "layers": 1, "dropout": 0.0} | READ,
    "lstm": {"units": 5, "layers": 2, "dropout": 0.0} | READ,
    "gru": {"units": 5, "layers": 1, "dropout": 0.0} | READ,
}
LANGUAGE = [*BACKBONES, "bigram"]
ON_TEXTS = BACKBONES | {"bigram": {"units": 4}, "bag_of_words": {"units": 5, "layers": 2, "dropout": 0.0}}


class Told(Silent):
    def __init__(self):
        self.chunks, self.losses = 0, []

    def on_steps_end(self, epoch, done, total, loss):
        self.chunks += 1

    def on_epoch_end(self, epoch, loss, val_loss):
        self.losses.append((epoch, loss, val_loss))


def train(ours, data, epochs=1, seed=5, rate=0.01, val=None, patience=99, spare=2, callback=None, stateful=False):
    size = ours.batch_size
    visits = [data.train.schedule(size, seed, epoch, stateful) for epoch in range(1, epochs + 1)]
    capacity = data.train.steps(size) + spare
    block = Epochs([v[0] for v in visits], [v[1] for v in visits], [rate] * epochs, capacity, None)
    ours.run(data.train, block, val, patience, callback or Silent())


def series(rows=60, lookback=7, horizon=2, columns=3, **facts) -> Data:
    rng = np.random.default_rng(4)
    values = np.cumsum(rng.normal(size=(rows, columns)), axis=0) + 20
    arrays = {"rows": values, "target": values[:, 0]}

    def part(first, stop):
        starts = np.arange(first, stop, dtype=np.int32)
        return Windows(arrays, starts, Span("rows", 0, lookback), Span("target", lookback, horizon))

    parts = {"train": part(0, 33), "val": part(33, 42), "test": part(42, rows - lookback - horizon + 1)}
    folds = (Fold(part(0, 42), parts["test"]),)
    facts = {"columns": tuple("abcdefg"[:columns]), "folds": folds} | facts
    return Data(**parts, index=np.arange(rows), outputs=horizon, unit="u", digest="", loss="mae", **facts)


def letters(length=330, lookback=6) -> Data:
    codes = (np.random.default_rng(1).integers(1, 5, length) * (np.arange(length) % 3 > 0) + 1).astype(np.int32)
    arrays = {"codes": codes}
    starts = np.arange(0, 190 - 2 * lookback, lookback, dtype=np.int32)
    train = Windows(arrays, starts, Span("codes", 0, lookback), Span("codes", 1, lookback), random_offset=lookback)
    test = Stream(arrays, "codes", 260, length)
    return Data(
        train=train,
        val=Stream(arrays, "codes", 200, 260),
        test=test,
        folds=(Fold(train, test),),
        index=np.arange(length),
        outputs=6,
        unit="nats",
        digest="",
        tokens=tuple("?abcde"),
        embedding=3,
    )


def fresh(data, name, seed=3, **changed):
    keras.utils.set_random_seed(seed)
    return build(data, name, **ON_TEXTS[name] | changed)


def fit(name, data, training, seed, refit, warm_start=False, members=1, **changed):
    def fresh_of(part):
        return build(part, name, **BACKBONES[name] | changed)

    recipe = fitting.Recipe(fresh_of, 5, members, average_models, training, refit, warm_start)
    return fitting.fit_network(recipe, data, seed, Silent())


def graph(*overrides):
    """For tests that are about no compiler: TensorFlow's own kernels are ready in a fraction of XLA's time."""
    return settings("training.compiler=graph", *overrides).training


def all_weights(network):
    return [v.numpy() for v in network.loss_model.variables]


def program(network, data, xla=False, batch_size=8, clip_norm=1.0, stateful=False):
    # A program of this test's own: one that another test made would own other variables.
    numbers = settings("training.weight_decay=0").training.model_copy(
        update={"batch_size": batch_size, "clip_norm": clip_norm, "stateful": stateful}
    )
    return TensorFlowProgram(network, data.train, numbers, xla)


def plain_epochs(network, data, epochs, batch_size, learning_rate, clip_norm, seed):
    """One step at a time, only the rows that are there, Keras's own optimizer."""
    optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=clip_norm)
    for epoch in range(1, epochs + 1):
        order = data.train.epoch(seed, epoch)
        for first in range(0, len(order), batch_size):
            samples = replace(data.train, starts=order[first : first + batch_size])
            x, y = samples.inputs(), samples.targets()
            with tf.GradientTape() as tape:
                target, said, _ = network.loss_model(
                    [tf.constant(x.astype("f4") if x.dtype.kind == "f" else x), tf.constant(y)]
                )
                if isinstance(data.test, Stream):
                    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, said))
                else:
                    loss = tf.reduce_mean(tf.abs(target - said))
            variables = network.loss_model.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)


# To build a program takes a second: the fast tests take each compiler and each way of reading once, as they run by
# default (XLA for series, TensorFlow's own kernels for text); the slow ones take every pair.
FAST = {
    ("simple_rnn", "series", True),
    ("bigram", "letters", False),
}
WAYS = [
    (name, kind, xla)
    for kind in ("series", "letters")
    for xla in (True, False)
    for name in (BACKBONES if kind == "series" else LANGUAGE)
]


@pytest.mark.parametrize(("name", "kind", "xla"), some(WAYS, FAST))
def test_three_epochs_equal_the_plain_loop(name, kind, xla):
    data = series() if kind == "series" else letters()
    network = fresh(data, name)
    begin, data = all_weights(network), network.units.inside(data)
    plain_epochs(network, data, 3, 8, 0.01, 1.0, seed=5)
    expected = all_weights(network)

    ours = program(network, data, xla=xla)
    ours.start(begin)
    train(ours, data, epochs=3)
    moved = 0
    for variable, a, b, c in zip(network.loss_model.variables, ours.weights(), expected, begin, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-5, err_msg=variable.path)
        moved += not np.array_equal(b, c)
    assert moved >= (3 if name == "bigram" else 4)
    assert len(data.train) % 8, "the last batch must be a short one"


def test_losses_are_means_over_real_rows_only():
    data = series()
    network = fresh(data, "dense")
    data = network.units.inside(data)
    ours = program(network, data)
    target, said, _ = network.loss_model([data.val.inputs().astype("f4"), data.val.targets()])
    expected = float(tf.reduce_mean(tf.abs(target - said)))
    assert len(data.val) == 9  # evaluated in one padded batch
    assert ours.evaluation.evaluate(upload(data.val), data.val.starts)[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", some(("dense", "gru"), ("dense",)))
def test_predictions_are_those_of_the_model_whatever_their_number(name, monkeypatch):
    data = series(rows=900)
    network = fresh(data, name)
    monkeypatch.setattr(evaluation, "EVALUATE", 64)
    monkeypatch.setattr(evaluation, "BATCHES", 4)
    ours = program(network, data)
    for count in (1, 3, 64, 65, 256, 257, 600):
        samples = replace(data.train, starts=np.arange(count, dtype=np.int32))
        said = ours.evaluation.evaluate(upload(network.units.samples(samples)), samples.starts)[1]
        expected = network.model.predict(samples.inputs(), verbose=0)
        np.testing.assert_allclose(network.units.values(said, samples), expected, rtol=1e-4)
    assert ours.traces == 1


READERS = [*((name, {}) for name in LANGUAGE), ("dense", {"kernel_size": 1})]


@pytest.mark.parametrize(
    ("name", "changed"), some(READERS, [pair for pair in READERS if pair[0] in ("lstm", "dense", "bigram")])
)
def test_a_stream_is_read_as_if_it_were_one_long_window(name, changed, monkeypatch):
    monkeypatch.setattr(streams, "READ", 7)
    monkeypatch.setattr(streams, "READS", 2)
    data = letters()
    network = fresh(data, name, **changed)
    found = program(network, data).streams.read(upload(data.test), data.test)
    logits = network.model(data.test.arrays["codes"][data.test.start - 1 : data.test.stop - 1][None])[0]
    np.testing.assert_allclose(found.nats, nats(data.test.targets(), logits), rtol=1e-4, atol=1e-5)
    assert found.guess.tolist() == tf.argmax(logits, -1).numpy().tolist()


def nats(targets, logits):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits).numpy()


def sharpened(network):
    """A fresh network says nearly the same of everything: with a louder head, what it has read can be told."""
    head = network.model.get_layer("head")
    head.set_weights([20 * head.kernel.numpy(), head.bias.numpy()])
    return network


@pytest.mark.parametrize("name", some(LANGUAGE, ("bigram",)))
def test_a_stateful_epoch_reads_each_lane_from_its_start_in_one_go(name):
    data = letters()
    network = sharpened(fresh(data, name))
    ours = program(network, data, xla=False, stateful=True)
    ours.start(ours.weights())
    told = Told()
    train(ours, data, epochs=2, rate=0.0, stateful=True, callback=told)
    codes, lookback = data.train.arrays["codes"], data.train.x.length
    for epoch, loss, _ in told.losses:
        starts = np.sort(data.train.epoch(5, epoch))
        assert len(starts) == 30  # eight lanes of four windows: the last lane ends with two that count for nothing
        lanes = [codes[starts[i] : starts[min(i + 3, 29)] + lookback + 1] for i in range(0, 30, 4)]
        read = [nats(lane[1:], network.model(lane[None, :-1])[0]) for lane in lanes]
        assert loss == pytest.approx(np.concatenate(read).mean(), rel=1e-5)
        windows = replace(data.train, starts=starts)
        forgetful = nats(windows.targets(), network.model(windows.inputs())).mean()
        assert (abs(forgetful - loss) > 1e-4) == (name != "bigram")


def test_stateful_training_equals_a_plain_loop_that_hands_its_state_on():
    data = letters()
    network = sharpened(fresh(data, "lstm"))
    begin, codes = all_weights(network), data.train.arrays["codes"]
    optimizer = keras.optimizers.Adam(0.01, global_clipnorm=1.0)
    for epoch in (1, 2):
        lanes = np.sort(data.train.epoch(5, epoch))
        states = [tf.zeros((8, 5))] * 4
        for step in range(4):
            places = np.minimum(np.arange(8) * 4 + step, 29)
            there = np.arange(8) * 4 + step < 30
            rows = lanes[places][:, None] + np.arange(7)
            with tf.GradientTape() as tape:
                logits, *states = network.step_model([tf.constant(codes[rows[:, :-1]]), *states])
                lost = tf.nn.sparse_softmax_cross_entropy_with_logits(codes[rows[:, 1:]], logits)
                loss = tf.reduce_mean(tf.boolean_mask(lost, there))
            variables = network.loss_model.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
    expected = all_weights(network)
    ours = program(network, data, xla=False, stateful=True)
    ours.start(begin)
    train(ours, data, epochs=2, stateful=True)
    for variable, a, b in zip(network.loss_model.variables, ours.weights(), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=variable.path)


@pytest.mark.parametrize("name", some(LANGUAGE, ("lstm", "dense", "bigram")))
def test_all_views_of_a_language_network_share_weights_and_dropout(name):
    dropout = {} if name == "bigram" else {"dropout": 0.3}
    network = fresh(letters(), name, **dropout)
    own = {id(v) for v in network.loss_model.variables}
    for view in (network.model, network.step_model):
        assert {id(v) for v in view.variables} == own
    views = (network.model, network.loss_model, network.step_model)
    dropouts = [{id(n) for n in view.layers if isinstance(n, keras.layers.Dropout)} for view in views]
    assert dropouts[0] == dropouts[1] == dropouts[2] and len(dropouts[0]) == ON_TEXTS[name].get("layers", 0)


# --- writing ---

PROMPTS = np.array([[1, 2, 3, 4, 5], [5, 5, 1, 1, 2], [3, 2, 3, 2, 4], [2, 4, 1, 5, 3]], np.int32)


@pytest.fixture(scope="module")
def writer():
    data = letters()
    network = sharpened(fresh(data, "gru"))
    ours = program(network, data, xla=False)
    return ours, ours.weights()


@pytest.fixture
def writes(writer):
    """Blocks put together: (k, length)."""
    ours, begin = writer
    ours.load(begin)

    def write(prompts, length, **sampling):
        return np.concatenate(
            list(ours.streams.write(prompts, length, SamplingConfig(**{"seed": 0} | sampling))), axis=1
        )

    return write


def reread(writer, prompts, written):
    """Chances of every token that was written, of a model that reads all before it anew: (k, length, v)."""
    text = np.concatenate([prompts, written], axis=1)[:, :-1]
    logits = writer[0].network.model(text)[:, prompts.shape[1] - 1 :].numpy()
    logits[:, :, 0] = -np.inf  # the unknown one is never drawn
    return tf.nn.softmax(logits).numpy()


def rank(chances, written):
    """How many tokens were likelier than the one that was written: (k, length)."""
    return (chances > np.take_along_axis(chances, written[:, :, None], axis=2)).sum(axis=2)


def test_greedy_writing_takes_the_likeliest_token_after_all_that_stands_there(writer, writes):
    written = writes(PROMPTS, 70, temperature=0)  # more than one program writes in one go
    assert written.shape == (4, 70) and not rank(reread(writer, PROMPTS, written), written).any()
    assert len({tuple(row) for row in written}) > 1 and len(set(written.ravel().tolist())) > 2


def test_writing_is_a_function_of_the_seed_and_its_beginning_not_one_of_its_length(writes):
    short, long, other = (writes(PROMPTS[:1], n, seed=s) for n, s in ((70, 1), (200, 1), (70, 2)))
    assert long.shape == (1, 200) and short.tolist() == long[:, :70].tolist()
    assert short.tolist() != other.tolist()


def test_samples_side_by_side_are_drawn_apart(writes):
    same = np.repeat(PROMPTS[:1], 4, axis=0)
    assert len({tuple(row) for row in writes(same, 70)}) == 4


def test_only_the_likeliest_tokens_are_drawn_from(writer, writes):
    greedy = writes(PROMPTS, 70, temperature=0)
    assert np.array_equal(writes(PROMPTS, 70, top_k=1), greedy)
    assert np.array_equal(writes(PROMPTS, 70, top_p=1e-6), greedy)
    two = writes(PROMPTS, 70, top_k=2)
    assert set(rank(reread(writer, PROMPTS, two), two).ravel()) == {0, 1}
    some = writes(PROMPTS, 70, top_p=0.6)
    chances = reread(writer, PROMPTS, some)
    own = np.take_along_axis(chances, some[:, :, None], axis=2)  # (k, length, 1)
    likelier = np.where(chances > own, chances, 0).sum(axis=2)
    assert likelier.max() < 0.6 and (likelier > 0).any()
    assert np.array_equal(writes(PROMPTS, 70, top_k=99, top_p=0.999999), writes(PROMPTS, 70))


def test_tokens_are_drawn_with_the_chances_that_the_model_gives_them(writer, writes):
    head = writer[0].network.model.get_layer("head")
    chances = np.array([0.9, 0.1, 0.2, 0.3, 0.35, 0.05])  # the unknown token, however likely, is left out
    head.set_weights([np.zeros_like(head.kernel), np.log(chances)])
    for temperature in (1.0, 0.5):
        drawn = chances[1:] ** (1 / temperature)
        shares = np.bincount(writes_with(writer, temperature).ravel(), minlength=6) / 8000
        np.testing.assert_allclose(shares, [0, *drawn / drawn.sum()], atol=0.03)
    assert (writes_with(writer, 0) == 4).all()


def writes_with(writer, temperature):
    return np.concatenate(list(writer[0].streams.write(PROMPTS, 2000, SamplingConfig(0, temperature))), axis=1)


@pytest.mark.parametrize("compiler", some(("graph", "auto"), ("graph",)))
def test_a_second_trial_traces_nothing_and_starts_from_its_own_weights(compiler):
    data = series()
    training = settings(f"training.compiler={compiler}", "training.epochs=2", "training.batch_size=8").training
    first = fit("dense", data, training, 0, refit=True)
    used = first.chosen.program
    traced = used.traces
    other = training.model_copy(update={"learning_rate": 0.02})
    second = fit("dense", data, other, 1, refit=True)
    assert second.chosen.program is used and used.traces == traced
    third = fit("dense", data, training, 0, refit=True)
    for a, b in zip(first.final.weights, third.final.weights, strict=True):
        assert np.array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(first.final.weights, second.final.weights, strict=True))


def test_a_diverging_trial_keeps_its_last_finite_weights():
    data = series()
    network = fresh(data, "dense")
    data = network.units.inside(data)
    ours = program(network, data)
    broken = {k: v.copy() for k, v in data.train.arrays.items()}
    broken["target"][25] = np.nan  # in some batch of the epoch
    ours.start(ours.weights())
    before = ours.weights()
    told = Told()
    train(ours, replace(data, train=replace(data.train, arrays=broken)), epochs=3, callback=told)
    assert ours.diverged and ours.stopped and len(told.losses) == 1 and not math.isfinite(told.losses[0][1])
    assert all(np.isfinite(w).all() for w in ours.weights())
    steps = int(ours._optimizer.iterations)
    assert 0 <= steps < 5
    if steps == 0:
        assert all(np.array_equal(a, b) for a, b in zip(before, ours.weights(), strict=True))


def test_a_diverged_trial_is_a_finished_result_that_says_so():
    data = series()
    training = graph("training.epochs=5", "training.learning_rate=1e30", "training.clip_norm=1e30")
    fitted = fit("dense", data, training, 0, refit=True)
    assert fitted.diverged
    assert np.isfinite(fitted.final.predict(data.test)).all()


def test_early_stopping_restores_the_best_weights():
    data = series()
    training = graph("training.epochs=60", "training.patience=5", "training.learning_rate=0.05")
    fitted = fit("dense", data, training, 0, refit=False)
    losses = [val for _, val in fitted.history]
    assert fitted.epochs == 1 + int(np.argmin(losses)) and len(losses) <= fitted.epochs + 5
    used = fitted.chosen.program
    used.load(fitted.chosen.weights)
    val = fitted.chosen.units.samples(data.val)
    assert used.evaluation.evaluate(upload(val), val.starts)[0] == pytest.approx(min(losses), rel=1e-5)


@pytest.mark.parametrize("name", some(("dense", "gru"), ("dense",)))
def test_the_refit_sees_train_and_val_for_the_epochs_that_val_chose(name):
    data = series()
    training = graph("training.epochs=12", "training.patience=3", "training.batch_size=8")

    fitted = fit(name, data, training, 2, refit=True)
    everything = replace(data, train=data.folds[0].train)
    assert len(everything.train) == len(data.train) + len(data.val)
    network = fresh(data, name, seed=2)
    everything = network.units.inside(everything)  # measured on train; the scales inside, on all that it is fitted on
    network.rescale(everything)
    plain_epochs(network, everything, fitted.epochs, 8, training.learning_rate, training.clip_norm, seed=2)
    for a, b in zip(fitted.final.weights, all_weights(network), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-2, atol=1e-4)


STATES = {
    "windows": ("lstm", False),
    "a text, its state carried along": ("lstm", True),
    "windows, dropout": ("gru", False),
}


@pytest.mark.parametrize("name", some(STATES, ("windows, dropout",)))
def test_a_run_goes_on_from_its_state_to_the_bit(name):
    """What is killed after any epoch, and restored into a program that was just built, ends with the same bits."""
    backbone, stateful = STATES[name]
    data = letters() if stateful else series()
    val = None if stateful else data.val
    changed = {"dropout": 0.4} if "dropout" in name else {}

    def block(first, last):
        visits = [data.train.schedule(8, 5, epoch, stateful) for epoch in range(first, last + 1)]
        return Epochs(
            [v.indices for v in visits],
            [v.lengths for v in visits],
            [0.05] * len(visits),
            data.train.steps(8) + 2,
            None,
        )

    through = program(fresh(data, backbone, seed=3, **changed), data, xla=False, stateful=stateful)
    through.start(through.weights())
    through.run(data.train, block(1, 2), val, 99, Silent())
    state = through.state()
    through.run(data.train, block(3, 5), val, 99, Silent())
    other = program(fresh(data, backbone, seed=4, **changed), data, xla=False, stateful=stateful)
    other.start(other.weights())
    other.run(data.train, block(1, 1), val, 99, Silent())
    other.restore(state)
    other.run(data.train, block(3, 5), val, 99, Silent())
    ours, theirs = tf.nest.flatten(through.state()), tf.nest.flatten(other.state())
    assert len(ours) == len(theirs) > 10
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    later = zip(state["weights"], through.weights(), strict=True)
    assert any(not np.array_equal(a, b) for a, b in later)


def test_chunks_change_nothing(monkeypatch):
    data = series(rows=2000)
    data = replace(data, train=replace(data.train, starts=np.arange(1500, dtype=np.int32)))
    results = []
    for seconds in (0.0, 1e9):
        monkeypatch.setattr(tf_program, "CHUNK_SECONDS", seconds)
        ours = program(fresh(data, "dense"), data)
        ours.start(ours.weights())
        told = Told()
        train(ours, data, epochs=2, val=data.val, callback=told)
        results.append((told.losses, ours.weights(), told.chunks))
    assert results[0][0] == results[1][0] and len(results[0][0]) == 2
    assert results[0][2] > 100 > results[1][2]
    assert all(np.array_equal(a, b) for a, b in zip(results[0][1], results[1][1], strict=True))


@pytest.mark.slow  # as chunks, which are shorter
def test_blocks_change_nothing(monkeypatch):
    data = series()
    training = graph("training.epochs=30", "training.patience=4", "training.learning_rate=0.05")
    results = []
    for steps in (1, 16, 4096):  # an epoch at a time, eight, all at once
        monkeypatch.setattr(tf_program, "BLOCK_STEPS", steps)
        programs._programs.clear()
        results.append(fit("dense", data, training, 0, refit=True))
    for other in results[1:]:
        assert other.history == results[0].history and other.epochs == results[0].epochs
        assert all(np.array_equal(a, b) for a, b in zip(other.final.weights, results[0].final.weights, strict=True))


def test_padding_is_no_step():
    data = series()
    ours = program(fresh(data, "dense"), data)
    ours.start(ours.weights())
    train(ours, data, spare=500)
    assert int(ours._optimizer.iterations) == math.ceil(len(data.train) / 8)


HASH = """
import sys; sys.path[:0] = ["tests"]
from test_engine import *
data = series() if sys.argv[1] == "series" else letters()
training = settings("training.epochs=3", "training.batch_size=8").training
numbers = BACKBONES[sys.argv[2]] | {"dropout": 0.3}
fitted = fit(sys.argv[2], data, training, 9, refit=False, **numbers)
print(hashlib.sha256(b"".join(w.tobytes() for w in fitted.final.weights)).hexdigest())
"""


@pytest.mark.parametrize(
    "arguments",
    [pytest.param(a, marks=pytest.mark.slow) for a in (("series", "dense"), ("series", "gru"), ("letters", "dense"))],
)
def test_a_fresh_process_gives_the_identical_weights(arguments):
    command = [sys.executable, "-c", HASH, *arguments]
    side_by_side = [
        subprocess.Popen(command, cwd=ROOT, env=clean_environment() | {"PYTHONHASHSEED": seed}, stdout=subprocess.PIPE)
        for seed in ("1", "2")
    ]
    digests = [process.communicate()[0].split()[-1] for process in side_by_side]
    assert digests[0] == digests[1] and len(digests[0]) == 64


def test_the_compiler_is_chosen_by_size():
    assert uses_xla("auto", 32, texts=False)
    assert not uses_xla("auto", 128, texts=False)
    assert not uses_xla("auto", 32, texts=True)
    assert uses_xla("xla", 512, texts=True) and not uses_xla("graph", 8, texts=False)


def test_hashes_are_of_something():
    assert (
        hashlib.sha256(b"").hexdigest() != hashlib.sha256(all_weights(fresh(series(), "lstm"))[0].tobytes()).hexdigest()
    )
    assert load(settings("task=airline")).digest


@pytest.mark.parametrize("name", some(("simple_rnn", "gru"), ("simple_rnn",)))
def test_repeated_prediction_feeds_its_own_answers_back(name):
    data = series(rows=80, lookback=5, horizon=1, columns=3, ahead=2)
    fitted = fit(name, data, graph("training.epochs=3"), 0, refit=False)
    far = replace(data.test, starts=data.test.starts[:7], y=Span("target", 5, 6))
    said = fitted.chosen.predict(far)
    window, rows = far.inputs().astype("f4"), data.train.arrays["rows"].astype("f4")
    for step in range(6):
        answer = fitted.chosen.model(window).numpy()  # (7, 1)
        np.testing.assert_allclose(said[:, step], answer[:, 0], rtol=1e-5)
        row = rows[far.starts + 5 + step].copy()  # what is known ahead is read, the target is not
        row[:, 0] = answer[:, 0]
        window = np.concatenate([window[:, 1:], row[:, None]], axis=1)


def test_repeated_prediction_never_reads_the_truth():
    data = series(rows=80, lookback=5, horizon=1, columns=1)
    fitted = fit("dense", data, graph("training.epochs=3"), 0, refit=False)
    far = replace(data.test, starts=data.test.starts[:1], y=Span("target", 5, 20))
    hidden = {k: v.copy() for k, v in far.arrays.items()}
    for array in hidden.values():
        array[far.starts[0] + 5 :] = np.nan
    assert np.array_equal(fitted.chosen.predict(far), fitted.chosen.predict(replace(far, arrays=hidden)))


def folds(data, count):
    """One window each, from the end of val on."""
    first = int(data.test.starts[0])
    return tuple(
        Fold(
            replace(data.train, starts=np.arange(first + i, dtype=np.int32)),
            replace(data.test, starts=np.array([first + i], np.int32)),
        )
        for i in range(count)
    )


@pytest.mark.parametrize("name", some(("dense", "gru"), ("dense",)))
def test_every_fold_is_fitted_as_if_it_were_alone_and_nothing_is_compiled_for_it(name):
    data = series(rows=70)
    data = replace(data, folds=folds(data, 4))
    training = graph("training.epochs=4", "training.batch_size=8", "training.patience=null")
    fitted = fit(name, data, training, 2, refit=True)
    traced = fitted.chosen.program.traces
    assert fitted.epochs == 4 and len(fitted.finals) == 4
    alone = fit(name, replace(data, folds=data.folds[2:3]), training, 2, refit=True)
    for a, b in zip(fitted.finals[2].weights, alone.final.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    again = fit(name, data, training, 3, refit=True)
    assert again.chosen.program is fitted.chosen.program and fitted.chosen.program.traces == traced
    assert fitted.test(data).values.shape == (4, 2)
    assert not np.allclose(fitted.finals[0].weights[0], fitted.finals[3].weights[0])


@pytest.mark.slow
def test_a_warm_start_goes_on_from_the_fold_before():
    data = series(rows=70)
    data = replace(data, folds=folds(data, 2))
    training = graph("training.epochs=4", "training.learning_rate=0.05", "training.patience=null")
    cold, warm = (fit("dense", data, training, 2, refit=True, warm_start=w) for w in (False, True))
    said = [[final.predict(data.test) for final in fitted.finals] for fitted in (cold, warm)]
    np.testing.assert_array_equal(said[0][0], said[1][0])  # nothing went before the first
    assert not np.allclose(said[0][1], said[1][1])
    standing = training.model_copy(update={"learning_rate": 1e-12})
    cold, warm = (fit("dense", data, standing, 2, refit=True, warm_start=w) for w in (False, True))
    np.testing.assert_allclose(cold.test(data), warm.test(data), rtol=1e-4)  # the scales are of the fold itself


def test_without_patience_all_epochs_run_and_the_last_weights_stay():
    data = series()
    training = graph("training.epochs=30", "training.patience=null", "training.learning_rate=0.05")
    fitted = fit("dense", data, training, 0, refit=False)
    assert fitted.epochs == len(fitted.history) == 30
    used = fitted.chosen.program
    used.load(fitted.chosen.weights)
    val = fitted.chosen.units.samples(data.val)
    last = used.evaluation.evaluate(upload(val), val.starts)[0]
    assert last == pytest.approx(fitted.history[-1][1], rel=1e-4) and last > min(v for _, v in fitted.history)


@pytest.mark.slow  # that of the taggers runs in the fast ones
def test_an_ensemble_answers_with_the_mean_of_its_members(tmp_path):
    data = series()
    training = graph("training.epochs=2")
    ensemble = fit("dense", data, training, 1, refit=True, members=3)
    members = [fit("dense", data, training, 3 + i, refit=True) for i in range(3)]
    mean = np.mean([m.test(data) for m in members], axis=0)
    np.testing.assert_allclose(ensemble.test(data), mean, rtol=1e-5)
    assert ensemble.parameters == 3 * members[0].parameters
    ensemble.final.model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(data.test.inputs().astype("f4")), mean, rtol=1e-4)


def classes() -> Data:
    """The kind of the next row is the one of the row before, turned by one."""
    codes = np.arange(120) % 3
    rows = np.concatenate([np.eye(3)[codes], np.random.default_rng(0).normal(size=(120, 1))], axis=1)
    arrays = {"rows": rows, "target": codes.astype(np.int32)}
    parts = [
        Windows(arrays, np.arange(a, b, dtype=np.int32), Span("rows", 0, 4), Span("target", 4, 1))
        for a, b in ((0, 60), (60, 80), (80, 116))
    ]
    return Data(
        *parts,
        folds=(Fold(parts[0], parts[2]),),
        index=np.arange(120),
        outputs=3,
        unit="nats",
        digest="",
        columns=tuple("abcd"),
        tokens=("x", "y", "z"),
    )


@pytest.mark.parametrize("name", some(sorted(BACKBONES), ("simple_rnn",)))
def test_a_network_learns_to_tell_kinds_apart(name):
    data = classes()
    training = graph("training.epochs=60", "training.learning_rate=0.05", "training.patience=60")
    said = fit(name, data, training, 0, refit=False).test(data).probabilities
    assert said.shape == (36, 3)
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-5)
    assert (said.argmax(axis=1) == data.test.targets()[:, 0]).mean() > 0.95


@pytest.mark.parametrize("ends", [("none", "window"), ("last", "window"), ("season", "window"), ("last", "train")])
@pytest.mark.parametrize("name", some(("dense", "gru"), ("dense",)))
def test_windows_of_other_levels_and_spreads_get_answers_of_theirs(name, ends):
    difference, scale = ends
    data = series(columns=1, season=3, ends=TargetTransform(log=False, difference=difference, scale=scale))
    network = fresh(data, name)
    x = data.test.inputs().astype("f4")
    said = network.model(x).numpy()
    moved = network.model(x + 100).numpy()
    np.testing.assert_allclose(moved - 100, said, rtol=1e-3, atol=1e-2)
    if scale == "window":
        np.testing.assert_allclose(network.model(x * 3).numpy() / 3, said, rtol=1e-3, atol=1e-2)
    inside = network.units.samples(data.test)
    target, scaled, answer = network.loss_model([inside.inputs(), inside.targets()])
    assert target.shape == scaled.shape and np.allclose(network.units.values(answer.numpy(), data.test), said)

"""Examples of their own length: what is padded never counts, and the engine equals a plain fitting."""

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from conftest import clean_environment, some
from factories import Data, build
from test_engine import Silent, Told, all_weights, graph, program, train

from lookback.data.dataset import Fold
from lookback.data.samples import Ragged

import keras  # isort: skip  # once test_engine has prepared the device
import tensorflow as tf  # isort: skip

from lookback.models.networks.network import average_models
from lookback.training import fit as fitting
from lookback.training.tensorflow.gather import upload

LONGEST, WORDS, LETTERS = 13, 30, 12
LAYOUTS = ((LONGEST,), (4, 8, LONGEST), tuple(range(1, LONGEST + 1)))
KINDS = {"sentiment": 3, "rating": 1, "tagging": 4}  # and what is said at once


def rows(kind, seed=0) -> Data:
    """26 examples to learn from, 9 for val and 7 for test, of 1 to 13 words of 1 to 5 letters."""
    rng = np.random.default_rng(seed)
    lengths = np.concatenate([*(rng.permutation(LONGEST) + 1 for _ in range(3)), [1, 4, 5, 8, 9, 12, LONGEST]])[4:]
    first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    words = rng.integers(1, WORDS, first[-1]).astype(np.int32)
    letters = rng.integers(1, LETTERS, (first[-1], 5)) * (np.arange(5) < rng.integers(1, 6, first[-1])[:, None])
    marked = np.array([np.sum(words[a:b] > 20) % 3 for a, b in pairwise(first)])
    label = marked.astype(np.int32) if kind == "sentiment" else marked * 2.0 + rng.random(42) + 1
    arrays = {"first": first, "words": words, "letters": letters.astype(np.int32), "label": label}
    arrays["tag"] = ((words + np.roll(words, 1)) % 4).astype(np.int32)
    tagging = kind == "tagging"
    x, y = (("words", "letters"), "tag") if tagging else (("words",), "label")

    def part(a, b):
        return Ragged(arrays, rng.permutation(np.arange(a, b, dtype=np.int32)), x, y, tagging, LAYOUTS[1])

    test = part(35, 42)
    return Data(
        train=part(0, 26),
        val=part(26, 35),
        test=test,
        folds=(Fold(part(0, 35), test),),
        index=np.arange(42),
        outputs=KINDS[kind],
        unit="u",
        digest="",
        tokens=() if kind == "rating" else tuple("abcd"[: KINDS[kind]]),
        words=tuple(map(str, range(WORDS))),
        letters=tuple(map(str, range(LETTERS))),
        spelling=(3, 4),
        bounds=(-99.0, 99.0) if kind == "rating" else None,
        embedding=6,
        loss="mse" if kind == "rating" else "crossentropy",
    )


def fresh(data, name, seed=3, **numbers):
    keras.utils.set_random_seed(seed)
    return build(data, name, **{"units": 5, "layers": 1, "dropout": 0.0} | numbers)


def unlike(network):
    """No weight is 0 or like another: what should not count would be seen."""
    rng = np.random.default_rng(9)
    for v in network.loss_model.trainable_variables:
        v.assign(rng.normal(0, 0.8, v.shape))
    return network


def inputs(samples, example, padding=0):
    """One example, and as much padding behind it."""
    a, b = samples.arrays["first"][example : example + 2]
    x = [samples.arrays[name][a:b] for name in samples.x]
    x = [np.pad(tokens, [(0, padding)] + [(0, 0)] * (tokens.ndim - 1))[None] for tokens in x]
    return x if len(x) > 1 else x[0]


def alone(network, samples):
    """What the model says of each example by itself: (targets, outputs)."""
    said = [network.model(inputs(samples, example)).numpy() for example in samples.examples]
    return np.concatenate([one.reshape(-1, one.shape[-1]) for one in said])


# --- padding ---

SLID, ADDED = ("dense", {"kernel_size": 4, "layers": 2}), ("bag_of_words", {"layers": 2})


def read(name, bidirectional, pooling, **numbers):
    return name, {"bidirectional": bidirectional, "pooling": pooling} | numbers


EVERY = [read(n, b, p) for n in ("simple_rnn", "lstm", "gru") for b in (False, True) for p in ("last", "mean", "max")]
# Bodies share how they read and pool: the fast tests take each way once, the slow ones each way of each body.
ANSWERED = [
    ("sentiment", *SLID),
    ("sentiment", *read("gru", True, "last")),
    ("rating", *read("lstm", False, "max", skip_connection=True)),
    ("tagging", *SLID),
    ("tagging", *read("simple_rnn", True, "last", layers=2)),
]
QUICK = [
    *ANSWERED,
    *(("sentiment", *pair) for pair in EVERY if pair[0] == "simple_rnn"),
    ("sentiment", *ADDED),
    ("rating", "dense", {"kernel_size": 1, "skip_connection": True}),
    ("tagging", "dense", {"kernel_size": 3}),
    ("tagging", *read("lstm", False, "last")),
]
SLOW = [(kind, *pair) for kind in KINDS for pair in EVERY if kind != "tagging" or pair[1]["pooling"] == "last"]
PADDED = [*QUICK, *(case for case in SLOW if case not in QUICK)]


@pytest.mark.parametrize(("kind", "name", "numbers"), some(PADDED, QUICK))
def test_padding_never_changes_an_answer(kind, name, numbers):
    data = rows(kind)
    network = unlike(fresh(data, name, **numbers))
    expected = alone(network, data.test)
    assert np.ptp(expected, axis=0).min() > 0.01, "answers that are all alike would prove nothing"
    wide = LONGEST + 3 - data.test.lengths()
    x = [inputs(data.test, example, padding) for example, padding in zip(data.test.examples, wide, strict=True)]
    said = network.model(list(map(np.concatenate, zip(*x, strict=True))) if kind == "tagging" else np.concatenate(x))
    there = np.arange(LONGEST + 3) < data.test.lengths()[:, None]
    said = said.numpy()[there] if kind == "tagging" else said.numpy()
    np.testing.assert_allclose(said, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("kind", "name", "numbers"), some(ANSWERED, ANSWERED[1:4]))
def test_the_engine_answers_as_the_model_does_whatever_shares_a_batch(kind, name, numbers):
    data = rows(kind)
    network = unlike(fresh(data, name, **numbers))
    expected = alone(network, data.test)
    ours = program(network, data, xla=False)
    for buckets in LAYOUTS:
        samples = replace(data.test, buckets=buckets)
        loss, said = ours.evaluation.answer(upload(samples), samples)
        np.testing.assert_allclose(said, expected, rtol=1e-5, atol=1e-6)
        assert loss == pytest.approx(loss_of(data, network, expected), rel=1e-5)
    assert ours.traces == 1, "one program for every length"


def loss_of(data, network, said):
    """The mean over targets, from the answers: (targets, outputs)."""
    targets = data.test.targets()
    if data.tokens:
        return float(-np.log(np.take_along_axis(said, targets[:, None], axis=1)).mean())
    spread = network.loss_model.get_layer("unscale").get_weights()[0][0]
    return float((((said[:, 0] - targets) / spread) ** 2).mean())


def test_what_stands_behind_the_last_letter_of_a_word_is_nothing():
    data = rows("tagging")
    wide = {**data.train.arrays, "letters": np.pad(data.train.arrays["letters"], [(0, 0), (0, 4)])}
    wider = replace(data, train=replace(data.train, arrays=wide), test=replace(data.test, arrays=wide))
    a, b = (unlike(fresh(part, "dense", kernel_size=3)) for part in (data, wider))
    np.testing.assert_allclose(alone(a, data.test), alone(b, wider.test), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "pooling"), [("sentiment", "last"), ("sentiment", "mean"), ("sentiment", "max"), ("tagging", "last")]
)
def test_half_of_a_bidirectional_network_reads_backwards(kind, pooling):
    data = rows(kind)
    network = unlike(fresh(data, "simple_rnn", bidirectional=True, pooling=pooling))
    forwards, backwards = (n for n in network.model.layers if isinstance(n, keras.layers.SimpleRNN))
    head = network.model.get_layer("head")
    for example in data.test.examples[data.test.lengths() > 7][:2]:
        x = inputs(data.test, example)
        turned = [part[:, ::-1] for part in x] if isinstance(x, list) else x[:, ::-1]
        said = network.model(inputs(data.test, example, padding=2)).numpy()
        said = said[:, :-2][:, ::-1] if kind == "tagging" else said
        # The text turned round, and the two halves changed places: the same is read.
        swap(forwards, backwards, head)
        np.testing.assert_allclose(network.model(turned), said, rtol=1e-5, atol=1e-6)
        swap(forwards, backwards, head)


def swap(forwards, backwards, head):
    a, b = forwards.get_weights(), backwards.get_weights()
    forwards.set_weights(b)
    backwards.set_weights(a)
    kernel, bias = head.get_weights()
    head.set_weights([np.roll(kernel, len(kernel) // 2, axis=0), bias])


def test_a_rating_is_never_out_of_bounds():
    data = rows("rating")
    free = alone(unlike(fresh(data, "dense", kernel_size=1)), data.test)
    low, high = np.quantile(free, [0.3, 0.7])
    held = unlike(fresh(replace(data, bounds=(float(low), float(high))), "dense", kernel_size=1))
    np.testing.assert_allclose(alone(held, data.test), free.clip(low, high), rtol=1e-5)


# --- training ---


def plain_epochs(network, data, epochs, size, rate, seed):
    """Batch after batch in the order of the engine, padded to the longest example that is there; mean losses."""
    optimizer, losses = keras.optimizers.Adam(rate, global_clipnorm=1.0), []
    for epoch in range(1, epochs + 1):
        lost, counted = 0.0, 0
        for numbers in data.train.schedule(size, seed, epoch, False)[0]:
            batch = replace(data.train, examples=numbers[numbers >= 0])
            lengths = batch.lengths()
            there = np.arange(lengths.max()) < lengths[:, None]  # (b, t)
            xs = [np.zeros((*there.shape, *batch.arrays[name].shape[1:]), np.int32) for name in batch.x]
            for x, name in zip(xs, batch.x, strict=True):
                x[there] = batch.arrays[name][replace(batch, per_token=True).target_rows()]
            y = batch.targets()
            if batch.per_token:
                y = np.zeros(there.shape, np.int32)
                y[there] = batch.targets()
            with tf.GradientTape() as tape:
                target, said, _ = network.loss_model([*map(tf.constant, xs), tf.constant(y)])
                if data.tokens:
                    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(target, said)
                    loss = tf.boolean_mask(loss, there) if batch.per_token else loss
                else:
                    loss = tf.square(target - said)[:, 0]
                count, loss = loss.shape[0], tf.reduce_mean(loss)
            variables = network.loss_model.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
            lost, counted = lost + float(loss) * count, counted + count
        losses.append(lost / counted)
    return losses


# Every kind, what is convolved, read and added, each once; the slow tests take more of their pairs.
FITTED = [("sentiment", *SLID), ("rating", *ADDED), ("tagging", *read("simple_rnn", True, "last"))]
FITTED_TOO = [
    ("sentiment", *read("gru", True, "max", skip_connection=True)),
    ("rating", *read("lstm", False, "mean", skip_connection=True)),
    ("tagging", *SLID),
]


@pytest.mark.parametrize(("kind", "name", "numbers"), some([*FITTED, *FITTED_TOO], FITTED[2:]))
def test_two_epochs_equal_the_plain_loop(kind, name, numbers):
    data = rows(kind)
    network = fresh(data, name, **numbers)
    begin = all_weights(network)
    losses = plain_epochs(network, data, 2, 8, 0.01, seed=5)
    expected = all_weights(network)

    ours, told = program(network, data, xla=False), Told()
    ours.start(begin)
    train(ours, data, epochs=2, callback=told)
    assert [loss for _, loss, _ in told.losses] == pytest.approx(losses, rel=1e-5)
    for variable, a, b in zip(network.loss_model.variables, ours.weights(), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=variable.path)
    moved = [not np.array_equal(a, b) for a, b in zip(begin, expected, strict=True)]
    assert sum(moved) >= len(network.loss_model.trainable_variables)
    assert (data.train.schedule(8, 5, 1, False)[0] < 0).any(), "some batch must be a short one"


@pytest.mark.parametrize("size", [1, 8, 64])
@pytest.mark.parametrize("buckets", LAYOUTS)
def test_an_epoch_visits_every_example_once_in_batches_of_like_length(size, buckets):
    train = replace(rows("tagging").train, buckets=buckets)
    lengths_of = np.diff(train.arrays["first"])
    orders = []
    for epoch in (1, 2, 3):
        numbers, lengths = train.schedule(size, 5, epoch, False)
        assert numbers.shape == (train.steps(size), size) and lengths.shape == numbers.shape[:1]
        assert sorted(numbers[numbers >= 0]) == sorted(train.examples)
        for batch, padded_to in zip(numbers, lengths, strict=True):
            shorter = max([b for b in buckets if b < padded_to], default=0)
            own = lengths_of[batch[batch >= 0]]
            assert len(own) and shorter < own.min() and own.max() <= padded_to
            assert set(~batch[batch < 0]) <= set(train.examples)  # what fills a batch up is there to be read
        again = train.schedule(size, 5, epoch, False)
        assert np.array_equal(again[0], numbers) and np.array_equal(again[1], lengths)
        orders.append(numbers[numbers >= 0].tolist())
    orders.append(train.schedule(size, 6, 1, False)[0][numbers >= 0].tolist())
    assert len({tuple(order) for order in orders}) == 4


def test_short_and_long_batches_take_turns():
    lengths = [rows("sentiment").train.schedule(8, 5, epoch, False)[1] for epoch in range(1, 6)]
    assert sum((np.diff(some) < 0).any() for some in lengths) >= 4


RNN = read("simple_rnn", True, "last", dropout=0.2)


def fit(data, training, seed, body, members=1):
    name, numbers = body[0], {"units": 5, "layers": 1, "dropout": 0.0} | body[1]
    recipe = fitting.Recipe(
        lambda part: build(part, name, **numbers), 5, members, average_models, training, True, False
    )
    return fitting.fit_network(recipe, data, seed, Silent())


@pytest.mark.parametrize(("kind", "body"), some([("rating", ADDED), ("tagging", RNN)], [("rating", ADDED)]), ids=str)
def test_one_program_serves_all_lengths_every_trial_and_the_refit(kind, body):
    data, training = rows(kind), graph("training.epochs=2", "training.batch_size=8")
    first = fit(data, training, 0, body)
    used = first.chosen.program
    assert used.traces == 2  # one that trains, one that answers
    second = fit(data, training.model_copy(update={"learning_rate": 0.02}), 1, body)
    third = fit(data, training, 0, body)
    assert second.chosen.program is third.chosen.program is used and used.traces == 2
    for a, b in zip(first.final.weights, third.final.weights, strict=True):
        assert np.array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(first.final.weights, second.final.weights, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first.final.weights, first.chosen.weights, strict=True))


def test_val_judges_every_epoch_and_the_best_weights_stay():
    data = rows("sentiment")
    training = graph(
        "training.epochs=40", "training.batch_size=8", "training.learning_rate=0.05", "training.patience=4"
    )
    fitted = fit(data, training, 0, ADDED)
    losses = [val for _, val in fitted.history]
    assert fitted.epochs == 1 + int(np.argmin(losses)) < len(losses) <= fitted.epochs + 4
    said = fitted.chosen.predict(data.val).probabilities
    own = np.take_along_axis(said, data.val.targets()[:, None], axis=1)
    assert -np.log(own).mean() == pytest.approx(min(losses), rel=1e-5)


# --- what is saved ---

ELSEWHERE = """
import sys
sys.modules["lookback"] = None  # whoever imports it fails
import keras, numpy as np
for name in sys.argv[2:]:
    model = keras.saving.load_model(f"{sys.argv[1]}/{name}.keras")
    held = np.load(f"{sys.argv[1]}/{name}.npz")
    x = [held[i.name] for i in model.inputs]
    said = model(x if len(x) > 1 else x[0]).numpy()
    np.testing.assert_allclose(said, held["said"], rtol=1e-5, atol=1e-6)
print("same", len(sys.argv[2:]))
"""


@pytest.mark.slow
def test_a_saved_network_answers_the_same_in_plain_keras(tmp_path):
    saved = {"sentiment": read("lstm", True, "max", dropout=0.2, skip_connection=True), "rating": ADDED, "tagging": RNN}
    for kind, (name, numbers) in saved.items():
        data = rows(kind)
        model = unlike(fresh(data, name, **numbers)).model
        x = inputs(data.test, data.test.examples[0], padding=3)
        model.save(tmp_path / f"{kind}.keras")
        given = dict(zip(data.test.x, x if isinstance(x, list) else [x], strict=True))
        np.savez(tmp_path / f"{kind}.npz", said=model(x).numpy(), **given)
    command = [sys.executable, "-c", ELSEWHERE, str(tmp_path), *saved]
    done = subprocess.run(command, cwd=tmp_path, env=clean_environment(tmp_path), capture_output=True, text=True)
    assert done.stdout.split()[-2:] == ["same", "3"], done.stderr


def test_an_ensemble_of_taggers_answers_with_the_mean_of_its_members(tmp_path):
    data, training = rows("tagging"), graph("training.epochs=1", "training.batch_size=8")
    ensemble = fit(data, training, 1, SLID, members=2)
    members = [fit(data, training, 2 + i, SLID) for i in range(2)]
    mean = np.mean([m.test(data).probabilities for m in members], axis=0)
    np.testing.assert_allclose(ensemble.test(data).probabilities, mean, rtol=1e-5)
    ensemble.final.model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = inputs(data.test, data.test.examples[0], padding=3)
    length = data.test.lengths()[0]
    np.testing.assert_allclose(loaded(x)[0, :length], mean[:length], rtol=1e-4, atol=1e-6)

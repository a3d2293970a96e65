"""What `benchmarks/run.py` measures: the same work for stock Keras and for the engine.

`stock` and `engine` make the jobs of a side: name -> a function that runs it once and returns seconds.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from lookback.configuration import compose as composing
from lookback.configuration.settings import Settings
from lookback.data.dataset import Data, Fold, TargetTransform
from lookback.data.samples import Span, Stream, Windows
from lookback.data.sampling import SamplingConfig
from lookback.models import catalogue
from lookback.paths import CONF, ROOT
from lookback.settings import Training
from lookback.training import device
from lookback.training.callbacks import Silent

LOOKBACK, BATCH, UNITS, WINDOWS = 20, 32, 32, 2507
EMBEDDING = 32
NETWORKS = ("dense", "simple_rnn", "lstm", "gru")
COURSE_EPOCHS, COURSE_SAMPLE = 1000, 100
LETTERS, WRITTEN, WRITTEN_SAMPLE, ABREAST = 104, 2000, 30, 32  # of a text that is written


# --- data that both sides train on ---------------------------------------------------------------


def windows(rows: int, lookback: int, val: int) -> Data:
    """A noisy sine of one column."""
    series = np.sin(np.arange(rows) / 9) * 10 + 20 + np.random.default_rng(0).normal(size=rows)
    arrays = {"rows": series[:, None], "target": series}
    border = rows - lookback - val

    def part(first: int, stop: int) -> Windows:
        return Windows(
            arrays, np.arange(first, stop, dtype=np.int32), Span("rows", 0, lookback), Span("target", lookback, 1)
        )

    parts = part(0, border), part(border, rows - lookback)
    return Data(
        *parts,
        parts[1],
        folds=(Fold(parts[0], parts[1]),),
        index=np.arange(rows),
        outputs=1,
        unit="",
        digest="",
        columns=("sine",),
    )


def letters(characters: int, lookback: int) -> Data:
    """Characters at random: the arithmetic does not care."""
    arrays = {"codes": np.random.default_rng(0).integers(1, 104, characters).astype(np.int32)}
    starts = np.arange(0, characters - 2 * lookback, lookback, dtype=np.int32)
    tail = Stream(arrays, "codes", characters - 500, characters)
    train = Windows(arrays, starts, Span("codes", 0, lookback), Span("codes", 1, lookback), random_offset=lookback)
    return Data(
        train,
        tail,
        tail,
        (Fold(train, tail),),
        np.arange(characters),
        outputs=104,
        unit="",
        digest="",
        tokens=tuple(map(chr, range(104))),
    )


def numbers(name: str, units: int) -> dict[str, Any]:
    """A model's settings."""
    own = {"kernel_size": 8} if name == "dense" else {"bidirectional": False, "pooling": "last"}
    return {"units": units, "layers": 1, "dropout": 0.0, "skip_connection": False} | own


# --- the two sides ---------------------------------------------------------------------------------


def stock() -> dict[str, Callable[[], float]]:
    """Keras as its users run it."""
    import keras

    body = {
        "dense": lambda: [keras.layers.Flatten(), keras.layers.Dense(UNITS, activation="relu")],
        "simple_rnn": lambda: [keras.layers.SimpleRNN(UNITS)],
        "lstm": lambda: [keras.layers.LSTM(UNITS)],
        "gru": lambda: [keras.layers.GRU(UNITS)],
    }
    data = windows(WINDOWS + LOOKBACK, LOOKBACK, 0)
    x, y = data.train.inputs().astype("f4"), data.train.targets().astype("f4")  # type: ignore[union-attr]

    def fit(model: Any, x: Any, y: Any, batch: int, epochs: int = 1, **more: Any) -> Callable[[], float]:
        def run() -> float:
            began = time.perf_counter()
            model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0, **more)
            return (time.perf_counter() - began) / epochs

        return run

    def compiled(layers: list[Any], loss: Any, shape: tuple[int, ...]) -> Any:
        model = keras.Sequential([keras.Input(shape), *layers])
        model.compile(keras.optimizers.Adam(global_clipnorm=1.0), loss)
        return model

    jobs = {
        name: fit(compiled([*body[name](), keras.layers.Dense(1)], "mae", (LOOKBACK, 1)), x, y, BATCH)
        for name in NETWORKS
    }

    text = letters(64 * 64 * 20 + 129, 64)
    layers = [keras.layers.Embedding(104, 32), keras.layers.LSTM(128, return_sequences=True), keras.layers.Dense(104)]
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    language = compiled(layers, crossentropy, (64,))
    jobs["language model"] = fit(language, text.train.inputs(), text.train.targets(), 64)  # type: ignore[union-attr]

    def write() -> float:
        """Seconds a character of the usual loop: the whole window is predicted anew for each."""
        window, uniforms = text.train.inputs()[:1], np.random.default_rng(0)  # type: ignore[union-attr]
        began = time.perf_counter()
        for _ in range(WRITTEN_SAMPLE):
            logits = language.predict(window, verbose=0)[0, -1].astype(float)
            chances = np.exp((logits - logits.max()) / 0.8)
            token = uniforms.choice(LETTERS, p=chances / chances.sum())
            window = np.append(window[:, 1:], [[token]], axis=1)
        return (time.perf_counter() - began) / WRITTEN_SAMPLE

    jobs["writing"] = write

    course = course_data()
    perceptron = compiled(
        [keras.layers.Flatten(), keras.layers.Dense(UNITS, activation="relu"), keras.layers.Dense(1)], "mae", (20, 1)
    )
    parts: Any = (course.train, course.val)
    both = [(part.inputs().astype("f4"), part.targets().astype("f4")) for part in parts]
    jobs["course perceptron"] = fit(perceptron, *both[0], 10, COURSE_SAMPLE, validation_data=both[1])
    return jobs


def epochs_of(data: Data, batch: int, epochs: int, rate: float, limit: int | None = None) -> Any:
    """A block of epochs, as the training loop makes it."""
    from lookback.training.schedule import Epochs

    several = [data.train.schedule(batch, 0, number) for number in range(epochs)]  # type: ignore[union-attr]
    indices, lengths = [one.indices for one in several], [one.lengths for one in several]
    return Epochs(indices, lengths, [rate] * epochs, data.train.steps(batch), limit)


def network(data: Data, name: str, units: int) -> Any:
    """A network of the benchmark: forecasts by MAE, or a language model."""
    from lookback.models.networks import heads

    model = catalogue.entry(name).settings.model_validate({"name": name, "members": 1} | numbers(name, units))
    if data.tokens:
        return heads.language(data, model, EMBEDDING)
    return heads.forecast(data, model, TargetTransform(log=False, difference="none", scale="train"), "mae")


def engine() -> dict[str, Callable[[], float]]:
    """The same through the engine."""
    device.prepare("cpu", 2)
    import keras

    from lookback.models.networks.network import average_models
    from lookback.training import fit
    from lookback.training.compiler import uses_xla
    from lookback.training.program import program_for

    def epochs(data: Data, name: str, units: int, batch: int) -> Callable[[], float]:
        ours = network(data, name, units)
        data = ours.units.inside(data)
        xla = uses_xla("auto", units, texts=ours.step_model is not None)
        program = program_for(ours, data.train, plan(batch_size=batch), xla, "tensorflow")
        program.start(program.weights())
        at_once = program.block(data.train.steps(batch)) if program.validates_inside else 1

        def run() -> float:
            began = time.perf_counter()
            program.run(data.train, epochs_of(data, batch, at_once, 0.001), None, 10**9, Silent())
            return (time.perf_counter() - began) / at_once

        return run

    data = windows(WINDOWS + LOOKBACK, LOOKBACK, 0)
    jobs = {name: epochs(data, name, UNITS, BATCH) for name in NETWORKS}
    text = letters(64 * 64 * 20 + 129, 64)
    jobs["language model"] = epochs(text, "lstm", 128, 64)

    def second_trial() -> float:
        """From nothing to the end of the first step: another seed, another learning rate."""
        began = time.perf_counter()
        keras.utils.set_random_seed(time.time_ns() % 1000)
        fresh = network(data, "lstm", UNITS)
        inside = fresh.units.inside(data)
        program = program_for(fresh, inside.train, plan(batch_size=BATCH), True, "tensorflow")
        program.start([v.numpy() for v in fresh.loss_model.variables])
        program.run(inside.train, epochs_of(data, BATCH, 1, 0.01, limit=1), None, 10**9, Silent())
        return time.perf_counter() - began

    jobs["second trial"] = second_trial
    writer = program_for(network(text, "lstm", 128), text.train, plan(batch_size=64), False, "tensorflow")
    prompt = text.train.inputs()[:1]  # type: ignore[union-attr]  # (1, 64)

    def write(samples: int) -> float:
        """Seconds a character, the reading of the prompt included."""
        began = time.perf_counter()
        written = sum(
            block.size for block in writer.write(np.tile(prompt, (samples, 1)), WRITTEN, SamplingConfig(0, 0.8))
        )
        return (time.perf_counter() - began) / written

    jobs |= {"writing": lambda: write(1), "writing abreast": lambda: write(ABREAST)}

    def course() -> float:
        """All 1,000 epochs, each with validation; compilation too: another clip norm is another program."""
        data = course_data()
        training = plan(epochs=COURSE_EPOCHS, batch_size=10, clip_norm=1.0 + time.time_ns() % 1000 / 1e6)

        def build(part: Data) -> Any:
            return network(part, "dense", UNITS)

        began = time.perf_counter()
        fit.fit_network(fit.Recipe(build, UNITS, 1, average_models, training, False, False), data, 0, Silent())
        return time.perf_counter() - began

    jobs["course perceptron"] = course

    def backtest() -> float:
        """48 airline origins of the LSTM, each fitted from fresh weights."""
        began = time.perf_counter()
        recipe, data = airline_backtest()
        fit.fit_network(recipe, data, time.time_ns() % 1000, Silent())
        return time.perf_counter() - began

    jobs["backtest"] = backtest
    return jobs


def airline_backtest() -> tuple[Any, Data]:
    """As `pipelines/train.py task=airline model=lstm evaluation=backtest evaluation.origins=48` runs it."""
    from lookback import problems
    from lookback.models.networks.network import average_models
    from lookback.training import fit

    settled = composed("task=airline", "model=lstm", "evaluation=backtest", "evaluation.origins=48")
    model: Any = settled.model

    def build(part: Data) -> Any:
        return settled.problem.network(settled.task, part, model)

    recipe = fit.Recipe(build, model.units, 1, average_models, settled.training, refit=True, warm_start=False)
    return recipe, problems.load(settled.task, settled.evaluation, ROOT)


def composed(*overrides: str) -> Settings:
    """The settings of a command line."""
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(str(CONF), version_base="1.3"):
        return composing.settings(compose("train", overrides=list(overrides)))


def plan(**changed: Any) -> Training:
    """Settings of the measured runs: nothing stops early."""
    numbers: dict[str, Any] = {
        "epochs": 1, "batch_size": BATCH, "learning_rate": 0.001, "decay": "none", "patience": COURSE_EPOCHS,
        "clip_norm": 1.0, "weight_decay": 0.0, "compiler": "auto", "limit_epochs": None, "limit_steps": None,
        "stateful": False,
    }  # fmt: skip
    return Training(**numbers | changed)


def course_data() -> Data:
    """The airline series of the course: look-back 20, the first 100 months to train, the rest to validate."""
    values = np.loadtxt(ROOT / "data/airline.csv", delimiter=",", skiprows=1, usecols=1)
    data = windows(len(values), 20, 44)
    arrays = {"rows": values[:, None], "target": values}
    parts = {part: replace(getattr(data, part), arrays=arrays) for part in ("train", "val", "test")}
    return replace(data, **parts)

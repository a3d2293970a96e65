"""Numbers on any level and of any size: the same forecasts, moved and stretched with them."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import load, settings, some
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lookback.experiment.model import model_of
from lookback.models import catalogue
from lookback.models.networks import units

ON_RATIOS = {"growth_naive", "log_linear"}  # what they say of ratios is not the same on another level
SMALL = {
    "networks": ["model.units=4", "training.epochs=2", "training.batch_size=32", "training.compiler=graph"],
    "sarima": ["model.orders=[101-000]", "model.log=false"],
    "holt_winters": ["model.forms=[add_add]"],
    "boosting": ["model.rounds=5"],
}


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    """160 days with a week and a trend, around 40."""
    t = np.arange(160)
    y = 40 + 0.05 * t + 3 * np.sin(2 * np.pi * t / 7) + np.random.default_rng(2).normal(size=160)
    days = np.datetime64("2021-01-01") + t
    path = tmp_path_factory.mktemp("units") / "y.csv"
    path.write_text("day,y\n" + "".join(f"{d},{v!r}\n" for d, v in zip(days, y.tolist(), strict=True)))
    return path


def settled(csv, model, *more):
    small = SMALL.get(model, SMALL["networks"] if settings(f"model={model}").entry.network else [])
    return settings(
        "task=weather", f"task.path={csv}", "task.time=day", "task.time_format=%Y-%m-%d", "task.target=y",
        "task.past_covariates=[]", "task.future_covariates=[]", "task.calendar=[]", "task.season=7",
        "task.lookback=9", "task.freq=D",
        "task.split={by:rows,val:20,test:20}", "task.difference=last", "task.horizon=1", "device=cpu",
        f"model={model}", *small, *more,
    )  # fmt: skip


class Silent:
    on_fit_begin = on_steps_end = on_epoch_end = lambda self, *_: None


def moved(data, scale, shift):
    """The same samples of scale * y + shift."""
    arrays = dict(data.train.arrays)
    arrays["rows"] = arrays["rows"] * scale + shift
    arrays["target"] = arrays["target"] * scale + shift
    parts = {name: replace(getattr(data, name), arrays=arrays) for name in ("train", "val", "test")}
    folds = tuple(
        replace(f, train=replace(f.train, arrays=arrays), test=replace(f.test, arrays=arrays)) for f in data.folds
    )
    return replace(data, **parts, folds=folds)


FITTED = catalogue.fitting("forecast")


@pytest.mark.parametrize("model", some(FITTED, set(FITTED) - {"dense", "lstm", "simple_rnn", "gru"}))
def test_a_forecast_moves_and_stretches_with_the_numbers(csv, model):
    chosen = settled(csv, model)
    data = load(chosen)
    said = model_of(chosen).fit(chosen, data, Silent()).test(data).values
    spread = data.test.targets().std()

    @tried(max_examples=3, derandomize=True, deadline=None)
    @given(power=st.integers(-12, 12), level=st.sampled_from([0.0, 1e4, -1e6, 1e9]))
    def moves(power, level):
        scale, shift = 10.0**power, 0.0 if model in ON_RATIOS else 10.0**power * level
        elsewhere = (
            model_of(chosen).fit(chosen, moved(data, scale, shift), Silent()).test(moved(data, scale, shift)).values
        )
        np.testing.assert_allclose((elsewhere - shift) / scale, said, atol=2e-3 * spread, rtol=0)

    moves()


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A file of two series of 120 days, the first on a level that is asked for."""
    noise = np.random.default_rng(3).normal(size=(2, 120))
    days = np.datetime64("2021-01-01") + np.arange(120)

    def at(level):
        path = tmp_path_factory.mktemp("two") / "y.csv"
        series = {"a": level + noise[0], "b": 3 * noise[1]}
        lines = [f"{d},{name},{v!r}" for name, y in series.items() for d, v in zip(days, y.tolist(), strict=True)]
        path.write_text("day,shop,y\n" + "\n".join(lines) + "\n")
        return path

    return at


RELATIVE = [("last", "window"), ("last", "train"), ("season", "train"), ("none", "window")]


@pytest.mark.parametrize(("difference", "scale"), some(RELATIVE, ()))
def test_a_series_on_a_high_level_takes_no_digits_from_another(two, difference, scale):
    said = []
    for level in (5.0, 1e9):
        ends = f"task.difference={difference}", f"task.scale={scale}"
        chosen = settled(two(level), "dense", "task.series=shop", *ends)
        data = load(chosen)
        fitted = model_of(chosen).fit(chosen, data, Silent())
        own = data.test.arrays["series"][data.test.starts] == 0
        answers = fitted.test(data).values
        said.append(np.where(own[:, None], answers - level, answers))
        saved = fitted.final.model.predict_on_batch(data.test.inputs())
        np.testing.assert_allclose(np.where(own[:, None], saved - level, saved), said[-1], atol=1e-3)
    np.testing.assert_allclose(said[1], said[0], atol=1e-2)
    assert said[0].std() > 0.1, "forecasts that never move would agree on any level"


def test_the_saved_network_answers_as_the_engine_does_on_any_level(csv, tmp_path):
    import keras

    chosen = settled(csv, "dense", "task.transform=log")
    for scale, shift in ((1.0, 0.0), (1e-9, 0.0), (1.0, 1e8)):
        data = moved(load(chosen), scale, shift)
        fitted = model_of(chosen).fit(chosen, data, Silent())
        fitted.final.model.save(tmp_path / "m.keras")
        loaded = keras.saving.load_model(tmp_path / "m.keras")
        said = loaded.predict_on_batch(data.test.inputs())  # `predict` would cast to float32 first
        assert said.dtype == np.float64
        np.testing.assert_allclose((said - shift) / scale, (fitted.test(data).values - shift) / scale, atol=2e-3)


def test_a_column_that_stands_still_in_train_has_nothing_to_scale():
    """20.1 has no exact form: the mean of many is not quite 20.1, and what is left is no spread."""
    x = np.full((1000, 14, 2), [20.1, 0.0])
    x[:, :, 1] = np.random.default_rng(0).normal(size=(1000, 14))
    assert 0 < x.std((0, 1))[0] < 1e-10, "else there is nothing to test"
    level, spread = units.moments(x)
    assert (level[0], spread[0]) == (20.1, 1.0) and spread[1] == pytest.approx(1, abs=0.05)
    level, spread = units.moments(1e9 + 1e-3 * x)
    assert spread[1] == pytest.approx(1e-3, rel=0.05), "a small spread on a high level is one"

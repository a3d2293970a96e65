"""The floors: golden values computed independently here, oracles, published figures."""

import csv

import numpy as np
import pytest
from conftest import ROOT, settings
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lookback import tasks
from lookback.data import text
from lookback.data.contract import Span, Stream, Windows
from lookback.models import floors
from lookback.models.floors.language import Ngram
from lookback.models.floors.series import Linear, SeasonalNaive
from lookback.training import loop


def column(name, path):
    with (ROOT / path).open() as file:
        return [float(row[name]) for row in csv.DictReader(file)]


def test_naive_scores_of_the_shipped_files_computed_without_any_of_our_code():
    airline, weather = column("passengers", "data/airline.csv"), column("temp_max", "data/weather.csv")
    expected = {
        ("airline", "naive"): sum(abs(airline[t] - airline[t - 1]) for t in range(116, 144)) / 28,
        ("airline", "seasonal_naive"): sum(abs(airline[t] - airline[t - 12]) for t in range(116, 144)) / 28,
        ("weather", "naive"): sum(abs(weather[t] - weather[t - 1]) for t in range(1096, 1461)) / 365,
        ("weather", "seasonal_naive"): sum(abs(weather[t] - weather[t - 365]) for t in range(1096, 1461)) / 365,
    }
    for (task, name), mae in expected.items():
        data = tasks.load(settings(f"task={task}").task, ROOT)
        fitted = loop.fit_floor(floors.build(data, name), data, refit=True)
        assert np.abs(fitted.final.predict(data.test) - data.test.targets()).mean() == pytest.approx(mae, abs=1e-9)
    assert expected["airline", "naive"] == pytest.approx(45.82, abs=0.005)
    assert expected["airline", "seasonal_naive"] == pytest.approx(41.43, abs=0.005)


SEASONAL = [  # series, season, horizon, start of the target, expected
    ([1, 2, 3, 4, 5, 6], 1, 1, 4, [4]),
    ([1, 2, 3, 4, 5, 6], 3, 1, 4, [2]),
    ([1, 2, 3, 4, 5, 6], 3, 3, 3, [1, 2, 3]),
    ([1, 2, 3, 4, 5, 6, 7, 8], 2, 4, 4, [3, 4, 3, 4]),  # past one season, the latest known one again
    ([1, 2, 3, 4, 5, 6, 7, 8], 1, 3, 5, [5, 5, 5]),
]


@pytest.mark.parametrize(("series", "season", "horizon", "at", "expected"), SEASONAL)
def test_seasonal_naive(series, season, horizon, at, expected):
    lookback = 2
    values = np.array(series, float)
    samples = Windows({"t": values}, np.array([at - lookback]), Span("t", 0, lookback), Span("t", lookback, horizon))
    assert SeasonalNaive(season).predict(samples).tolist() == [expected]


def wave(rows=300, columns=2):
    rng = np.random.default_rng(0)
    values = np.cumsum(rng.normal(size=(rows, columns)), axis=0) + 50
    arrays = {"rows": values, "target": values[:, 0]}

    def part(first, stop):
        return Windows(arrays, np.arange(first, stop, dtype=np.int32), Span("rows", 0, 5), Span("target", 5, 2))

    return part(0, 200), part(200, 290)


@pytest.mark.parametrize("strength", [0.0, 0.1, 10.0])
def test_linear_is_ridge_on_standardised_columns(strength):
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, val = wave()
    ours = Linear((strength,))
    ours.fit(train, val)
    oracle = make_pipeline(StandardScaler(), Ridge(alpha=strength * len(train)))
    oracle.fit(train.inputs().reshape(len(train), -1), train.targets())
    expected = oracle.predict(val.inputs().reshape(len(val), -1))
    np.testing.assert_allclose(ours.predict(val), expected, rtol=1e-6)


def test_linear_chooses_its_strength_on_val_and_keeps_it_in_the_refit():
    train, val = wave()
    candidates = (0.0, 0.01, 1.0, 100.0)
    scores = []
    for strength in candidates:
        one = Linear((strength,))
        one.fit(train, val)
        scores.append(np.abs(one.predict(val) - val.targets()).mean())
    ours = Linear(candidates)
    ours.fit(train, val)
    assert ours.strength == candidates[int(np.argmin(scores))]
    before = ours.coefficients
    ours.fit(val, None)
    assert ours.strength == candidates[int(np.argmin(scores))] and not np.allclose(before, ours.coefficients)


def test_linear_solves_a_sine_exactly():
    values = np.sin(np.arange(200) / 3)[:, None]
    arrays = {"rows": values, "target": values[:, 0]}
    samples = Windows(arrays, np.arange(150, dtype=np.int32), Span("rows", 0, 2), Span("target", 2, 1))
    ours = Linear((0.0,))
    ours.fit(samples, samples)
    assert np.abs(ours.predict(samples) - samples.targets()).max() < 1e-9


def test_ngram_by_hand():
    # a b a b a a: P_1(a) = (4 + 2 * 1/3) / (6 + 2); after a: b twice, a once, so
    # P_2(b | a) = (2 + 2 P_1(b)) / (3 + 2), with P_1(b) = (2 + 2/3) / 8.
    codes = np.array([1, 2, 1, 2, 1, 1, 2], np.int32)
    model = Ngram(vocabulary=3, max_order=2)
    model.fit(Stream({"codes": codes}, "codes", 0, 6), None)
    first, second = model.likelihoods(Stream({"codes": codes}, "codes", 6, 7))
    assert first[0] == pytest.approx((2 + 2 / 3) / 8)
    assert second[0] == pytest.approx((2 + 2 * (2 + 2 / 3) / 8) / 5)


@given(hnp.arrays(np.int32, st.integers(12, 60), elements=st.integers(0, 3)))
def test_ngram_probabilities_sum_to_one(codes):
    model = Ngram(vocabulary=4, max_order=3)
    model.fit(Stream({"codes": codes}, "codes", 0, len(codes) - 2), None)
    total = 0
    for token in range(4):
        said = np.append(codes, token).astype(np.int32)
        total += model.likelihoods(Stream({"codes": said}, "codes", len(codes), len(codes) + 1))[-1][0]
    assert total == pytest.approx(1)


def test_ngram_reproduces_the_published_figures_on_the_language_reference():
    # Python 3.11, before repeated passages are removed: first nine tenths against the last.
    whole = text.language_reference()
    if len(whole) != 465_126:
        pytest.skip(f"another version of the text ({len(whole)} characters)")
    tokens = text.vocabulary(whole)
    codes, border = text.encode(whole, tokens), round(len(whole) * 0.9)
    model = Ngram(len(tokens), 5)
    model.fit(Stream({"codes": codes}, "codes", 0, border), None)
    nats = [-np.log(p).mean() for p in model.likelihoods(Stream({"codes": codes}, "codes", border, len(codes)))]
    assert np.round(nats, 3).tolist() == [3.238, 2.318, 1.712, 1.404, 1.320]


def test_ngram_counts_nothing_after_train():
    data = tasks.load(settings("task=text").task, ROOT)
    model = floors.build(data, "ngram", max_order=2)
    model.fit(data.train, data.val)
    assert sum(model.totals[0]) <= data.val.start
    assert sum(model.totals[0]) > data.val.start - 2 * data.train.x.length


def test_ngram_guess_is_the_likeliest():
    data = tasks.load(settings("task=text").task, ROOT)
    model = floors.build(data, "ngram", max_order=3)
    model.fit(data.train, data.val)
    some = Stream(data.test.arrays, "codes", data.test.start, data.test.start + 50)
    guess = model.predict(some)["guess"]
    for i, row in enumerate(some.target_rows()):
        codes = some.arrays["codes"].copy()
        chances = []
        for token in range(len(data.tokens)):
            codes[row] = token
            chances.append(model.likelihoods(Stream({"codes": codes}, "codes", row, row + 1), model.order)[-1][0])
        assert chances[guess[i]] == pytest.approx(max(chances))


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("airline", "naive"),
        ("weather", "linear"),
        ("airline", "seasonal_naive"),
        ("text", "ngram"),
        ("text", "unigram"),
    ],
)
def test_a_floor_saved_and_loaded_predicts_the_same(task, name):
    model = settings(f"task={task}", f"model={name}").model
    numbers = model.model_dump(exclude={"name"})
    data = tasks.load(settings(f"task={task}").task, ROOT)
    floor = floors.build(data, name, **numbers)
    floor.fit(data.train, data.val)
    again = floors.load(data, name, numbers, dict(vars(floor)))
    a, b = floor.predict(data.test), again.predict(data.test)
    for left, right in zip(a.values(), b.values(), strict=True) if isinstance(a, dict) else [(a, b)]:
        assert np.array_equal(left, right)

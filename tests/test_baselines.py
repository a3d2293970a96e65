"""The baselines: golden values computed independently here, oracles, and what they may not see."""

import copy
import csv
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, settings, some
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lookback import problems
from lookback.data import text
from lookback.data.dataset import Data, Fold
from lookback.data.samples import Span, Stream, Windows
from lookback.models import baselines, catalogue
from lookback.models.baselines import recursion, seen_rows, state
from lookback.models.baselines.classes import Frequencies, Logistic
from lookback.models.baselines.climatology import Climatology
from lookback.models.baselines.language import Ngram
from lookback.models.baselines.libraries import one_thread
from lookback.models.baselines.linear import Linear
from lookback.models.baselines.simple import Drift, GrowthNaive, SeasonalNaive
from lookback.training import fit as fitting

NUMBERS = {  # of every baseline that has some
    "linear": {"alphas": (0, 0.1, 10)},
    "log_linear": {"alphas": (0, 0.1, 10)},
    "lad": {"harmonics": 2, "products": True},
    "climatology": {"harmonics": 2, "order": 12},
    "holt_winters": {"forms": ("add_add", "damped_mul"), "max_rows": 500},
    "sarima": {"orders": ("011-011", "110-011"), "log": True, "max_rows": 500},
    "boosting": {"rounds": 12, "learning_rate": 0.2, "leaves": 4},
    "logistic": {"Cs": (0.01, 1)},
    "ngram": {"max_order": 3},
}
FORECASTERS = [
    "naive", "seasonal_naive", "drift", "growth_naive", "linear", "log_linear", "lad", "climatology",
    "holt_winters", "sarima", "boosting",
]  # fmt: skip
SHAPES = [  # horizon, lead, recursive
    pytest.param(1, 1, False, id="next"),
    pytest.param(3, 2, False, id="direct"),
    pytest.param(7, 1, True, id="recursive"),
]


def load(*overrides: str) -> Data:
    chosen = settings(*overrides)
    return problems.load(chosen.task, chosen.evaluation, ROOT)


def baseline_for(data: Data, name: str):
    return baselines.build(data, name, **NUMBERS.get(name, {}))


def forecast(baseline, data: Data):
    """Choose, then fit anew for every fold, as the training loop does."""
    return fitting.fit_baseline(baseline, data, refit=True).test(data)


def mean_error(name: str, *overrides: str) -> float:
    data = load(*overrides)
    return np.abs(forecast(baseline_for(data, name), data) - data.test.targets()).mean()


def seasonal_series(count: int = 120) -> np.ndarray:
    rng = np.random.default_rng(0)
    t = np.arange(count)
    return (20 + t / 10) * (1 + 0.2 * np.sin(2 * np.pi * t / 6)) + rng.normal(size=count)


def data_of(horizon=1, lead=1, recursive=False, seams=(0, 70), lookback=8) -> Data:
    """Two series of two segments each, a past column and one known ahead."""
    values = np.concatenate([seasonal_series(), seasonal_series()[::-1] + 5])
    count, span = len(values) // 2, lead - 1 + horizon
    reach = 1 if recursive else span
    rng = np.random.default_rng(1)
    past, planned = rng.normal(size=(2, len(values)))
    ahead = np.append(planned[reach:], np.full(reach, np.nan))
    columns = [values, ahead] if recursive else [values, past, ahead]
    arrays = {
        "rows": np.stack(columns, axis=1),
        "target": values,
        "first": np.concatenate([s * count + np.repeat(seams, np.diff([*seams, count])) for s in (0, 1)]),
        "series": np.repeat([0, 1], count).astype(np.int32),
        "year": np.arange(len(values)) / 60 % 1,
        "step": np.tile(np.arange(count), 2),
    }
    x, wide = Span("rows", 0, lookback), Span("target", lookback + lead - 1, horizon)
    narrow = Span("target", lookback, 1) if recursive else wide

    def part(begin: int, stop: int, y: Span) -> Windows:
        last = y.offset + y.length - 1
        starts = [s * count + np.arange(max(begin - y.offset, 0), stop - last) for s in (0, 1)]
        starts = np.concatenate(starts).astype(np.int32)
        whole = arrays["first"][starts] == arrays["first"][starts + last]
        return Windows(arrays, starts[whole], x, y)

    return Data(
        train=part(0, 65, narrow),
        val=part(70, 90, wide),
        test=part(90, count, wide),
        folds=(Fold(part(0, 90, narrow), part(90, count, wide)),),
        index=np.arange(len(values)),
        outputs=narrow.length,
        unit="",
        digest="",
        columns=("y", "planned") if recursive else ("y", "past", "planned"),
        ahead=1,
        reach=reach,
        season=6,
        names=("a", "b"),
    )


# --- what is common to all -------------------------------------------------------------------------


@pytest.mark.parametrize(("horizon", "lead", "recursive"), SHAPES)
@pytest.mark.parametrize("name", FORECASTERS)
def test_no_forecast_reads_a_row_after_its_window_or_before_its_segment(name, horizon, lead, recursive):
    data = data_of(horizon, lead, recursive)
    baseline = baseline_for(data, name)
    baseline.fit(data.train, data.val)
    held_out = replace(data.test, starts=np.concatenate([data.val.starts, data.test.starts]))
    whole = baseline.predict(held_out).values
    assert whole.shape == (len(held_out), horizon) and np.isfinite(whole).all()
    for i in range(0, len(held_out), 5):
        one = replace(held_out, starts=held_out.starts[i : i + 1])
        origin = one.origins()[0]
        first = one.arrays["first"][origin - 1]
        hidden = {key: array.copy() for key, array in one.arrays.items()}
        hidden["target"][origin:] = hidden["target"][:first] = np.nan
        hidden["rows"][origin:, : len(data.columns) - data.ahead] = hidden["rows"][:first] = np.nan
        np.testing.assert_allclose(baseline.predict(replace(one, arrays=hidden)), whole[i : i + 1], rtol=1e-9)


@pytest.mark.parametrize(("horizon", "lead", "recursive"), SHAPES)
@pytest.mark.parametrize("name", FORECASTERS)
def test_fitting_reads_no_row_after_the_last_target_of_train(name, horizon, lead, recursive):
    data = data_of(horizon, lead, recursive)
    hidden = {key: array.copy() for key, array in data.train.arrays.items()}
    for series in (0, 1):
        mine = data.train.target_rows()[data.train.arrays["series"][data.train.starts] == series]
        later = slice(mine.max() + 1, 120 * (series + 1))
        hidden["target"][later] = hidden["rows"][later, : len(data.columns) - data.ahead] = np.nan
    answers = []
    for train in data.train, replace(data.train, arrays=hidden):
        baseline = baseline_for(data, name)
        baseline.fit(data.train, data.val)
        baseline.fit(train, None)
        answers.append(baseline.predict(data.test))
    np.testing.assert_array_equal(*answers)


@pytest.mark.parametrize("name", FORECASTERS)
def test_a_refit_keeps_what_was_chosen_and_leaves_the_original_alone(name):
    data = data_of()
    baseline = baseline_for(data, name)
    baseline.fit(data.train, data.val)
    before = baseline.predict(data.test)
    final = copy.copy(baseline)
    final.fit(data.folds[0].train, None)
    np.testing.assert_array_equal(baseline.predict(data.test), before)
    assert getattr(final, "alpha", None) == getattr(baseline, "alpha", None)
    assert getattr(final, "C", None) == getattr(baseline, "C", None)
    assert getattr(final, "chosen", None) == getattr(baseline, "chosen", None)
    if baseline.parameters:
        assert not np.array_equal(final.predict(data.test), before)


def saved(baseline) -> dict:
    """There and back through files without pickle."""
    with tempfile.TemporaryDirectory() as folder:
        state.write(vars(baseline), Path(folder))
        return state.read(Path(folder))


def same(left, right) -> bool:
    if isinstance(left, dict):
        return all(np.array_equal(left[name], right[name]) for name in left)
    return np.array_equal(left, right)


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("name", FORECASTERS)
def test_a_forecaster_saved_and_loaded_predicts_the_same(name, recursive):
    data = data_of(4, 1, recursive)
    baseline = baseline_for(data, name)
    baseline.fit(data.train, data.val)
    again = baselines.load(data, name, NUMBERS.get(name, {}), saved(baseline))
    assert same(baseline.predict(data.test), again.predict(data.test))


@pytest.mark.parametrize(
    ("task", "name"),
    [("sky", "frequencies"), ("sky", "persistence"), ("sky", "logistic"), ("text", "ngram"), ("text", "unigram")],
)
def test_a_baseline_of_kinds_or_characters_saved_and_loaded_predicts_the_same(task, name):
    data = load(f"task={task}")
    baseline = baseline_for(data, name)
    baseline.fit(data.train, data.val)
    again = baselines.load(data, name, NUMBERS.get(name, {}), saved(baseline))
    assert same(baseline.predict(data.test), again.predict(data.test))


def test_every_baseline_is_among_those_tested_here():
    others = {"frequencies", "persistence", "logistic", "ngram", "unigram"}
    others |= {"majority", "mean_rating", "naive_bayes", "tfidf_logistic", "tfidf_ridge", "most_frequent_tag"}
    assert set(catalogue.baselines()) == {*FORECASTERS, *others}


ODD = {
    "never changes": np.full(120, 3.0),
    "a line": np.arange(120.0) - 50,
    "repeats exactly": np.tile(np.arange(1.0, 7), 20),
    "zeros among counts": np.random.default_rng(0).poisson(0.3, 120).astype(float),
    "huge": 1e12 * (1 + np.random.default_rng(0).random(120)),
    "one spike": np.where(np.arange(120) == 60, 1e6, np.random.default_rng(0).normal(size=120)),
    "vanishes": np.where(np.arange(120) < 80, 1 + np.random.default_rng(0).random(120), 0),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("series", some(ODD, ("never changes", "zeros among counts", "huge")))
@pytest.mark.parametrize("name", FORECASTERS)
def test_an_odd_series_gives_finite_forecasts_and_no_warning(name, series):
    values = np.tile(ODD[series], 2)
    data = data_of(3, 1, recursive=True)
    for array, column in (data.train.arrays["target"], slice(None)), (data.train.arrays["rows"], (slice(None), 0)):
        array[column] = values
    baseline = baseline_for(data, name)
    if name == "log_linear" and values.min() <= 0:
        with pytest.raises(ValueError, match="log_linear takes logarithms"):
            baseline.fit(data.train, data.val)
        return
    said = forecast(baseline, data)
    assert np.isfinite(said).all() and np.abs(said).max() <= 100 * np.abs(values).max()


# --- nothing to learn ------------------------------------------------------------------------------


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
        assert mean_error(name, f"task={task}") == pytest.approx(mae, abs=1e-9)
    assert expected["airline", "naive"] == pytest.approx(45.82, abs=0.005)
    assert expected["airline", "seasonal_naive"] == pytest.approx(41.43, abs=0.005)


def target_at(values: list[float], at: int, horizon: int, lead: int = 1, first: int = 0, lookback: int = 2) -> Windows:
    """One window of a plain series whose first target is row `at`."""
    array = np.array(values, float)
    arrays = {"t": array, "first": np.full(len(array), first), "series": np.zeros(len(array), int)}
    return Windows(
        arrays, np.array([at - lookback - lead + 1]), Span("t", 0, lookback), Span("t", lookback + lead - 1, horizon)
    )


SEASONAL = [  # series, season, horizon, lead, first row of the segment, row of the target, expected
    ([1, 2, 3, 4, 5, 6], 1, 1, 1, 0, 4, [4]),
    ([1, 2, 3, 4, 5, 6], 3, 1, 1, 0, 4, [2]),
    ([1, 2, 3, 4, 5, 6], 3, 3, 1, 0, 3, [1, 2, 3]),
    ([1, 2, 3, 4, 5, 6, 7, 8], 2, 4, 1, 0, 4, [3, 4, 3, 4]),  # past one season, the latest known one again
    ([1, 2, 3, 4, 5, 6, 7, 8], 1, 3, 1, 0, 5, [5, 5, 5]),
    ([1, 2, 3, 4, 5, 6, 7, 8], 3, 2, 3, 0, 6, [4, 2]),  # two rows between the window and the target
    ([1, 2, 3, 4, 5, 6, 7, 8], 4, 2, 1, 2, 5, [5, 3]),  # row 1 lies before the segment: the last value
]


@pytest.mark.parametrize(("series", "season", "horizon", "lead", "first", "at", "expected"), SEASONAL)
def test_seasonal_naive(series, season, horizon, lead, first, at, expected):
    samples = target_at(series, at, horizon, lead, first)
    assert SeasonalNaive(season).predict(samples).values.tolist() == [expected]


def test_drift_goes_on_along_the_line_from_the_first_value_to_the_last():
    assert Drift().predict(target_at([9, 1, 4, 2, 7, 0, 0, 0], 5, 3, first=1)).values.tolist() == [[9, 11, 13]]
    assert Drift().predict(target_at([9, 1, 4, 2, 7, 0, 0, 0], 6, 2, lead=2, first=1)).values.tolist() == [[11, 13]]


@given(hnp.arrays(float, 30, elements=st.floats(0.5, 2)), st.integers(2, 6), st.integers(1, 9))
def test_growth_naive_is_its_recursion(values, season, horizon):
    known = list(values[:20])
    for _ in range(horizon):
        known.append(known[-season] * known[-1] / known[-season - 1])
    samples = target_at(values, 20, horizon)
    np.testing.assert_allclose(GrowthNaive(season).predict(samples)[0], known[20:], rtol=1e-9)


def test_growth_naive_without_a_divisor_is_seasonal_naive():
    assert GrowthNaive(3).predict(target_at([5, 0, 3, 4, 9, 0, 0], 5, 2)).values.tolist() == [[3, 4]]  # y[T-3] is 0
    assert GrowthNaive(3).predict(target_at([5, 2, 3, 4, 8, 0], 5, 1, first=2)).values.tolist() == [[3]]
    with pytest.raises(ValueError, match="season"):
        GrowthNaive(1)


# --- regressions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.0, 0.1, 10.0])
def test_linear_is_ridge_on_standardised_columns(strength):
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = data_of(horizon=3, lead=2)
    ours = baselines.build(data, "linear", alphas=(strength,))
    ours.fit(data.train, data.val)

    def seen(samples):  # the window of target and past, and the plan for the four rows up to the last target
        window = samples.inputs()
        return np.concatenate([window[:, :, 0], window[:, :, 1], window[:, -4:, 2]], axis=1)

    oracle = make_pipeline(StandardScaler(), Ridge(alpha=strength * len(data.train)))
    oracle.fit(seen(data.train), data.train.targets())
    np.testing.assert_allclose(ours.predict(data.val), oracle.predict(seen(data.val)), rtol=1e-6)


def test_linear_chooses_its_strength_on_val():
    data = data_of(2)
    candidates = (0.0, 0.01, 1.0, 100.0)
    scores = []
    for strength in candidates:
        one = baselines.build(data, "linear", alphas=(strength,))
        one.fit(data.train, data.val)
        scores.append(np.abs(one.predict(data.val) - data.val.targets()).mean())
    ours = baselines.build(data, "linear", alphas=candidates)
    ours.fit(data.train, data.val)
    assert ours.alpha == candidates[int(np.argmin(scores))] and len(set(scores)) == 4


@pytest.mark.parametrize("block", [7, 16_384])
def test_linear_solves_a_sine_exactly_whatever_the_blocks(monkeypatch, block):
    monkeypatch.setattr(seen_rows, "BLOCK", block)
    values = np.sin(np.arange(200) / 3)[:, None]
    arrays = {"rows": values, "target": values[:, 0]}
    samples = Windows(arrays, np.arange(150, dtype=np.int32), Span("rows", 0, 2), Span("target", 2, 1))
    ours = Linear((0.0,), ahead=0, reach=1, log=False)
    ours.fit(samples, samples)
    assert np.abs(ours.predict(samples) - samples.targets()).max() < 1e-9


def test_log_linear_is_linear_on_logarithms():
    data = load("task=airline", "task.lookback=12", "task.difference=none")
    logs = {key: array.copy() for key, array in data.train.arrays.items()}
    logs["rows"], logs["target"] = np.log(logs["rows"]), np.log(logs["target"])
    plain, ours = (baselines.build(data, name, alphas=(0.01,)) for name in ("linear", "log_linear"))
    plain.fit(replace(data.train, arrays=logs), replace(data.val, arrays=logs))
    ours.fit(data.train, data.val)
    expected = np.exp(plain.predict(replace(data.test, arrays=logs)))
    np.testing.assert_allclose(ours.predict(data.test), expected, rtol=1e-9)


def test_answers_are_fed_back_row_by_row():
    # y[t] = 2 y[t-1] - y[t-2] + plan[t]: by hand from the last two values and the plan of every row to come.
    values, plan = np.zeros(40), np.random.default_rng(0).normal(size=40)
    for t in range(2, 40):
        values[t] = 2 * values[t - 1] - values[t - 2] + plan[t]
    arrays = {"rows": np.stack([values, np.append(plan[1:], 0)], axis=1), "target": values, "first": np.zeros(40, int)}
    arrays |= {"series": np.zeros(40, int), "year": np.full(40, np.nan)}
    samples = Windows(arrays, np.array([0, 9, 20]), Span("rows", 0, 4), Span("target", 4, 12))

    def one_step(window: Windows) -> np.ndarray:
        x = window.inputs()
        return 2 * x[:, -1:, 0] - x[:, -2:-1, 0] + x[:, -1:, 1]

    np.testing.assert_allclose(recursion.roll_forward(samples, one_step), samples.targets(), rtol=1e-9)


@pytest.mark.parametrize("block", [50, 16_384])
def test_lad_reaches_the_optimum_of_the_linear_programme(monkeypatch, block):
    from scipy.optimize import linprog

    monkeypatch.setattr(seen_rows, "BLOCK", block)
    data = load("task=weather", "task.horizon=2")
    ours = baselines.build(data, "lad", harmonics=1, products=False)
    ours.fit(data.train, data.val)
    window = data.train.inputs().reshape(len(data.train), -1)
    year = 2 * np.pi * data.train.arrays["year"][data.train.target_rows()[:, 0]][:, None]
    x = np.concatenate([np.ones((len(window), 1)), window, np.sin(year), np.cos(year)], axis=1)
    errors = np.abs(ours.predict(data.train) - data.train.targets()).sum(0)
    for y, ours_sum in zip(data.train.targets().T, errors, strict=True):
        dual = linprog(-y, A_eq=x.T, b_eq=np.zeros(x.shape[1]), bounds=(-1, 1))
        assert ours_sum == pytest.approx(-dual.fun, rel=1e-5)


def test_lad_sees_products_of_the_last_value_and_the_harmonics():
    data = load("task=weather", "task.past_covariates=[]", "task.lookback=2")
    counts = []
    for harmonics, products in ((0, False), (2, False), (2, True)):
        baseline = baselines.build(data, "lad", harmonics=harmonics, products=products)
        baseline.fit(data.train, None)
        counts.append(baseline.parameters)
    assert counts == [3, 3 + 4, 3 + 4 + 1 + 4]


def test_climatology_recovers_what_it_is_made_of():
    days = np.arange(4 * 365)
    year = days / 365.2425 % 1
    usual = 10 + 5 * np.sin(2 * np.pi * year) - 2 * np.cos(4 * np.pi * year)
    rest = np.zeros(len(days))
    rest[0] = 8
    for t in range(1, len(days)):
        rest[t] = 0.7 * rest[t - 1] if t % 50 else 8
    values = usual + rest
    nothing = np.zeros(len(days), int)
    arrays = {"rows": values[:, None], "target": values, "first": nothing, "series": nothing, "year": year}
    samples = Windows(arrays, np.array([101]), Span("rows", 0, 5), Span("target", 6, 3))  # lead 2
    baseline = Climatology(harmonics=2, order=1, season=[], memory=[])
    baseline.season, baseline.memory = [np.array([10, 5, 0, 0, -2.0])], [np.array([0, 0.7])]
    np.testing.assert_allclose(baseline.predict(samples), samples.targets(), rtol=1e-9)
    baseline.fit(replace(samples, starts=np.arange(1000)), None)
    assert baseline.season[0] == pytest.approx([10 + rest[:1008].mean(), 5, 0, 0, -2], abs=0.2)
    assert baseline.memory[0][1] == pytest.approx(0.7, abs=0.2)


def test_climatology_refuses_rows_without_dates():
    data = data_of()
    data.train.arrays["year"][:] = np.nan
    with pytest.raises(ValueError, match=r"task\.time"):
        baseline_for(data, "climatology").fit(data.train, data.val)


# --- state space and trees -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["add_mul", "damped_add", "none_add", "damped_none"])
def test_holt_winters_goes_on_as_statsmodels_does(form):
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    data = load("task=airline", "task.horizon=11")
    baseline = baselines.build(data, "holt_winters", forms=(form,), max_rows=1000)
    baseline.fit(data.train, data.val)
    last = data.train.target_rows().max()
    trend, seasonal = (None if part == "none" else part for part in form.split("_"))
    rows = data.train.arrays["target"][: last + 1]
    level, size = (0 if seasonal == "mul" else rows.mean()), rows.std() / 100
    known = ExponentialSmoothing(
        (rows - level) / size,
        trend=trend and "add",
        damped_trend=trend == "damped",
        seasonal=seasonal,
        seasonal_periods=seasonal and 12,
    ).fit()
    window = replace(data.train, starts=np.array([last + 1 - data.train.x.length]))
    np.testing.assert_allclose(baseline.predict(window)[0], level + size * known.forecast(11), rtol=1e-9)


def test_holt_winters_leaves_out_what_the_series_cannot_bear():
    def form(*overrides):
        data = load(*overrides)
        baseline = baselines.build(data, "holt_winters", forms=("add_mul",), max_rows=1000)
        baseline.fit(data.train, data.val)
        return baseline.chosen

    assert form("task=airline") == ("add_mul",)
    assert form("task=weather", "task.season=7") == ("add_add",)  # temperatures below 0
    assert form("task=weather") == ("add_none",)  # 365 seasons


@pytest.mark.parametrize("order", ["011-011", "100-010", "211-000"])
def test_sarima_goes_on_as_statsmodels_does(order):
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    data = load("task=airline", "task.horizon=5")
    baseline = baselines.build(data, "sarima", orders=(order,), log=True, max_rows=1000)
    baseline.fit(data.train, data.val)
    logs, (level, spread) = np.log(data.train.arrays["target"]), baseline.units[0]
    known = logs[: data.train.target_rows().max() + 1]
    assert (level, spread) == pytest.approx((known.mean(), known.std()))
    p, d, q, *seasonal = map(int, order.replace("-", ""))
    for i in (0, 7):
        model = SARIMAX(
            (logs[: data.test.origins()[i]] - level) / spread,
            order=(p, d, q),
            seasonal_order=(*seasonal, 12 if any(seasonal) else 0),
            trend="n" if d else "c",
            concentrate_scale=True,
        )
        expected = np.exp(level + spread * model.filter(baseline.fitted[0]).forecast(5))
        np.testing.assert_allclose(baseline.predict(data.test)[i], expected, rtol=1e-6)


def test_sarima_takes_the_order_of_the_lowest_criterion():
    from statsmodels.tsa.arima.model import ARIMA

    data, orders = load("task=weather"), ("110-000", "011-000", "111-000", "012-000")
    baseline = baselines.build(data, "sarima", orders=orders, log=True, max_rows=500)
    baseline.fit(data.train, data.val)
    known = data.train.arrays["target"][: data.train.target_rows().max() + 1][-500:]
    fits = [ARIMA(known, order=tuple(map(int, order[:3]))).fit() for order in orders]
    best = int(np.argmin([fit.aicc for fit in fits]))
    assert baseline.chosen == (orders[best],) and baseline.logged == (False,)
    np.testing.assert_allclose(baseline.fitted[0], fits[best].params[:-1], rtol=0.01)
    with pytest.raises(ValueError, match=r"model\.orders"):
        baselines.build(data, "sarima", orders=("011-000", "101-000"), log=True, max_rows=500)


def test_sarima_says_the_last_value_where_too_few_rows_are_known_to_difference_them():
    data = data_of(lookback=3)
    baseline = baselines.build(data, "sarima", orders=("011-011",), log=False, max_rows=500)
    baseline.fit(data.train, data.val)
    known = data.val.origins() - data.val.arrays["first"][data.val.starts]
    last = data.val.arrays["target"][data.val.origins() - 1]
    stays = baseline.predict(data.val)[:, 0] == last
    assert stays.tolist() == (known < 7).tolist() and 0 < stays.sum() < len(stays)


def test_boosting_answers_as_scikit_learn_does_after_the_rounds_that_val_chose():
    from sklearn.ensemble import HistGradientBoostingRegressor

    data = load("task=weather", "task.lookback=5")
    baseline = baselines.build(data, "boosting", rounds=40, learning_rate=0.3, leaves=12)
    baseline.fit(data.train, data.val)

    def seen(samples):
        window = samples.inputs()
        window[:, :-1, 0] -= window[:, -1:, 0]
        return window.reshape(len(window), -1)

    def last(samples):
        return samples.inputs()[:, -1, 0]

    theirs = HistGradientBoostingRegressor(
        loss="absolute_error", learning_rate=0.3, max_iter=40, max_leaf_nodes=12, early_stopping=False, random_state=0
    )
    with one_thread():
        theirs.fit(seen(data.train), data.train.targets()[:, 0] - last(data.train))
    truth = data.val.targets()[:, 0]
    errors = [np.abs(p + last(data.val) - truth).mean() for p in theirs.staged_predict(seen(data.val))]
    assert baseline.chosen == 1 + int(np.argmin(errors)) and 1 < baseline.chosen < 40
    expected = list(theirs.staged_predict(seen(data.test)))[baseline.chosen - 1]
    np.testing.assert_allclose(baseline.predict(data.test)[:, 0], last(data.test) + expected, rtol=1e-12)
    assert sum(len(nodes) for nodes in baseline.nodes) == baseline.parameters
    final = copy.copy(baseline)
    final.fit(data.folds[0].train, None)
    assert len(final.roots[0]) == baseline.chosen


# --- classes -----------------------------------------------------------------------------------------


def log_loss(baseline, data) -> float:
    p = baseline.predict(data.test).probabilities
    assert p.shape == (len(data.test), len(data.tokens)) and np.allclose(p.sum(1), 1) and p.min() > 0
    return -np.log(p[np.arange(len(p)), data.test.targets()[:, 0]]).mean()


def test_frequencies_and_persistence_counted_without_any_of_our_code():
    data = load("task=sky")
    with (ROOT / "data/weather.csv").open() as file:
        sky = [row["weather"] for row in csv.DictReader(file)]
    train = sky[: data.train.target_rows().max() + 1]
    stay = (sum(a == b for a, b in pairwise(train)) + 0.5) / len(train)
    share = {kind: train.count(kind) / len(train) for kind in set(train)}
    frequent, last = [], []
    for row in data.test.target_rows()[:, 0]:
        before, now = sky[row - 1], sky[row]
        frequent.append(-np.log(share[now]))
        last.append(-np.log(stay if now == before else (1 - stay) * share[now] / (1 - share[before])))
    for name, expected in (("frequencies", frequent), ("persistence", last)):
        baseline = baseline_for(data, name)
        baseline.fit(data.train, data.val)
        assert log_loss(baseline, data) == pytest.approx(np.mean(expected), abs=1e-9)


def test_a_kind_that_train_does_not_hold_counts_as_half_a_time():
    arrays = {"target": np.array([0, 1, 1, 0, 1, 1]), "first": np.zeros(6, int), "series": np.zeros(6, int)}
    train = Windows(arrays, np.arange(4), Span("target", 0, 2), Span("target", 2, 1))
    baseline = Frequencies(3)
    baseline.fit(train, None)
    assert baseline.predict(train).probabilities[0] == pytest.approx([2 / 6.5, 4 / 6.5, 0.5 / 6.5])


def test_logistic_answers_as_scikit_learn_does_and_chooses_on_val():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = load("task=sky", "task.lookback=3", "task.calendar=[]")
    losses, strengths = [], (0.001, 0.05, 50)

    def seen(samples):
        return samples.inputs().reshape(len(samples), -1)

    for strength in strengths:
        oracle = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
        with one_thread():
            oracle.fit(seen(data.train), data.train.targets()[:, 0])
        baseline = baselines.build(data, "logistic", Cs=(strength,))
        baseline.fit(data.train, data.val)
        ours, theirs = baseline.predict(data.test).probabilities, oracle.predict_proba(seen(data.test))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
        p = oracle.predict_proba(seen(data.val))
        losses.append(-np.log(p[np.arange(len(p)), data.val.targets()[:, 0]]).mean())
    baseline = baselines.build(data, "logistic", Cs=strengths)
    baseline.fit(data.train, data.val)
    assert strengths[int(np.argmin(losses))] == baseline.C
    assert log_loss(baseline, data) < log_loss_of_frequencies(data)


def log_loss_of_frequencies(data) -> float:
    baseline = baseline_for(data, "frequencies")
    baseline.fit(data.train, data.val)
    return log_loss(baseline, data)


@pytest.mark.parametrize("classes", [2, 4])
def test_logistic_gives_every_kind_a_chance(classes):
    """The last kind stands in no target of train: it is unlikely, and not impossible."""
    codes = np.arange(60) % (classes - 1 if classes > 2 else 2)
    arrays = {"rows": np.eye(classes)[codes], "target": codes}
    samples = Windows(arrays, np.arange(50), Span("rows", 0, 2), Span("target", 2, 1))
    baseline = Logistic(classes, (1.0,), ahead=0, reach=1)
    baseline.fit(samples, samples)
    p = baseline.predict(samples).probabilities
    assert (p.argmax(1) == samples.targets()[:, 0]).all() and np.allclose(p.sum(1), 1) and p.min() > 0
    if classes > 2:
        assert p[:, -1].max() < 0.05


# --- characters ------------------------------------------------------------------------------------


def test_ngram_by_hand():
    # a b a b a a: P_1(a) = (4 + 2 * 1/3) / (6 + 2); after a: b twice, a once, so
    # P_2(b | a) = (2 + 2 P_1(b)) / (3 + 2), with P_1(b) = (2 + 2/3) / 8.
    codes = np.array([1, 2, 1, 2, 1, 1, 2], np.int32)
    model = Ngram(vocabulary=3, max_order=2)
    model.fit(Stream({"codes": codes}, "codes", 0, 6), None)
    first, second = model.likelihoods(Stream({"codes": codes}, "codes", 6, 7))
    assert first[0] == pytest.approx((2 + 2 / 3) / 8)
    assert second[0] == pytest.approx((2 + 2 * (2 + 2 / 3) / 8) / 5)


@effort(deadline=None)
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
    tokens = text.vocabulary(whole, "characters", 1)
    codes, border = text.encode(whole, tokens), round(len(whole) * 0.9)
    model = Ngram(len(tokens), 5)
    model.fit(Stream({"codes": codes}, "codes", 0, border), None)
    nats = [-np.log(p).mean() for p in model.likelihoods(Stream({"codes": codes}, "codes", border, len(codes)))]
    assert np.round(nats, 3).tolist() == [3.238, 2.318, 1.712, 1.404, 1.320]


def test_ngram_counts_nothing_after_train():
    data = load("task=text")
    model = baselines.build(data, "ngram", max_order=2)
    model.fit(data.train, data.val)
    assert sum(model.totals[0]) <= data.val.start
    assert sum(model.totals[0]) > data.val.start - 2 * data.train.x.length


def test_ngram_guess_is_the_likeliest():
    data = load("task=text")
    model = baselines.build(data, "ngram", max_order=3)
    model.fit(data.train, data.val)
    some = Stream(data.test.arrays, "codes", data.test.start, data.test.start + 50)
    guess = model.predict(some).guess
    for i, row in enumerate(some.target_rows()):
        codes = some.arrays["codes"].copy()
        chances = []
        for token in range(len(data.tokens)):
            codes[row] = token
            chances.append(model.likelihoods(Stream({"codes": codes}, "codes", row, row + 1), model.order)[-1][0])
        assert chances[guess[i]] == pytest.approx(max(chances))

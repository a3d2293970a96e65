"""Metrics by hand, against scikit-learn, and on the published numbers of the airline series."""

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lookback.evaluation import metrics
from lookback.evaluation.metrics import Scale

TRUTH, FORECAST = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 2.0], [3.0, 1.0]])
NONE = Scale(float("nan"), float("nan"))
NUMBERS = hnp.arrays(float, (6, 2), elements=st.floats(-1e6, 1e6))


@pytest.fixture(scope="module")
def airline() -> np.ndarray:
    return np.loadtxt(ROOT / "data/airline.csv", delimiter=",", skiprows=1, usecols=1)


def test_forecast_scores_by_hand():
    found = metrics.scores(("mae", "rmse", "bias", "mase", "rmsse"), TRUTH, FORECAST, Scale(2.0, 10.0))
    assert found == {
        "mae": 1.0,
        "rmse": pytest.approx(np.sqrt(2.5)),
        "bias": -0.5,
        "mase": 0.5,
        "rmsse": pytest.approx(0.5),
    }


def test_percentages_by_hand():
    found = metrics.scores(("mape", "smape"), TRUTH, FORECAST, NONE)
    assert found == pytest.approx({"mape": (100 + 75) / 4, "smape": (200 / 3 + 600 / 5) / 4})


def test_scores_of_the_airline_series_are_the_published_ones(airline):
    rows = np.arange(116, 144)[:, None]
    scale = metrics.naive_scale([airline[:100], airline[:96]], 12)
    assert scale.mae == pytest.approx([29.34, 29.20], abs=0.005)
    for lag, mae, rmse in ((12, 41.43, 46.34), (1, 45.82, 53.35)):
        found = metrics.scores(("mae", "rmse"), airline[rows], airline[rows - lag], NONE)
        assert found == {"mae": pytest.approx(mae, abs=0.005), "rmse": pytest.approx(rmse, abs=0.005)}


def test_percentages_of_the_airline_series_are_the_published_ones(airline):
    """The last 36 months by the 12 before them, three times: the example of sktime's guide."""
    found = metrics.scores(("mape", "smape"), airline[None, 108:], np.tile(airline[96:108], 3)[None], NONE)
    assert found == {"mape": pytest.approx(13.189, abs=0.0005), "smape": pytest.approx(14.5427686, abs=1e-6)}


@pytest.mark.parametrize("season", [1, 3, 12])
def test_the_seasonal_naive_forecast_scores_one_on_the_rows_of_its_scale(airline, season):
    values = airline[:100]
    one = Scale(*(float(v[0]) for v in vars(metrics.naive_scale([values], season)).values()))
    found = metrics.scores(("mase", "rmsse"), values[season:, None], values[:-season, None], one)
    assert found == pytest.approx({"mase": 1.0, "rmsse": 1.0})


def test_each_series_has_its_own_scale():
    series = [np.array([0.0, 1.0, 3.0]), np.array([0.0, 10.0, 30.0]), np.array([5.0])]
    scale = metrics.naive_scale(series, 1)
    np.testing.assert_allclose(scale.mae, [1.5, 15.0, np.nan])
    np.testing.assert_allclose(scale.mse, [2.5, 250.0, np.nan])
    rows = scale.per_row(np.array([0, 1, 1]))
    truth, forecast = np.zeros((3, 2)), np.array([[1.5, 1.5], [15.0, 30.0], [15.0, 0.0]])
    found = metrics.scores(("mase", "rmsse"), truth, forecast, rows)
    squares = np.array([2.25, 2.25, 22.5, 90, 22.5, 0]) / [2.5, 2.5, 25, 25, 25, 25]
    assert found == pytest.approx({"mase": 6 / 6, "rmsse": np.sqrt(squares.mean())})


@pytest.mark.parametrize("name", ["mase", "rmsse"])
def test_a_series_that_never_changes_has_no_scaled_score(name):
    scale = metrics.naive_scale([np.ones(5)], 1).per_row(np.array([0, 0]))
    assert np.isnan(metrics.METRICS[name](TRUTH, TRUTH + 1, scale))


def test_a_truth_of_zero_has_no_percentage_but_a_symmetric_one():
    truth, forecast = np.array([[0.0, 0.0, 2.0]]), np.array([[0.0, 1.0, 2.0]])
    assert np.isnan(metrics.mape(truth, truth + 1, NONE))
    assert metrics.smape(truth, forecast, NONE) == pytest.approx(200 / 3)


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_the_symmetric_percentage_lies_between_0_and_200_and_is_symmetric(truth, forecast):
    found = metrics.smape(truth, forecast, NONE)
    assert 0 <= found <= 200 + 1e-9
    assert found == metrics.smape(forecast, truth, NONE)


def test_errors_are_taken_in_64_bits():
    """Of 32-bit numbers whose difference is none: 2^24 less a quarter."""
    truth, forecast = np.full((4, 1), 0.25, np.float32), np.full((4, 1), 2.0**24, np.float32)
    assert metrics.bias(truth, forecast, NONE) == 2.0**24 - 0.25


def test_shapes_that_would_be_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"forecasts are \(3, 1\), the truth is \(3,\)"):
        metrics.mae(np.zeros(3), np.zeros((3, 1)), NONE)


def test_each_step_is_scored_by_itself():
    table = metrics.by_step(("mae", "bias", "mase"), TRUTH, FORECAST, Scale(np.array([[1.0], [2.0]]), np.nan))
    assert table.to_dict("list") == {"step": [1, 2], "mae": [0.5, 1.5], "bias": [0.5, -1.5], "mase": [0.5, 0.75]}


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_the_mean_over_the_steps_is_the_score(truth, forecast):
    whole = metrics.scores(("mae", "bias"), truth, forecast, NONE)
    steps = metrics.by_step(("mae", "bias"), truth, forecast, NONE)
    assert steps[["mae", "bias"]].mean().to_dict() == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_language_scores_by_hand():
    said = {"nats": np.log([2.0, 8.0]), "guess": np.array([3, 1])}
    found = metrics.scores(("nats", "bits", "perplexity", "accuracy"), np.array([3, 2]), said, NONE)
    assert found == pytest.approx({"nats": np.log(4), "bits": 2.0, "perplexity": 4.0, "accuracy": 0.5})


def test_class_scores_by_hand():
    truth = np.array([0, 0, 1, 3])
    said = {"probabilities": np.array([[0.5, 0.3, 0.2, 0], [0.2, 0.6, 0.2, 0], [0.1, 0.9, 0, 0], [0.5, 0.5, 0, 0]])}
    found = metrics.scores(("accuracy", "macro_f1", "log_loss"), truth, said, NONE)
    f1 = [2 * 1 / (2 + 2), 2 * 1 / (1 + 2), 0.0]  # class 2 occurs nowhere; class 3 is never guessed
    nats = -np.log([0.5, 0.2, 0.9, 1e-15]).mean()
    assert found == pytest.approx({"accuracy": 0.5, "macro_f1": np.mean(f1), "log_loss": nats})


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 40))
def test_class_scores_are_those_of_scikit_learn(seed, classes, n):
    from sklearn.metrics import accuracy_score, f1_score, log_loss

    rng = np.random.default_rng(seed)
    truth, p = rng.integers(classes, size=n), rng.dirichlet(np.full(classes, 0.7), size=n)
    found = metrics.scores(("accuracy", "macro_f1", "log_loss"), truth, {"probabilities": p}, NONE)
    guess = p.argmax(axis=1)
    theirs = [accuracy_score(truth, guess), f1_score(truth, guess, average="macro"), 0.0]
    theirs[2] = log_loss(truth, p, labels=range(classes))
    assert list(found.values()) == pytest.approx(theirs, rel=1e-6)


LOWER, UPPER = np.array([[0.0, np.nan], [3.0, 5.0]]), np.array([[2.0, np.nan], [5.0, 9.0]])


def test_interval_scores_by_hand():
    found = metrics.interval_scores(TRUTH, LOWER, UPPER, 0.8)  # 1 in [0, 2], 3 in [3, 5], 4 below [5, 9]
    low, high = [0.1 * 1, 0.1 * 0, 0.9 * 1], [0.1 * 1, 0.1 * 2, 0.1 * 5]
    assert found == pytest.approx(
        {"coverage": 2 / 3, "width": 8 / 3, "pinball": (sum(low) + sum(high)) / 6, "share": 0.75}
    )


def test_pinball_is_that_of_scikit_learn_and_a_quarter_of_the_interval_score():
    from sklearn.metrics import mean_pinball_loss

    rng = np.random.default_rng(0)
    truth, lower = rng.normal(size=(50, 3)), rng.normal(size=(50, 3)) - 1
    upper, level = lower + rng.exponential(size=(50, 3)), 0.9
    found = metrics.pinball(truth, lower, upper, level)
    ends = [mean_pinball_loss(truth, lower, alpha=0.05), mean_pinball_loss(truth, upper, alpha=0.95)]
    assert found == pytest.approx(np.mean(ends))
    below, above = np.maximum(lower - truth, 0), np.maximum(truth - upper, 0)
    score = upper - lower + 2 / (1 - level) * (below + above)  # Gneiting & Raftery (2007), eq. 43
    assert found * 4 / (1 - level) == pytest.approx(score.mean())


def test_without_any_interval_there_is_no_score():
    nothing = np.full((2, 2), np.nan)
    found = metrics.interval_scores(TRUTH, nothing, nothing, 0.9)
    assert found.pop("share") == 0
    assert np.isnan(list(found.values())).all()


def test_every_score_that_is_a_loss_is_the_mean_of_its_losses():
    rng = np.random.default_rng(1)
    truth, forecast, scale = rng.normal(size=(9, 2)), rng.normal(size=(9, 2)), Scale(2.0, 5.0)
    tokens = rng.integers(3, size=9)
    said = {"nats": rng.exponential(size=9), "probabilities": rng.dirichlet(np.ones(3), size=9)}
    after = {"rmse": np.sqrt, "rmsse": np.sqrt, "perplexity": np.exp}
    for name, loss in metrics.LOSSES.items():
        y, p = (tokens, said) if name in ("nats", "bits", "perplexity", "log_loss") else (truth, forecast)
        mean = loss(y, p, scale).mean()
        assert metrics.METRICS[name](y, p, scale) == pytest.approx(after.get(name, float)(mean)), name

"""Metrics by hand, against scikit-learn, and on the published numbers of the airline series."""

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lookback.evaluation import metrics
from lookback.evaluation.metrics import Scale
from lookback.evaluation.predictions import Classes, Points, Tokens


def typed(prediction):
    """Arrays and dictionaries as the predictions that they stand for."""
    if isinstance(prediction, np.ndarray):
        return Points(prediction)
    if "probabilities" in prediction:
        return Classes(prediction["probabilities"])
    guess = prediction.get("guess", np.zeros(len(prediction.get("nats", [])), int))
    return Tokens(prediction.get("nats", np.zeros(len(guess))), guess, prediction.get("characters"))


def scored(name, truth, prediction, scale, flags=None):
    return metrics.METRICS[name](truth, typed(prediction), scale, flags)


def scores(names, truth, prediction, scale, flags=None):
    return metrics.scores(names, truth, typed(prediction), scale, flags)


def by_step(names, truth, prediction, scale):
    return metrics.by_step(names, truth, typed(prediction), scale)


TRUTH, FORECAST = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 2.0], [3.0, 1.0]])
NONE = Scale(float("nan"), float("nan"))
NUMBERS = hnp.arrays(float, (6, 2), elements=st.floats(-1e6, 1e6))


@pytest.fixture(scope="module")
def airline() -> np.ndarray:
    return np.loadtxt(ROOT / "data/airline.csv", delimiter=",", skiprows=1, usecols=1)


def test_forecast_scores_by_hand():
    found = scores(("mae", "rmse", "bias", "mase", "rmsse"), TRUTH, FORECAST, Scale(2.0, 10.0))
    assert found == {
        "mae": 1.0,
        "rmse": pytest.approx(np.sqrt(2.5)),
        "bias": -0.5,
        "mase": 0.5,
        "rmsse": pytest.approx(0.5),
    }


def test_percentages_by_hand():
    found = scores(("mape", "smape"), TRUTH, FORECAST, NONE)
    assert found == pytest.approx({"mape": (100 + 75) / 4, "smape": (200 / 3 + 600 / 5) / 4})


def test_scores_of_the_airline_series_are_the_published_ones(airline):
    rows = np.arange(116, 144)[:, None]
    scale = metrics.naive_scale([airline[:100], airline[:96]], 12)
    assert scale.mae == pytest.approx([29.34, 29.20], abs=0.005)
    for lag, mae, rmse in ((12, 41.43, 46.34), (1, 45.82, 53.35)):
        found = scores(("mae", "rmse"), airline[rows], airline[rows - lag], NONE)
        assert found == {"mae": pytest.approx(mae, abs=0.005), "rmse": pytest.approx(rmse, abs=0.005)}


def test_percentages_of_the_airline_series_are_the_published_ones(airline):
    """The last 36 months by the 12 before them, three times: the example of sktime's guide."""
    found = scores(("mape", "smape"), airline[None, 108:], np.tile(airline[96:108], 3)[None], NONE)
    assert found == {"mape": pytest.approx(13.189, abs=0.0005), "smape": pytest.approx(14.5427686, abs=1e-6)}


@pytest.mark.parametrize("season", [1, 3, 12])
def test_the_seasonal_naive_forecast_scores_one_on_the_rows_of_its_scale(airline, season):
    values = airline[:100]
    one = Scale(*(float(v[0]) for v in vars(metrics.naive_scale([values], season)).values()))
    found = scores(("mase", "rmsse"), values[season:, None], values[:-season, None], one)
    assert found == pytest.approx({"mase": 1.0, "rmsse": 1.0})


def test_each_series_has_its_own_scale():
    series = [np.array([0.0, 1.0, 3.0]), np.array([0.0, 10.0, 30.0]), np.array([5.0])]
    scale = metrics.naive_scale(series, 1)
    np.testing.assert_allclose(scale.mae, [1.5, 15.0, np.nan])
    np.testing.assert_allclose(scale.mse, [2.5, 250.0, np.nan])
    rows = scale.per_row(np.array([0, 1, 1]))
    truth, forecast = np.zeros((3, 2)), np.array([[1.5, 1.5], [15.0, 30.0], [15.0, 0.0]])
    found = scores(("mase", "rmsse"), truth, forecast, rows)
    squares = np.array([2.25, 2.25, 22.5, 90, 22.5, 0]) / [2.5, 2.5, 25, 25, 25, 25]
    assert found == pytest.approx({"mase": 6 / 6, "rmsse": np.sqrt(squares.mean())})


@pytest.mark.parametrize("name", ["mase", "rmsse"])
def test_a_series_that_never_changes_has_no_scaled_score(name):
    scale = metrics.naive_scale([np.ones(5)], 1).per_row(np.array([0, 0]))
    assert np.isnan(scored(name, TRUTH, TRUTH + 1, scale))


def test_a_truth_of_zero_has_no_percentage_but_a_symmetric_one():
    truth, forecast = np.array([[0.0, 0.0, 2.0]]), np.array([[0.0, 1.0, 2.0]])
    assert np.isnan(scored("mape", truth, truth + 1, NONE))
    assert scored("smape", truth, forecast, NONE) == pytest.approx(200 / 3)


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_the_symmetric_percentage_lies_between_0_and_200_and_is_symmetric(truth, forecast):
    found = scored("smape", truth, forecast, NONE)
    assert 0 <= found <= 200 + 1e-9
    assert found == scored("smape", forecast, truth, NONE)


def test_errors_are_taken_in_64_bits():
    """Of 32-bit numbers whose difference is none: 2^24 less a quarter."""
    truth, forecast = np.full((4, 1), 0.25, np.float32), np.full((4, 1), 2.0**24, np.float32)
    assert scored("bias", truth, forecast, NONE) == 2.0**24 - 0.25


def test_shapes_that_would_be_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"forecasts are \(3, 1\), the truth is \(3,\)"):
        scored("mae", np.zeros(3), np.zeros((3, 1)), NONE)


def test_each_step_is_scored_by_itself():
    table = by_step(("mae", "bias", "mase"), TRUTH, FORECAST, Scale(np.array([[1.0], [2.0]]), np.nan))
    assert table.to_dict("list") == {"step": [1, 2], "mae": [0.5, 1.5], "bias": [0.5, -1.5], "mase": [0.5, 0.75]}


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_the_mean_over_the_steps_is_the_score(truth, forecast):
    whole = scores(("mae", "bias"), truth, forecast, NONE)
    steps = by_step(("mae", "bias"), truth, forecast, NONE)
    assert steps[["mae", "bias"]].mean().to_dict() == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_language_scores_by_hand():
    said = {"nats": np.log([2.0, 8.0]), "guess": np.array([3, 1])}
    found = scores(("nats", "bits", "perplexity", "accuracy"), np.array([3, 2]), said, NONE)
    assert found == pytest.approx({"nats": np.log(4), "bits": 2.0, "perplexity": 4.0, "accuracy": 0.5})


def test_class_scores_by_hand():
    truth = np.array([0, 0, 1, 3])
    said = {"probabilities": np.array([[0.5, 0.3, 0.2, 0], [0.2, 0.6, 0.2, 0], [0.1, 0.9, 0, 0], [0.5, 0.5, 0, 0]])}
    found = scores(("accuracy", "macro_f1", "log_loss"), truth, said, NONE)
    f1 = [2 * 1 / (2 + 2), 2 * 1 / (1 + 2), 0.0]  # class 2 occurs nowhere; class 3 is never guessed
    nats = -np.log([0.5, 0.2, 0.9, 1e-15]).mean()
    assert found == pytest.approx({"accuracy": 0.5, "macro_f1": np.mean(f1), "log_loss": nats})


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 40))
def test_class_scores_are_those_of_scikit_learn(seed, classes, n):
    from sklearn.metrics import accuracy_score, f1_score, log_loss

    rng = np.random.default_rng(seed)
    truth, p = rng.integers(classes, size=n), rng.dirichlet(np.full(classes, 0.7), size=n)
    found = scores(("accuracy", "macro_f1", "log_loss"), truth, {"probabilities": p}, NONE)
    guess = p.argmax(axis=1)
    theirs = [accuracy_score(truth, guess), f1_score(truth, guess, average="macro"), 0.0]
    theirs[2] = log_loss(truth, p, labels=range(classes))
    assert list(found.values()) == pytest.approx(theirs, rel=1e-6)


# --- ratings, and scores of some of the targets ---------------------------------------------------

RATINGS, SAID = np.array([[1.0], [4.0], [7.0], [10.0]]), np.array([[1.4], [2.5], [7.5], [9.0]])
WHOLE = hnp.arrays(float, (7, 1), elements=st.integers(1, 10))
BETWEEN = hnp.arrays(float, (7, 1), elements=st.floats(1, 10))


def test_rating_scores_by_hand():
    """2.5 is nearest to 2 and 7.5 to 8: halves go to the even number."""
    found = scores(("mse", "rmse", "mae", "r2", "mse_rounded", "r2_rounded"), RATINGS, SAID, NONE)
    squares, rounded, spread = 0.16 + 2.25 + 0.25 + 1, 0 + 4 + 1 + 1, 2 * (4.5**2 + 1.5**2)
    assert found == pytest.approx(
        {
            "mse": squares / 4,
            "rmse": np.sqrt(squares / 4),
            "mae": (0.4 + 1.5 + 0.5 + 1) / 4,
            "r2": 1 - squares / spread,
            "mse_rounded": rounded / 4,
            "r2_rounded": 1 - rounded / spread,
        }
    )


@given(WHOLE, BETWEEN)
def test_rounded_scores_are_those_of_rounded_answers(truth, said):
    rounded = np.array([[float(round(v))] for v in said[:, 0]])  # Python's own, halves to the even one too
    for name in ("mse", "r2"):
        theirs = scored(name, truth, rounded, NONE)
        assert scored(f"{name}_rounded", truth, said, NONE) == pytest.approx(theirs, nan_ok=True)


@given(WHOLE, BETWEEN)
def test_r2_is_that_of_scikit_learn(truth, said):
    from sklearn.metrics import r2_score

    found = scored("r2", truth, said, NONE)
    assert np.isnan(found) if np.ptp(truth) == 0 else found == pytest.approx(r2_score(truth, said))


def test_the_mean_of_the_truth_explains_nothing_of_it():
    assert scored("r2", RATINGS, np.full((4, 1), RATINGS.mean()), NONE) == pytest.approx(0)


def test_scores_of_new_texts_leave_the_others_out():
    new = np.array([True, False, False, True])
    found = scores(("mse", "mse_new"), RATINGS, SAID, NONE, {"new": new})
    assert found["mse_new"] == pytest.approx((0.16 + 1) / 2) and found["mse"] == pytest.approx(3.66 / 4)


def test_scores_of_known_and_unknown_words_by_hand():
    truth, said = np.array([0, 1, 1, 2, 0]), {"probabilities": np.eye(3)[[0, 1, 0, 2, 1]]}  # right: 0, 1 and 3
    flags = {"known": np.array([True, True, True, False, False])}
    names = ("accuracy", "accuracy_known", "accuracy_unknown")
    found = scores(names, truth, said, NONE, flags)
    assert found == pytest.approx({"accuracy": 3 / 5, "accuracy_known": 2 / 3, "accuracy_unknown": 1 / 2})


@pytest.mark.filterwarnings("error")
def test_a_mean_over_nothing_is_nan():
    flags = {"new": np.zeros(4, bool), "known": np.ones(4, bool)}
    assert np.isnan(scores(("mse_new",), RATINGS, SAID, NONE, flags)["mse_new"])
    said = {"probabilities": np.eye(2)[[0, 1, 0, 1]]}
    found = scores(("accuracy_unknown", "accuracy_new"), np.array([0, 1, 1, 1]), said, NONE, flags)
    assert np.isnan(list(found.values())).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 40))
def test_error_rate_and_accuracy_make_one(seed, classes, n):
    rng = np.random.default_rng(seed)
    truth, said = rng.integers(classes, size=n), {"probabilities": rng.dirichlet(np.ones(classes), size=n)}
    known = rng.random(n) < 0.5
    names = ("error_rate", "accuracy", "accuracy_known", "accuracy_unknown")
    found = scores(names, truth, said, NONE, {"known": known})
    assert found["error_rate"] + found["accuracy"] == pytest.approx(1)
    parts = np.nan_to_num([found["accuracy_known"], found["accuracy_unknown"]]) @ [known.sum(), (~known).sum()]
    assert parts / n == pytest.approx(found["accuracy"])


def test_scores_of_each_class_by_hand():
    truth, guess = np.array([0, 0, 1, 3]), np.array([0, 1, 1, 0])
    found = metrics.by_class(truth, guess, ("a", "b", "c", "d"))
    expected = {
        "precision": [1 / 2, 1 / 2, np.nan, np.nan],
        "recall": [1 / 2, 1.0, np.nan, 0.0],
        "f1": [1 / 2, 2 / 3, np.nan, 0.0],
        "count": [2, 1, 0, 1],
    }
    assert found["class"].tolist() == list("abcd")
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, err_msg=name)
    assert found["f1"].mean() == pytest.approx(scored("macro_f1", truth, {"guess": guess}, NONE))


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 40))
def test_scores_of_each_class_are_those_of_scikit_learn(seed, classes, n):
    from sklearn.metrics import precision_recall_fscore_support

    truth, guess = np.random.default_rng(seed).integers(classes, size=(2, n))
    theirs = precision_recall_fscore_support(truth, guess, labels=range(classes), zero_division=np.nan)
    found = metrics.by_class(truth, guess, [f"k{i}" for i in range(classes)])
    for name, values in zip(("precision", "recall", "f1", "count"), theirs, strict=True):
        np.testing.assert_allclose(found[name], values, err_msg=name)


def test_bits_per_character_by_hand():
    said = {"nats": np.log([2.0, 8.0, 4.0]), "guess": np.zeros(3), "characters": np.array([1, 4, 3])}
    found = scores(("bits_per_character", "unknown"), np.array([0, 2, 0]), said, NONE)
    assert found == pytest.approx({"bits_per_character": (1 + 3 + 2) / 8, "unknown": 2 / 3})


@given(hnp.arrays(float, st.integers(1, 30), elements=st.floats(0, 30)))
def test_bits_per_character_of_characters_are_bits(nats):
    said = {"nats": nats, "characters": np.ones(len(nats), int)}
    found = scores(("bits", "bits_per_character"), np.zeros(len(nats), int), said, NONE)
    assert found["bits_per_character"] == pytest.approx(found["bits"])


OF_KINDS = ("nats", "bits", "perplexity", "log_loss", "error_rate")


def test_every_score_that_is_a_loss_is_the_mean_of_its_losses():
    rng = np.random.default_rng(1)
    truth, forecast, scale = rng.normal(size=(9, 2)), Points(rng.normal(size=(9, 2))), Scale(2.0, 5.0)
    codes, tokens = rng.integers(3, size=9), Tokens(rng.exponential(size=9), rng.integers(3, size=9))
    classes = Classes(rng.dirichlet(np.ones(3), size=9))
    after = {"rmse": np.sqrt, "rmsse": np.sqrt, "perplexity": np.exp}
    deciding = [name for name, metric in metrics.METRICS.items() if metric.decides]
    assert {"mae", "rmse", "mase", "log_loss", "nats", "error_rate"} <= set(deciding)
    for name in deciding:
        said = forecast if name not in OF_KINDS else classes if name in ("log_loss", "error_rate") else tokens
        y = truth if said is forecast else codes
        mean = metrics.losses(name, y, said, scale).mean()
        assert metrics.METRICS[name](y, said, scale) == pytest.approx(after.get(name, float)(mean)), name
        assert metrics.REDUCTIONS[metrics.METRICS[name].reduction](mean) == metrics.METRICS[name](y, said, scale)

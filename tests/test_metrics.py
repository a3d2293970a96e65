"""Metrics by hand."""

import numpy as np
import pytest

from lookback.evaluation import metrics

TRUTH, FORECAST = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 2.0], [3.0, 1.0]])


def test_forecast_scores_by_hand():
    found = metrics.scores(("mae", "rmse", "bias", "mase"), TRUTH, FORECAST, 2.0)
    assert found == {"mae": 1.0, "rmse": pytest.approx(np.sqrt(2.5)), "bias": -0.5, "mase": 0.5}


def test_language_scores_by_hand():
    said = {"nats": np.log([2.0, 8.0]), "guess": np.array([3, 1])}
    found = metrics.scores(("nats", "bits", "perplexity", "accuracy"), np.array([3, 2]), said, 1.0)
    assert found == pytest.approx({"nats": np.log(4), "bits": 2.0, "perplexity": 4.0, "accuracy": 0.5})


def test_mase_scale_of_the_airline_series_is_the_published_one():
    from conftest import ROOT

    values = np.array([float(line.split(",")[1]) for line in (ROOT / "data/airline.csv").read_text().split()[1:]])
    assert metrics.mase_scale(values[:100], 12) == pytest.approx(29.34, abs=0.005)
    assert metrics.mase_scale(values[:96], 12) == pytest.approx(29.20, abs=0.005)


def test_a_fitted_naive_has_mase_of_one_where_the_series_is_one_season():
    values = np.tile([1.0, 5.0, 2.0], 20) + np.arange(60)
    assert metrics.mase_scale(values, 3) == pytest.approx(3.0)

"""Tests and intervals, against the definitions, statsmodels and simulation."""

import math

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lookback.evaluation import metrics
from lookback.evaluation import significance as sig
from lookback.evaluation.metrics import Scale
from lookback.evaluation.predictions import Classes, Points

ONE = Scale(2.0, 4.0)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def airline() -> tuple[np.ndarray, ...]:
    """The last 48 months, and three forecasts of them: last month, last year, last year grown."""
    y = np.loadtxt(ROOT / "data/airline.csv", delimiter=",", skiprows=1, usecols=1)
    t = np.arange(96, 144)
    return tuple(v[:, None] for v in (y[t], y[t - 1], y[t - 12], y[t - 12] * y[t - 1] / y[t - 13]))


def losses_of(metric, truth, prediction, scale):
    """The loss of each forecast: one number per origin, with a horizon of several steps their mean."""
    found = metrics.losses(metric, truth, prediction if isinstance(prediction, Classes) else Points(prediction), scale)
    return found.reshape(len(found), -1).mean(axis=1, dtype=np.float64)


# --- losses -------------------------------------------------------------------------------------


def test_a_loss_is_one_number_per_origin():
    truth, forecast = np.zeros((2, 2)), np.array([[1.0, -3.0], [0.0, 4.0]])
    expected = {"mae": [2, 2], "mase": [1, 1], "rmse": [5, 8], "rmsse": [1.25, 2]}
    for metric, losses in expected.items():
        np.testing.assert_allclose(losses_of(metric, truth, forecast, ONE), losses, err_msg=metric)


def test_the_loss_of_a_class_is_its_surprisal():
    said = Classes(np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]]))
    found = losses_of("log_loss", np.array([0, 0, 1]), said, ONE)
    np.testing.assert_allclose(found, np.log([2, 4, 1e15]))


# --- Diebold-Mariano ----------------------------------------------------------------------------


def by_definition(d: np.ndarray, horizon: int) -> float:
    """Newey & West's variance with Bartlett weights, and the factor of Harvey et al., written out."""
    n = len(d)
    lags, e = max(horizon - 1, math.ceil(n ** (1 / 3))), d - d.mean()
    variance = e @ e + 2 * sum((1 - k / (lags + 1)) * (e[k:] @ e[:-k]) for k in range(1, lags + 1))
    factor = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    return 2 * stats.t.sf(abs(d.sum()) / math.sqrt(variance) * math.sqrt(factor), n - 1)


@pytest.mark.parametrize(("n", "horizon"), [(8, 1), (30, 1), (30, 12), (200, 5)])
def test_diebold_mariano_is_the_definition(n, horizon):
    a, b = rng(n).exponential(size=(2, n))
    assert sig.diebold_mariano(a, b, horizon) == pytest.approx(by_definition(a - b, horizon))


@pytest.mark.parametrize(("metric", "criterion"), [("mae", "mad"), ("rmse", "mse"), ("mape", "mape")])
def test_diebold_mariano_of_the_airline_series_is_that_of_statsmodels(airline, metric, criterion):
    from statsmodels.tsa.stattools import diebold_mariano_test

    truth, last, season, _ = airline
    theirs = diebold_mariano_test(truth[:, 0], last[:, 0], season[:, 0], criterion=criterion, harvey_adj=True)
    ours = [losses_of(metric, truth, f, ONE) for f in (last, season)]
    assert sig.diebold_mariano(*ours, horizon=1) == pytest.approx(theirs.pvalue)


def test_equal_losses_are_no_difference():
    a = rng().exponential(size=40)
    found = sig.paired(a, a.copy(), 1, 0.95, 200, rng())
    assert found == sig.Paired(0.0, 0.0, 0.0, 1.0, 40)
    assert sig.diebold_mariano(a * 1e6, a * 1e6 * (1 + 1e-15), 1) == 1.0


def test_a_difference_that_never_changes_has_no_p():
    a = rng().exponential(size=40)
    assert sig.diebold_mariano(a, a + 0.1, 1) is None


@pytest.mark.parametrize(("n", "horizon", "enough"), [(7, 1, False), (8, 1, True), (23, 12, False), (24, 12, True)])
def test_too_few_forecasts_say_nothing(n, horizon, enough):
    a, b = rng().exponential(size=(2, n))
    found = sig.paired(a, b, horizon, 0.95, 100, rng())
    assert found.difference == pytest.approx((a - b).mean()) and found.n == n
    assert [v is not None for v in (found.low, found.high, found.p)] == [enough] * 3


def test_a_loss_that_is_not_finite_says_nothing():
    a, b = rng().exponential(size=(2, 20))
    a[3] = np.inf
    found = sig.paired(a, b, 1, 0.95, 100, rng())
    assert (found.low, found.high, found.p) == (None, None, None)


def test_under_equal_losses_one_test_in_twenty_rejects():
    a, b = rng(1).exponential(size=(2, 400, 200))
    rejected = np.mean([sig.diebold_mariano(x, y, 1) < 0.05 for x, y in zip(a, b, strict=True)])
    assert 0.03 < rejected < 0.08  # 0.05 ± 2.7 standard errors, and a little for 200 being few


# --- the interval of the difference ---------------------------------------------------------------


def test_seeds_are_averaged_before_anything_is_tested():
    a, b = rng().exponential(size=(3, 30)), rng(1).exponential(size=(2, 30))
    one = sig.paired(a, b, 1, 0.95, 200, rng())
    assert one == sig.paired(a.mean(axis=0), b.mean(axis=0), 1, 0.95, 200, rng())
    assert one.n == 30


def test_losses_of_other_targets_cannot_be_paired():
    with pytest.raises(ValueError, match="30 and of 1 forecasts"):
        sig.paired(np.ones(30), np.ones(1), 1, 0.95, 200, rng())


def test_differences_of_the_airline_series(airline):
    """The MAE of 48 months and their intervals: published with another bootstrap, hence a wide band."""
    truth, *forecasts = airline
    published = ((40.04, 33.4, 47.0), (36.98, 26.2, 47.3), (11.31, 8.0, 15.2))
    for forecast, (mae, low, high) in zip(forecasts, published, strict=True):
        losses = losses_of("mae", truth, forecast, ONE)
        found = sig.mean_interval(losses, 1, 0.95, 2000, rng())
        assert losses.mean() == pytest.approx(mae, abs=0.01)
        assert found == (pytest.approx(low, abs=2), pytest.approx(high, abs=2))
    last, season, grown = (losses_of("mae", truth, f, ONE) for f in forecasts)
    better, level = sig.paired(grown, season, 1, 0.95, 2000, rng()), sig.paired(last, season, 1, 0.95, 2000, rng())
    assert better.high < 0 and better.p < 0.001
    assert level.low < 0 < level.high and level.p > 0.3


def test_the_interval_is_repeatable_and_mirrored():
    a, b = rng().exponential(size=(2, 60))
    there, back = sig.paired(a, b, 3, 0.9, 500, rng(5)), sig.paired(b, a, 3, 0.9, 500, rng(5))
    assert there == sig.paired(a, b, 3, 0.9, 500, rng(5))
    assert (there.difference, there.low, there.high) == pytest.approx((-back.difference, -back.high, -back.low))
    assert there.low < there.difference < there.high


@settings(deadline=None)
@given(st.integers(8, 60), st.integers(1, 8), st.integers(0, 1000))
def test_resampled_means_are_of_n_values_in_whole_blocks(n, length, seed):
    values = rng(seed).normal(size=n)
    found = sig._resampled_means(values, length, 20, rng(seed))
    again = rng(seed)
    for mean in found:  # the same draws, gathered value by value
        starts = again.integers(n, size=n // length + 1)
        rows = (starts[:, None] + np.arange(length)).ravel()[:n] % n
        assert mean == pytest.approx(values[rows].mean())


def test_without_an_order_the_test_is_the_paired_t_test():
    a, b = rng(7).exponential(size=(2, 60))
    assert sig.diebold_mariano(a, b, 0) == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_without_an_order_the_order_makes_no_difference():
    """Losses sorted as a file sorted by its label would have them; one bootstrap is as wide as the other."""
    a, b = np.sort(rng(7).exponential(size=400)), rng(8).exponential(size=400)
    mixed = rng(9).permutation(400)
    sorted_, shuffled = (sig.paired(a[o], b[o], 0, 0.95, 4000, rng()) for o in (np.arange(400), mixed))
    assert sorted_.p == pytest.approx(shuffled.p)
    assert (sorted_.low, sorted_.high) == pytest.approx((shuffled.low, shuffled.high), abs=0.01)
    half = stats.t.ppf(0.975, 399) * (a - b).std(ddof=1) / math.sqrt(400)
    assert (sorted_.high - sorted_.low) / 2 == pytest.approx(half, rel=0.05)


@pytest.mark.parametrize(
    ("n", "horizon", "length"),
    [(1000, 0, 1), (8, 1, 2), (27, 1, 3), (28, 1, 4), (1000, 1, 10), (60, 12, 12), (120, 12, 24)],
)
def test_block_length(n, horizon, length):
    assert sig.block_length(n, horizon) == length


def test_resampled_means_vary_as_the_mean_of_the_series_does():
    """MA(5): the variance of the mean of n is 6² / n of that of a shock. Single rows would see a sixth of it."""
    n = 60_000
    values = np.convolve(rng(2).normal(size=n + 5), np.ones(6), "valid")  # (n,)
    blocks, singles = (sig._resampled_means(values, length, 1000, rng()).var() * n for length in (60, 1))
    assert blocks == pytest.approx(36, rel=0.15)  # 3 % from the weights 1 - k / 60, 4 and 5 % by chance
    assert singles == pytest.approx(6, rel=0.15)


def test_the_percentiles_reach_as_far_as_students_t_of_the_blocks():
    reach = stats.norm.ppf((1 + sig._expanded(0.95, 7)) / 2)
    assert reach == pytest.approx(2.446912 * math.sqrt(7 / 6))  # t of 6 degrees of freedom, from a printed table


@pytest.mark.slow
def test_the_interval_covers_what_it_says():
    """Few and independent, and many with neighbours that depend on each other: 400 series each."""
    few = rng(3).normal(size=(400, 28))
    shocks = rng(4).normal(size=(400, 501))
    many = shocks[:, 1:] + shocks[:, :-1]
    for series in (few, many):
        ends = np.array([sig.mean_interval(values, 1, 0.9, 400, rng()) for values in series])
        covered = np.mean((ends[:, 0] <= 0) & (ends[:, 1] >= 0))
        assert 0.87 < covered < 0.94


# --- many tests, seeds, classes -------------------------------------------------------------------


def test_holm_by_hand():
    """Sorted .01 .02 .04 times 3 2 1, never falling."""
    np.testing.assert_allclose(sig.holm([0.04, None, 0.01, np.nan, 0.02]), [0.04, np.nan, 0.03, np.nan, 0.04])
    assert sig.holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert np.isnan(sig.holm([None, None])).all()
    assert sig.holm([]).size == 0


def test_holm_leaves_what_it_was_given():
    given_p = np.array([0.01, 0.02])
    sig.holm(given_p)
    assert given_p.tolist() == [0.01, 0.02]


def test_the_interval_over_seeds_is_students():
    found = sig.seed_interval([1.0, 2.0, 3.0], 0.95)
    reach = 4.302653 / math.sqrt(3)  # t of 2 degrees of freedom, from a printed table; sd is 1
    assert (found.mean, found.low, found.high) == pytest.approx((2.0, 2 - reach, 2 + reach))
    assert sig.seed_interval([1.0], 0.95) is None


def test_half_of_an_interval_is_student_t():
    scores = np.array([1.0, 2.0, 4.0])
    found = sig.seed_interval(scores, 0.95)
    assert sig.half_width(scores.std(ddof=1), 3, 0.95) == pytest.approx(found.high - found.mean)
    assert np.isnan(sig.half_width(1.0, 1, 0.95))


def pairs(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    a = np.repeat([True, True, False, False], [both, only_a, only_b, neither])
    return a, np.repeat([True, False, True, False], [both, only_a, only_b, neither])


def test_mcnemar_with_few_is_the_binomial_test_by_hand():
    """2 against 8 of 10: twice the chance of 2 heads or fewer in 10 throws, (1 + 10 + 45) / 1024."""
    assert sig.mcnemar(*pairs(30, 2, 8, 5)) == (8, 2, pytest.approx(2 * 56 / 1024))


def test_mcnemar_with_many_is_the_corrected_chi_square_by_hand():
    """59 against 121: (|59 - 121| - 1)² / 180."""
    n01, n10, p = sig.mcnemar(*pairs(200, 59, 121, 40))
    assert (n01, n10) == (121, 59)
    assert p == pytest.approx(math.erfc(math.sqrt(61**2 / 180 / 2)))  # chi-square with one degree of freedom


@pytest.mark.parametrize(("only_b", "exact"), [(16, True), (17, False)])
def test_mcnemar_is_exact_below_25(only_b, exact):
    p = sig.mcnemar(*pairs(3, 8, only_b, 3))[2]
    chi_square = stats.chi2.sf((only_b - 8 - 1) ** 2 / (only_b + 8), 1)
    assert p == pytest.approx(stats.binomtest(8, 8 + only_b).pvalue if exact else chi_square)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_mcnemar_is_symmetric_and_blind_to_what_both_got(only_a, only_b, both):
    a, b = pairs(both, only_a, only_b, both)
    n01, n10, p = sig.mcnemar(a, b)
    assert sig.mcnemar(b, a) == (n10, n01, p)
    assert sig.mcnemar(*pairs(0, only_a, only_b, 0)) == (only_b, only_a, p)
    assert 0 <= p <= 1


def test_mcnemar_without_a_difference():
    a = np.array([True, False])
    assert sig.mcnemar(a, a) == (0, 0, 1.0)
    with pytest.raises(ValueError, match="2 and to 1 targets"):
        sig.mcnemar(a, a[:1])


def test_under_equal_rates_mcnemar_rejects_no_more_than_it_says():
    a, b = rng(5).random(size=(2, 400, 300)) < 0.8
    rejected = np.mean([sig.mcnemar(x, y)[2] < 0.05 for x, y in zip(a, b, strict=True)])
    assert 0.01 < rejected < 0.06  # the correction makes it cautious

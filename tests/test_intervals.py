"""Conformal intervals: exact coverage, no look ahead, and the definitions written out."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookback.evaluation import intervals
from lookback.evaluation.intervals import Forecasts, conformal, coverage, quantile

LEVELS = st.sampled_from([0.5, 0.55, 0.8, 0.9, 0.95])


def in_order(residuals: np.ndarray, lead: int = 0) -> Forecasts:
    """Forecasts of 0, one an hour, of which the first step is `lead` rows on: (n, horizon) truths."""
    origins = np.arange(len(residuals))
    rows = origins[:, None] + lead + np.arange(residuals.shape[1])
    return Forecasts(residuals, np.zeros_like(residuals), origins, rows)


# --- the quantile -------------------------------------------------------------------------------


def test_the_quantile_is_the_residual_of_rank_n_plus_one_times_level():
    residuals = np.array([3.0, -1.0, 2.0, -5.0, 4.0, np.nan])
    assert [quantile(residuals, level) for level in (0.1, 0.5, 0.6, 0.8)] == [1.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize(("level", "fewest"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_too_few_residuals_give_no_interval(level, fewest):
    assert quantile(np.arange(fewest) + 1.0, level) == fewest
    assert math.isnan(quantile(np.arange(fewest - 1) + 1.0, level))


@settings(deadline=None)
@given(st.integers(1, 200), LEVELS)
def test_coverage_is_exact_over_every_choice_of_the_one_that_is_held_out(n, level):
    """Exchangeable: each of n + 1 residuals is as likely the last. Counted, not simulated."""
    residuals = np.arange(n + 1.0)
    radii = np.array([quantile(np.delete(residuals, i), level) for i in range(n + 1)])
    covered = np.mean(~(residuals > radii))  # without an interval nothing is claimed, nothing missed
    assert level - 1e-12 <= covered <= level + 1 / (n + 1) + 1e-12


def test_coverage_by_simulation():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(4000):
        forecasts = in_order(rng.standard_cauchy(size=(5, 2)))
        ends = conformal(rng.standard_cauchy(size=(30, 2)), forecasts, 0.9, 0.0, False)
        found.append(coverage(forecasts.truth, *ends))
    exact = 28 / 31  # ceil(31 × 0.9) / 31
    assert np.mean(found) == pytest.approx(exact, abs=4 * np.std(found) / math.sqrt(len(found)))
    assert 0.9 <= exact <= 0.9 + 1 / 31


# --- what becomes known, and when -----------------------------------------------------------------


def test_each_step_has_its_own_width_around_its_forecast():
    calibration = np.stack([np.arange(1.0, 10), np.arange(10.0, 100, 10)], axis=1)
    forecasts = Forecasts(
        np.zeros((2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5, 6]), np.array([[5, 6], [6, 7]])
    )
    lower, upper = conformal(calibration, forecasts, 0.9, 0.0, False)
    assert lower.tolist() == [[-8.0, -88.0], [-6.0, -86.0]]
    assert upper.tolist() == [[10.0, 92.0], [12.0, 94.0]]


def test_rolling_waits_for_the_truth():
    """Level 0.5: the middle of what is known. The second step is known one row later than the first."""
    residuals = np.array([[8.0, 8.0], [6.0, 6.0], [0.0, 0.0], [0.0, 0.0]])
    _, upper = conformal(np.array([[1.0, 1.0]]), in_order(residuals), 0.5, 0.0, True)
    assert upper[:, 0].tolist() == [1.0, 8.0, 6.0, 6.0]  # {1} {1 8} {1 6 8} {0 1 6 8}
    assert upper[:, 1].tolist() == [1.0, 1.0, 8.0, 6.0]


def test_rolling_begins_where_enough_is_known():
    _, upper = conformal(np.empty((0, 1)), in_order(np.arange(6.0)[:, None]), 0.8, 0.0, True)
    np.testing.assert_array_equal(upper[:, 0], [np.nan, np.nan, np.nan, np.nan, 3.0, 4.0])


def test_adaptive_by_hand():
    """Residuals 1 .. 9, level 0.8, gamma 0.1: alpha .2 -> missed .12 -> held .14 -> missed .06: too far out."""
    residuals = np.array([8.5, 0.0, 9.5, 100.0, 0.0, 0.0, 0.0])[:, None]
    _, upper = conformal(np.arange(1.0, 10)[:, None], in_order(residuals), 0.8, 0.1, False)
    # rank ceil(10 (1 - alpha)): 8, 9, 9, none (10 of 9), which is not a miss: .08, .10 -> 9, .12 -> 9
    np.testing.assert_array_equal(upper[:, 0], [8.0, 9.0, 9.0, np.nan, np.nan, 9.0, 9.0])


def test_series_of_one_time_move_alpha_once():
    """Two series, four origins; at each time one is missed and one held: 0.2 + 0.1 (0.2 - 0.5)."""
    origins = np.repeat(np.arange(3), 2)
    truth = np.tile([100.0, 0.0], 3)[:, None]
    forecasts = Forecasts(truth, np.zeros((6, 1)), origins, origins[:, None])
    _, upper = conformal(np.arange(1.0, 100)[:, None], forecasts, 0.8, 0.1, False)
    assert upper[:, 0].tolist() == [80.0, 80.0, 83.0, 83.0, 86.0, 86.0]


def test_a_truth_that_never_came_teaches_nothing():
    residuals = np.array([50.0, np.nan, 0.0])[:, None]
    _, upper = conformal(np.arange(1.0, 10)[:, None], in_order(residuals), 0.5, 0.1, True)
    # alpha .5 -> .45, residuals 1 .. 9 and 50: rank ceil(11 × .55) = 7, twice
    assert upper[:, 0].tolist() == [5.0, 7.0, 7.0]


def test_an_empty_set_is_the_forecast_and_a_miss():
    """Perfect forecasts push alpha to 1, and not for ever above: one bad segment widens again at once."""
    residuals = np.concatenate([np.zeros(200), np.full(5, 3.0)])[:, None]
    lower, upper = conformal(np.arange(1.0, 10)[:, None], in_order(residuals), 0.5, 0.2, False)
    assert (lower == 0).any() and (lower == -upper).all()
    assert 0 < (upper[:200] == 0).sum() < 150
    assert upper[-1] >= 3


@st.composite
def situations(draw):
    """Any number of series and steps, origins in any order, truths that come early or late."""
    n, horizon = draw(st.integers(2, 25)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    origins = rng.integers(0, 12, size=n)
    rows = origins[:, None] + rng.integers(0, 6, size=(n, horizon))
    truth = np.where(rng.random((n, horizon)) < 0.1, np.nan, rng.normal(size=(n, horizon)) * 3)
    calibration = rng.normal(size=(draw(st.integers(0, 12)), horizon))
    forecasts = Forecasts(truth, rng.normal(size=(n, horizon)), origins, rows)
    return calibration, forecasts, draw(LEVELS), draw(st.sampled_from([0.0, 0.01, 0.3])), draw(st.booleans())


@settings(deadline=None)
@given(situations(), st.integers(0, 17), st.floats(-1e6, 1e6))
def test_no_interval_knows_a_truth_at_or_after_its_origin(situation, row, shift):
    calibration, forecasts, level, gamma, rolling = situation
    later = np.where(forecasts.target_rows >= row, forecasts.truth + shift, forecasts.truth)
    changed = Forecasts(later, forecasts.prediction, forecasts.origins, forecasts.target_rows)
    earlier = forecasts.origins <= row
    for before, after in zip(
        conformal(calibration, forecasts, level, gamma, rolling),
        conformal(calibration, changed, level, gamma, rolling),
        strict=True,
    ):
        np.testing.assert_array_equal(before[earlier], after[earlier])


def written_out(calibration, forecasts, level, gamma, rolling, step):
    """The definition, forecast by forecast and row by row, remembering nothing: upper ends (n,)."""
    miss = np.abs(forecasts.truth - forecasts.prediction)[:, step]
    rows, origins = forecasts.target_rows[:, step], forecasts.origins

    def radius(origin):
        alpha = 1 - level
        for row in np.unique(rows[rows < origin]):
            came = [i for i in np.flatnonzero(rows == row) if not np.isnan(miss[i])]
            if came:
                given = [radius(origins[i]) for i in came]
                alpha += gamma * (1 - level - np.mean([miss[i] > r for i, r in zip(came, given, strict=True)]))
        known = list(np.abs(calibration[:, step]))
        if rolling:
            known += [m for m, r in zip(miss, rows, strict=True) if r < origin and not np.isnan(m)]
        rank = math.ceil(round((len(known) + 1) * (1 - alpha), 8))
        return -1.0 if rank < 1 else math.inf if rank > len(known) else sorted(known)[rank - 1]

    radii = np.array([radius(origin) for origin in origins])
    return forecasts.prediction[:, step] + np.where(np.isinf(radii), np.nan, np.maximum(radii, 0))


@st.composite
def small_situations(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 9))
    origins = rng.integers(0, 5, size=n)
    rows = origins[:, None] + rng.integers(0, 3, size=(n, 2))
    truth = np.where(rng.random((n, 2)) < 0.1, np.nan, rng.normal(size=(n, 2)) * 3)
    forecasts = Forecasts(truth, rng.normal(size=(n, 2)), origins, rows)
    calibration = rng.normal(size=(draw(st.integers(0, 9)), 2))
    return calibration, forecasts, draw(LEVELS), draw(st.sampled_from([0.0, 0.05, 0.6])), draw(st.booleans())


@settings(deadline=None)
@given(small_situations())
def test_conformal_is_the_definition(situation):
    _, upper = conformal(*situation)
    for step in range(2):
        np.testing.assert_allclose(upper[:, step], written_out(*situation, step))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.2]), st.booleans())
def test_adaptive_misses_its_share_whatever_comes(seed, gamma, rolling):
    """Gibbs & Candès, proposition 4.1: |share - alpha| <= (max(alpha, 1 - alpha) + gamma) / (gamma T)."""
    rng = np.random.default_rng(seed)
    scale = np.exp(np.cumsum(rng.normal(size=300) * 0.3))  # the spread wanders by orders of magnitude
    forecasts = in_order((rng.normal(size=300) * scale)[:, None])
    lower, upper = conformal(rng.normal(size=(20, 1)), forecasts, 0.9, gamma, rolling)
    missed = np.mean((forecasts.truth < lower) | (forecasts.truth > upper))
    assert abs(missed - 0.1) <= (0.9 + gamma) / (gamma * 300) + 1e-12


def test_adaptive_holds_where_split_does_not():
    """The spread triples after val: split covers far too little, rolling recovers late, adaptive soon."""
    rng = np.random.default_rng(0)
    calibration, forecasts = rng.normal(size=(500, 1)), in_order(rng.normal(size=(500, 1)) * 3)
    split, rolling, adaptive = (
        conformal(calibration, forecasts, 0.9, gamma, joins)
        for gamma, joins in ((0.0, False), (0.0, True), (0.01, True))
    )
    assert coverage(forecasts.truth, *split) < 0.5 < coverage(forecasts.truth, *rolling) < 0.75
    assert coverage(forecasts.truth, *adaptive) == pytest.approx(0.9, abs=0.03)
    assert np.isfinite(adaptive[0]).mean() > 0.95


def test_a_target_before_its_origin_is_refused():
    with pytest.raises(ValueError, match="before the origin"):
        in_order(np.zeros((3, 2)), lead=-1)


# --- how good they are ---

TRUTH = np.array([[1.0, 2.0], [3.0, 4.0]])
LOWER, UPPER = np.array([[0.0, np.nan], [3.0, 5.0]]), np.array([[2.0, np.nan], [5.0, 9.0]])


def test_interval_scores_by_hand():
    found = intervals.scores(TRUTH, LOWER, UPPER, 0.8)  # 1 in [0, 2], 3 in [3, 5], 4 below [5, 9]
    low, high = [0.1 * 1, 0.1 * 0, 0.9 * 1], [0.1 * 1, 0.1 * 2, 0.1 * 5]
    assert found == pytest.approx(
        {"coverage": 2 / 3, "width": 8 / 3, "pinball": (sum(low) + sum(high)) / 6, "share": 0.75}
    )


def test_pinball_is_that_of_scikit_learn_and_a_quarter_of_the_interval_score():
    from sklearn.metrics import mean_pinball_loss

    rng = np.random.default_rng(0)
    truth, lower = rng.normal(size=(50, 3)), rng.normal(size=(50, 3)) - 1
    upper, level = lower + rng.exponential(size=(50, 3)), 0.9
    found = intervals.pinball(truth, lower, upper, level)
    ends = [mean_pinball_loss(truth, lower, alpha=0.05), mean_pinball_loss(truth, upper, alpha=0.95)]
    assert found == pytest.approx(np.mean(ends))
    below, above = np.maximum(lower - truth, 0), np.maximum(truth - upper, 0)
    score = upper - lower + 2 / (1 - level) * (below + above)  # Gneiting & Raftery (2007), eq. 43
    assert found * 4 / (1 - level) == pytest.approx(score.mean())


def test_without_any_interval_there_is_no_score():
    nothing = np.full((2, 2), np.nan)
    found = intervals.scores(TRUTH, nothing, nothing, 0.9)
    assert found.pop("share") == 0
    assert np.isnan(list(found.values())).all()

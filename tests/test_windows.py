"""Windows against brute force, and the promises that splits make."""

import hypothesis
import numpy as np
import pytest
from conftest import ROOT, examples, load, settings
from hypothesis import given
from hypothesis import strategies as st

from lookback.data.samples import Span, Windows
from lookback.data.windows import SplitBounds, split_starts, starts
from lookback.errors import DataError

sizes = st.tuples(st.integers(1, 60), st.integers(1, 12), st.integers(1, 6), st.integers(0, 60), st.integers(0, 60))


@given(sizes)
def test_starts_are_all_windows_whose_targets_lie_in_the_part(size):
    rows, lookback, horizon, first, stop = size
    first, stop = sorted((min(first, rows), min(stop, rows)))
    expected = [
        s
        for s in range(rows)
        if all(first <= t < stop for t in range(s + lookback, s + lookback + horizon))
        and s + lookback + horizon <= rows
    ]
    assert starts(first, stop, lookback, horizon).tolist() == expected


def whole(rows, borders):
    """One series without gaps."""
    return SplitBounds(0, *borders, rows, ((0, rows),))


@given(st.integers(3, 80), st.integers(1, 8), st.integers(1, 4), st.integers(1, 79), st.integers(1, 79))
def test_no_target_in_two_splits_and_inputs_before_targets(rows, lookback, horizon, a, b):
    borders = tuple(sorted((min(a, rows), min(b, rows))))
    try:
        parts = split_starts([whole(rows, borders)], lookback, horizon, 1)
    except DataError:
        return
    x, y = Span("v", 0, lookback), Span("v", lookback, horizon)
    series = {"v": np.arange(rows)}
    targets = [set(Windows(series, p, x, y).targets().ravel().tolist()) for p in parts]
    assert not targets[0] & targets[1] and not targets[1] & targets[2] and not targets[0] & targets[2]
    assert max(targets[0]) < borders[0] <= min(targets[1]) and max(targets[1]) < borders[1] <= min(targets[2])
    for p in parts:
        samples = Windows(series, p, x, y)
        inputs, wanted = samples.inputs(), samples.targets()
        assert (np.diff(inputs, axis=1) == 1).all() and (inputs[:, -1] + 1 == wanted[:, 0]).all()


def test_values_of_a_window_by_hand():
    samples = Windows({"v": np.arange(10) * 10}, np.array([2, 5], np.int32), Span("v", 0, 3), Span("v", 3, 2))
    assert samples.inputs().tolist() == [[20, 30, 40], [50, 60, 70]]
    assert samples.targets().tolist() == [[50, 60], [80, 90]]
    assert samples.target_rows().tolist() == [[5, 6], [8, 9]]


def test_order_is_a_function_of_seed_and_epoch_and_visits_every_window_once():
    samples = Windows({"v": np.arange(100)}, np.arange(90, dtype=np.int32), Span("v", 0, 3), Span("v", 3, 1))
    first = samples.epoch(7, 1)
    assert first.tolist() == samples.epoch(7, 1).tolist()
    assert sorted(first) == samples.starts.tolist()
    assert first.tolist() != samples.epoch(7, 2).tolist() != samples.epoch(8, 2).tolist()


def test_an_empty_part_is_refused_with_counts():
    with pytest.raises(DataError, match=r"SPLIT-EMPTY.*train 0.*lookback 9 \+ horizon 1"):
        split_starts([whole(20, (9, 15))], 9, 1, 1)


@pytest.mark.parametrize("lookbacks", [("25", "13"), ("40", "25")])
def test_every_look_back_is_scored_on_the_same_targets(lookbacks):
    loaded = [load(settings("task=airline", f"task.lookback={n}")) for n in lookbacks]
    for part in ("val", "test"):
        rows = [getattr(data, part).target_rows().tolist() for data in loaded]
        assert rows[0] == rows[1]


def test_airline_splits_are_the_ones_that_the_task_promises():
    data = load(settings("task=airline"))
    assert [len(data.val), len(data.test)] == [16, 28]
    months = data.index.astype("datetime64[M]").astype(str)
    assert months[data.test.target_rows()[[0, -1], 0]].tolist() == ["1958-09", "1960-12"]


def test_weather_splits_are_the_ones_that_the_task_promises():
    data = load(settings("task=weather"))
    days = data.index.astype("datetime64[D]").astype(str)
    assert days[data.val.target_rows()[[0, -1], 0]].tolist() == ["2014-07-01", "2014-12-31"]
    assert days[data.test.target_rows()[[0, -1], 0]].tolist() == ["2015-01-01", "2015-12-31"]


@pytest.mark.parametrize("task", ["airline", "weather"])
def test_changing_any_test_row_changes_nothing_that_training_sees(task, tmp_path):
    settled = settings(f"task={task}")
    original = load(settled)
    lines = (ROOT / settled.task.path).read_text().splitlines()
    first_test = original.test.target_rows()[0, 0] + 1  # + header
    changed = lines[:first_test] + [_other_numbers(line) for line in lines[first_test:]]
    (tmp_path / "changed.csv").write_text("\n".join(changed) + "\n")
    other = load(settings(f"task={task}", "task.path=changed.csv"), tmp_path)
    assert other.digest != original.digest
    assert not np.array_equal(other.test.targets(), original.test.targets())
    parts = (original.train, other.train), (original.val, other.val), (original.folds[0].train, other.folds[0].train)
    for a, b in parts:
        assert np.array_equal(a.inputs(), b.inputs()) and np.array_equal(a.targets(), b.targets())


def _other_numbers(line: str) -> str:
    time, *cells = line.split(",")
    return ",".join([time, *[str(float(c) + 1.5) if c.replace(".", "").lstrip("-").isdigit() else c for c in cells]])


def test_ten_million_rows_cost_less_than_four_times_their_own_bytes():
    rows, lookback = 10_000_000, 100
    series = np.zeros((rows, 1))
    parts = split_starts([whole(rows, (8_000_000, 9_000_000))], lookback, 1, 1)
    arrays = {"rows": series, "target": series[:, 0]}
    samples = [Windows(arrays, p, Span("rows", 0, lookback), Span("target", lookback, 1)) for p in parts]
    own = {id(a.base if a.base is not None else a): a for s in samples for a in (*s.arrays.values(), s.starts)}
    device = series.size * 4 * 2  # both arrays as float32, as `engine.upload` makes them
    epoch = 3 * samples[0].epoch(0, 1).nbytes  # the order of an epoch, padded to whole batches, and on the device
    total = sum(a.nbytes for a in own.values()) + device + epoch
    assert len(parts[0]) + len(parts[1]) + len(parts[2]) == rows - lookback
    assert total <= 4 * series.nbytes


@hypothesis.settings(max_examples=examples(25))
@given(st.integers(2, 6), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3), st.integers(1, 2))
def test_a_fold_is_fitted_on_nothing_that_its_origin_did_not_know(origins, step, gap, horizon, lead):
    settled = settings(
        "task=airline", "evaluation=backtest", f"evaluation.origins={origins}", f"evaluation.step={step}",
        f"evaluation.gap={gap}", f"task.horizon={horizon}", f"task.lead={lead}",
    )  # fmt: skip
    data = load(settled)
    assert len(data.folds) == origins
    first = [int(fold.test.origins().min()) for fold in data.folds]
    assert np.diff(first).tolist() == [step] * (origins - 1)
    for fold, origin in zip(data.folds, first, strict=True):
        assert fold.train.target_rows().max() == origin - gap - 1
        assert fold.test.origins().tolist() == list(range(origin, origin + step))
        assert (fold.test.target_rows()[:, 0] - fold.test.origins() == lead - 1).all()
    assert data.test.target_rows().max() == 143, "the last target is the last row"
    assert data.val.target_rows().max() == first[0] - gap - 1, (
        "nothing is chosen or calibrated on what is not known yet"
    )
    assert data.train.target_rows().max() == first[0] - 2 * gap - 17
    assert np.array_equal(data.test.starts, np.concatenate([fold.test.starts for fold in data.folds]))


def test_without_refit_one_fit_serves_all_origins():
    data = load(settings("task=airline", "evaluation=backtest", "evaluation.refit=false"))
    assert len(data.folds) == 1 and len(data.folds[0].test) == 12


def test_protocols_of_the_literature():
    e = load(settings("task=airline-rolling", "evaluation=backtest", "evaluation.origins=48"))
    f = load(
        settings(
            "task=airline-rolling", "evaluation=backtest", "evaluation.origins=37", "task.horizon=12",
            "task.multistep=recursive",
        )
    )  # fmt: skip
    b = load(settings("task=airline-rolling"))
    assert [int(d.test.target_rows().min()) for d in (e, f, b)] == [96, 96, 100]
    assert [len(d.test) for d in (e, f, b)] == [48, 37, 44]
    assert f.train.y.length == 1 and f.test.y.length == 12


SERIES = """when,shop,sales,price,rain
{rows}"""


def shops(tmp_path, days=60):
    """Two series in one file; the price is planned, the rain is not."""
    rng = np.random.default_rng(0)
    rows = []
    for shop, base in (("a", 10), ("b", 500)):
        for day in range(days):
            when, sales = np.datetime64("2024-01-01") + day, base + day + rng.normal()
            rows.append(f"{when},{shop},{sales:.3f},{day % 5 + base},{rng.random():.3f}")
    (tmp_path / "shops.csv").write_text(SERIES.format(rows="\n".join(rows)) + "\n")
    return [
        "task=weather", "task.path=shops.csv", "task.time=when", "task.target=sales", "task.series=shop",
        "task.past_covariates=[rain]", "task.future_covariates=[price]", "task.season=7", "task.lookback=5",
        "task.horizon=3",
        "task.split={by: rows, val: 10, test: 12}", "task.calendar=[weekday]",
    ]  # fmt: skip


def test_no_window_crosses_from_one_series_to_the_next(tmp_path):
    data = load(settings(*shops(tmp_path)), tmp_path)
    assert data.names == ("a", "b")
    for part in (data.train, data.val, data.test, data.folds[0].train):
        rows = np.concatenate([part.x.rows(part.starts), part.target_rows()], axis=1)
        assert (part.arrays["series"][rows] == part.arrays["series"][rows[:, :1]]).all()
    tested = data.test.arrays["series"][data.test.target_rows()[:, 0]]
    assert np.bincount(tested).tolist() == [10, 10]


def test_the_horizon_sees_what_is_known_ahead_and_nothing_else(tmp_path):
    over = shops(tmp_path)
    data = load(settings(*over), tmp_path)
    assert data.columns[:3] == ("sales", "rain", "price") and data.ahead == 3 and data.reach == 3
    x, rows = data.test.inputs(), data.test.target_rows()
    price = np.tile(np.arange(60) % 5, 2) + np.repeat([10, 500], 60)
    assert np.array_equal(x[:, -3:, 2], price[rows]), "the last rows of the window hold the prices of the horizon"
    lines = (tmp_path / "shops.csv").read_text().splitlines()
    origin = int(data.test.origins()[0])
    cells = [line.split(",") for line in lines]
    for row in cells[origin + 1 : 61]:  # the rest of the first series
        row[2], row[4] = "777", "0.5"
    (tmp_path / "shops.csv").write_text("\n".join(map(",".join, cells)) + "\n")
    other = load(settings(*over), tmp_path)
    assert np.array_equal(other.test.inputs()[0], x[0]), "sales and rain from the origin on reach nobody"


def test_a_gap_is_crossed_by_no_window_where_it_ends_a_segment(tmp_path):
    over = shops(tmp_path)
    lines = (tmp_path / "shops.csv").read_text().splitlines()
    del lines[21:23]
    (tmp_path / "shops.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="TIME-GAP"):
        load(settings(*over), tmp_path)
    data = load(settings(*over, "task.gaps=segment"), tmp_path)
    for part in (data.train, data.val, data.test):
        rows = np.concatenate([part.x.rows(part.starts), part.target_rows()], axis=1)
        days = data.index[rows].astype("datetime64[D]").astype(int)
        assert (np.diff(days, axis=1) == 1).all()
    joined = load(settings(*over, "task.gaps=join"), tmp_path)
    assert len(joined.train) > len(data.train)


def test_with_a_lead_nothing_is_known_that_lies_after_the_first_origin():
    data = load(settings("task=weather", "task.lead=7"))
    origin = int(data.test.origins().min())
    assert data.folds[0].train.target_rows().max() == data.val.target_rows().max() == origin - 1
    assert data.train.target_rows().max() == data.val.origins().min() - 1


def test_series_that_are_tested_at_other_times_are_refused(tmp_path):
    over = shops(tmp_path)
    lines = (tmp_path / "shops.csv").read_text().splitlines()
    (tmp_path / "shops.csv").write_text("\n".join(lines[:-6]) + "\n")
    with pytest.raises(DataError, match=r"SERIES-PERIODS.*by: date"):
        load(settings(*over), tmp_path)
    dated = "task.split={by: date, val: '2024-02-08', test: '2024-02-18'}"
    assert len(load(settings(*over[:-2], dated), tmp_path).names) == 2


def test_a_backtest_goes_round_a_gap(tmp_path):
    over = shops(tmp_path)
    lines = (tmp_path / "shops.csv").read_text().splitlines()
    kept = [line for line in lines if "2024-02-24" not in line]
    (tmp_path / "shops.csv").write_text("\n".join(kept) + "\n")
    data = load(settings(*over, "task.gaps=segment", "evaluation=backtest"), tmp_path)
    assert len(data.folds) < 12 and all(len(fold.test) for fold in data.folds)
    assert any("left out" in note for note in data.notes)

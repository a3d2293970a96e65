"""Windows against brute force, and the promises that splits make."""

import numpy as np
import pytest
from conftest import ROOT, settings
from hypothesis import given
from hypothesis import strategies as st

from lookback import tasks
from lookback.config import ForecastTask
from lookback.data.contract import Span, Windows
from lookback.data.windows import split_starts, starts
from lookback.errors import DataError
from lookback.tasks import forecast

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


@given(st.integers(3, 80), st.integers(1, 8), st.integers(1, 4), st.integers(1, 79), st.integers(1, 79))
def test_no_target_in_two_splits_and_inputs_before_targets(rows, lookback, horizon, a, b):
    borders = tuple(sorted((min(a, rows), min(b, rows))))
    try:
        parts = split_starts(rows, borders, lookback, horizon)
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
        split_starts(20, (9, 15), 9, 1)


@pytest.mark.parametrize("lookbacks", [("25", "13"), ("40", "25")])
def test_every_look_back_is_scored_on_the_same_targets(lookbacks):
    loaded = [tasks.load(settings("task=airline", f"task.lookback={n}").task, ROOT) for n in lookbacks]
    for part in ("val", "test"):
        rows = [getattr(data, part).target_rows().tolist() for data in loaded]
        assert rows[0] == rows[1]


def test_airline_splits_are_the_ones_that_the_task_promises():
    data = tasks.load(settings("task=airline").task, ROOT)
    assert [len(data.val), len(data.test)] == [16, 28]
    months = data.labels.astype("datetime64[M]").astype(str)
    assert months[data.test.target_rows()[[0, -1], 0]].tolist() == ["1958-09", "1960-12"]


def test_weather_splits_are_the_ones_that_the_task_promises():
    data = tasks.load(settings("task=weather").task, ROOT)
    days = data.labels.astype("datetime64[D]").astype(str)
    assert days[data.val.target_rows()[[0, -1], 0]].tolist() == ["2014-07-01", "2014-12-31"]
    assert days[data.test.target_rows()[[0, -1], 0]].tolist() == ["2015-01-01", "2015-12-31"]


@pytest.mark.parametrize("task", ["airline", "weather"])
def test_changing_any_test_row_changes_nothing_that_training_sees(task, tmp_path):
    settled: ForecastTask = settings(f"task={task}").task
    original = tasks.load(settled, ROOT)
    lines = (ROOT / settled.path).read_text().splitlines()
    first_test = original.test.target_rows()[0, 0] + 1  # + header
    changed = lines[:first_test] + [_other_numbers(line) for line in lines[first_test:]]
    (tmp_path / "changed.csv").write_text("\n".join(changed) + "\n")
    other = forecast.load(settled.model_copy(update={"path": "changed.csv"}), tmp_path)
    assert other.digest != original.digest
    assert not np.array_equal(other.test.targets(), original.test.targets())
    for part in ("train", "val", "train_and_val"):
        a, b = getattr(original, part), getattr(other, part)
        assert np.array_equal(a.inputs(), b.inputs()) and np.array_equal(a.targets(), b.targets())


def _other_numbers(line: str) -> str:
    time, *cells = line.split(",")
    return ",".join([time, *[str(float(c) + 1.5) if c.replace(".", "").lstrip("-").isdigit() else c for c in cells]])


def test_ten_million_rows_cost_less_than_four_times_their_own_bytes():
    rows, lookback = 10_000_000, 100
    series = np.zeros((rows, 1))
    parts = split_starts(rows, (8_000_000, 9_000_000), lookback, 1)
    arrays = {"rows": series, "target": series[:, 0]}
    samples = [Windows(arrays, p, Span("rows", 0, lookback), Span("target", lookback, 1)) for p in parts]
    own = {id(a.base if a.base is not None else a): a for s in samples for a in (*s.arrays.values(), s.starts)}
    device = series.size * 4 * 2  # both arrays as float32, as `engine.upload` makes them
    epoch = 3 * samples[0].epoch(0, 1).nbytes  # the order of an epoch, padded to whole batches, and on the device
    total = sum(a.nbytes for a in own.values()) + device + epoch
    assert len(parts[0]) + len(parts[1]) + len(parts[2]) == rows - lookback
    assert total <= 4 * series.nbytes

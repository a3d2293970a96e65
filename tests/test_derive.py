"""A CSV of one's own: what is read off the file, what is left to the user, and what is refused."""

import gzip
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, clean_environment, composed, examples, load
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from lookback.configuration.settings import Settings
from lookback.configuration.validation import validate
from lookback.data.csv import derive, reader, sniff
from lookback.errors import ConfigError, DataError, LookbackError
from lookback.experiment import description
from lookback.models import catalogue

CSV = "task=csv"


def raw(*overrides):
    """The resolved, not yet validated configuration of a command line."""
    files = [o.split("=", 1)[1] for o in overrides if o.startswith("task.path=/")]  # a new one in every test
    whole = OmegaConf.to_container(composed(*(o for o in overrides if not o.startswith("task.path=/"))), resolve=True)
    whole["task"]["path"] = files[0] if files else whole["task"].get("path")
    return whole


def completed(*overrides, root=ROOT) -> tuple[Settings, list[str]]:
    """The validated settings of a command line with task=csv, and what was told."""
    whole = raw(CSV, *overrides)
    whole["task"], told = derive.complete(whole["task"], root)
    whole["model"] = {"name": "naive" if whole["task"]["kind"] == "forecast" else "frequencies"}
    return validate(whole), told


def write(folder: Path, times, values, header="day,load", name="x.csv", separator=","):
    rows = [f"{time}{separator}{value}" for time, value in zip(times, values, strict=True)]
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return f"task.path={folder / name}"


def numbers(n):
    """Nothing that grows, some of it below 0."""
    return np.round(np.random.default_rng(n).normal(size=n), 3)


def refusal(*overrides):
    with pytest.raises(LookbackError) as caught:
        completed(*overrides)
    assert "\n" not in str(caught.value)
    return caught.value


def fixes(error) -> list[str]:
    """The overrides that a message suggests, as a shell hands them on."""
    return [shlex.split(m)[0] for m in re.findall(r"\"task\.\w+='[^']+'\"|task\.\w+=[^\s,;()]+", str(error))]


# --- three overrides ------------------------------------------------------------------------------


def test_three_overrides_are_a_whole_forecast():
    found, told = completed("task.path=data/airline.csv", "task.target=passengers")
    task = found.task
    assert (task.kind, task.name, task.time, task.time_format) == ("forecast", "airline", "month", "%Y-%m")
    assert (task.freq, task.season, task.lookback, task.unit) == ("MS", 12, 14, "passengers")
    assert (task.transform, task.difference, task.gaps) == ("log", "last", "error")
    assert {"growth_naive", "log_linear", "holt_winters", *("dense", "simple_rnn", "lstm", "gru")} <= {*task.models}
    data = load(found)
    assert len(data.index) == 144 and len(data.test) == 22
    for said in ("144 rows", "task.time=month", "one row a month", "task.season=12", "task.lookback=14"):
        assert said in " ".join(told)


def test_a_target_of_names_is_a_whole_classification():
    found, told = completed("task.path=data/weather.csv", "task.target=weather")
    task = found.task
    assert (task.kind, task.metrics, task.reference) == (
        "classify",
        ("log_loss", "accuracy", "macro_f1"),
        "frequencies",
    )
    assert task.models == ("frequencies", "persistence", "logistic", "dense", "simple_rnn", "lstm", "gru")
    assert (task.unit, task.freq, task.lookback) == ("nats", "D", 15)
    assert load(found).tokens == ("drizzle", "fog", "rain", "snow", "sun")
    assert any("drizzle, fog, rain, snow, sun" in sentence for sentence in told)
    assert any("precipitation, temp_max, temp_min, wind" in sentence for sentence in told)


def test_numbers_can_be_taken_as_names(tmp_path):
    path = write(tmp_path, pd.date_range("2020-01-01", periods=60).strftime("%Y-%m-%d"), [0, 1, 1] * 20)
    found, _ = completed(path, "task.target=load", "task.kind=classify")
    assert found.task.kind == "classify"


def test_every_other_task_comes_back_as_it_is():
    for task in ("airline", "weather", "text", "sky"):
        settled = raw(f"task={task}")["task"]
        assert derive.complete(settled, ROOT) == (settled, [])


SET = {  # whatever the user says stays, though the file says something else
    "name": "mine", "lookback": 5, "season": 3, "unit": "people", "transform": "none", "difference": "season",
    "models": ["naive", "lstm"], "metrics": ["rmse"], "seeds": 7, "refit": False, "freq": "step", "gaps": "fill",
    "horizon": 3, "lead": 2, "loss": "huber", "scale": "window", "reference": "linear", "max_fill": 3,
    "split": {"by": "rows", "val": 20, "test": 30}, "delimiter": "comma", "decimal": "point",
}  # fmt: skip


@pytest.mark.parametrize("key", SET)
def test_what_the_user_has_set_stays(key):
    settled = raw(CSV, "task.path=data/airline.csv", "task.target=passengers")["task"]
    settled[key] = SET[key]
    task, _ = derive.complete(settled, ROOT)
    assert task[key] == SET[key]


def test_a_split_by_rows_is_typed_key_by_key():
    split = ["task.split.by=rows", "task.split.val=20", "task.split.test=30"]
    found, _ = completed("task.path=data/airline.csv", "task.target=passengers", *split)
    assert found.task.split.model_dump() == {"by": "rows", "val": 20, "test": 30}


def test_rows_are_steps_where_the_user_says_so():
    found, told = completed("task.path=data/airline.csv", "task.target=passengers", "task.freq=step")
    assert found.task.time is None and found.task.season == 1 and "dates" not in " ".join(told)


# --- time -----------------------------------------------------------------------------------------

FREQUENCIES = {  # freq -> season, look-back of 1,000 rows
    "s": (1, 8), "10s": (1, 8), "min": (1, 8), "5min": (288, 100), "10min": (144, 100), "30min": (48, 97),
    "h": (24, 49), "2h": (12, 25), "6h": (4, 9), "D": (7, 15), "2D": (1, 8), "B": (5, 11), "W": (52, 100),
    "2W": (26, 53), "MS": (12, 25), "ME": (12, 25), "2MS": (6, 13), "QS": (4, 9), "YS": (1, 8),
}  # fmt: skip


@pytest.mark.parametrize("freq", FREQUENCIES)
def test_frequency_season_and_look_back(freq, tmp_path):
    times = pd.date_range("2020-01-01", periods=1000, freq=freq, unit="s").strftime("%Y-%m-%d %H:%M:%S")
    found, told = completed(write(tmp_path, times, numbers(1000)), "task.target=load")
    expected = {"ME": "MS", "W": "W"}.get(freq, freq)
    assert (found.task.freq, found.task.season, found.task.lookback) == (expected, *FREQUENCIES[freq])
    assert f"task.freq={expected}" in " ".join(told) and f"task.season={found.task.season}" in " ".join(told)
    assert len(load(found).index) == 1000  # the reader agrees: no gap, nothing off the steps


PATTERNS = ["%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d %b %Y", "%B %d, %Y", "%d-%b-%Y"]
CLOCKS = ["%H:%M", "%H:%M:%S", "%I:%M %p"]


@given(date=st.sampled_from(PATTERNS), clock=st.sampled_from(["", *CLOCKS]), hours=st.sampled_from([12, 24, 48]))
@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_dates_are_recognised_as_they_were_written_and_the_reader_reads_them(tmp_path, date, clock, hours):
    pattern = f"{date} {clock}" if clock and date != "%Y%m%d" else date
    hours = hours if clock and date != "%Y%m%d" else 24
    times = pd.date_range("2020-02-01", periods=120, freq=f"{hours}h", unit="s")
    path = write(tmp_path, [f'"{t}"' for t in times.strftime(pattern)], numbers(120))
    found, _ = completed(path, "task.target=load")
    assert found.task.time_format == pattern
    assert load(found).index.tolist() == times.to_numpy().tolist()


def test_a_column_whose_name_speaks_of_time_comes_first(tmp_path):
    days = pd.date_range("2020-01-01", periods=50).strftime("%Y-%m-%d")
    path = write(tmp_path, [f"2019-05-05,{d}" for d in days], numbers(50), header="made,obs_date,load")
    assert completed(path, "task.target=load")[0].task.time == "obs_date"
    path = write(tmp_path, [f"{d[:4]},{d}" for d in days], numbers(50), header="year,when,load")
    assert completed(path, "task.target=load")[0].task.time == "when"  # the year of a day is no date


def test_years_of_several_series_are_dates(tmp_path):
    years = [f"{year},{land}" for year in range(1950, 2000) for land in ("north", "south")]
    path = write(tmp_path, years, numbers(100), header="year,land,load")
    assert completed(path, "task.target=load")[0].task.freq == "step"
    found, _ = completed(path, "task.target=load", "task.series=land")
    assert (found.task.time, found.task.freq) == ("year", "YS") and len(load(found).names) == 2


def test_a_column_with_a_role_is_no_time(tmp_path):
    days = pd.date_range("2020-01-01", periods=50).strftime("%Y-%m-%d")
    path = write(tmp_path, [f"{d},{d}" for d in days], numbers(50), header="date,day,load")
    assert completed(path, "task.target=load", "task.future_covariates=[date]")[0].task.time == "day"


def test_seconds_since_1970_need_a_name_that_speaks_of_time(tmp_path):
    seconds = range(1_577_836_800, 1_577_836_800 + 60 * 3600, 3600)
    found, _ = completed(write(tmp_path, seconds, numbers(60), header="timestamp,load"), "task.target=load")
    assert (found.task.time, found.task.time_format, found.task.freq) == ("timestamp", "unix", "h")
    assert str(load(found).index[0]) == "2020-01-01T00:00:00"
    found, told = completed(write(tmp_path, seconds, numbers(60), header="counter,load"), "task.target=load")
    assert found.task.time is None and "rows are steps" in " ".join(told)


def test_years_alone_are_dates(tmp_path):
    found, _ = completed(write(tmp_path, range(1900, 2000), numbers(100), header="Year,load"), "task.target=load")
    assert (found.task.time_format, found.task.freq, found.task.season) == ("%Y", "YS", 1)


REFUSED = {
    "day or month first": (["01/02/2020", "02/02/2020", "03/02/2020"] * 10, "TIME-AMBIGUOUS", 2),
    "day or month first, with a clock": ([f"01/02/2020 {h:02d}:00" for h in range(24)], "TIME-AMBIGUOUS", 2),
    "years of two digits": ([f"{y}-{m:02d}" for y in (49, 50, 51) for m in range(1, 13)], "TIME-CENTURY", 1),
    "years of two digits that may be right": (
        [f"{y:02d}-{m:02d}" for y in (1, 2, 3) for m in range(1, 13)],
        "TIME-CENTURY",
        3,
    ),
    "milliseconds": (range(1_577_836_800_000, 1_577_836_800_000 + 40 * 60_000, 60_000), "TIME-UNIX", 2),
    "several rows of one time": ([f"2020-01-{d:02d}" for d in range(1, 20) for _ in range(3)], "TIME-REPEATED", 1),
    "no even step": (
        pd.DatetimeIndex(np.cumsum(np.arange(30) ** 2 * 10**9) + 10**18).strftime("%Y-%m-%d %H:%M:%S"),
        "TIME-UNEVEN",
        2,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_dates_that_leave_a_doubt_are_refused(name, tmp_path):
    times, code, fixed = REFUSED[name]
    path = write(tmp_path, times, numbers(len(times)))
    error = refusal(path, "task.target=load")
    assert isinstance(error, DataError) and error.exit_code == 65
    assert f"error[{code}]" in str(error) and "column 'day'" in str(error) and repr(str(times[0])) in str(error)
    assert len(fixes(error)) == fixed, str(error)


def test_each_of_the_two_readings_fixes_an_ambiguous_date(tmp_path):
    times = [f"{d:02d}/{m:02d}/2020" for m in (1, 2, 3) for d in range(1, 13)]
    path = write(tmp_path, times, numbers(36))
    both = fixes(refusal(path, "task.target=load"))
    assert both == ["task.time_format=%d/%m/%Y", "task.time_format=%m/%d/%Y"]
    for hint in both:
        assert completed(path, "task.target=load", hint)[0].task.time_format in hint


def test_one_row_that_settles_it_is_enough(tmp_path):
    times = pd.date_range("2020-01-01", periods=13).strftime("%d/%m/%Y")
    assert completed(write(tmp_path, times, numbers(13)), "task.target=load")[0].task.time_format == "%d/%m/%Y"


def test_fixes_with_a_clock_can_be_typed(tmp_path):
    path = write(tmp_path, [f"01/02/2020 {h:02d}:00" for h in range(24)], numbers(24))
    for hint in fixes(refusal(path, "task.target=load")):
        assert completed(path, "task.target=load", hint)[0].task.freq == "h"


def test_the_century_is_settled_by_the_pattern_or_left_out(tmp_path):
    path = write(tmp_path, [f"{y:02d}-{m:02d}" for y in (1, 2, 3) for m in range(1, 13)], numbers(36))
    freq, *patterns = fixes(refusal(path, "task.target=load"))
    assert freq == "task.freq=step" and "task.time_format=%y-%m" in patterns
    found, _ = completed(path, "task.target=load", "task.time_format=%y-%m")
    assert str(load(found).index[0])[:7] == "2001-01"
    assert completed(path, "task.target=load", freq)[0].task.time is None


def test_several_series_are_told_apart_only_by_the_user(tmp_path):
    times = [f"{d}" for d in pd.date_range("2020-01-01", periods=50).strftime("%Y-%m-%d") for _ in "ab"]
    path = write(tmp_path, [f"{t},{'ab'[i % 2]}" for i, t in enumerate(times)], numbers(100), header="day,shop,load")
    assert "task.series" in str(refusal(path, "task.target=load"))
    found, _ = completed(path, "task.target=load", "task.series=shop")
    assert (found.task.freq, found.task.lookback) == ("D", 5)  # a tenth of the 50 rows of each
    assert load(found).names == ("a", "b")


def test_a_time_column_that_the_user_names_must_be_one(tmp_path):
    path = write(tmp_path, ["later"] * 20, numbers(20))
    assert "TIME-FORMAT" in str(refusal(path, "task.target=load", "task.time=day"))
    assert completed(path, "task.target=load")[0].task.freq == "step"


# --- level, season, models -------------------------------------------------------------------


def monthly(folder, values):
    return write(folder, pd.date_range("2000-01", periods=len(values), freq="MS").strftime("%Y-%m"), values)


def test_growth_is_looked_for_in_the_training_rows_alone(tmp_path):
    grows = np.linspace(100, 400, 100)
    assert completed(monthly(tmp_path, grows), "task.target=load")[0].task.transform == "log"
    late = np.r_[np.full(71, 100.0) + np.arange(71) % 7, np.linspace(100, 900, 29)]
    assert completed(monthly(tmp_path, late), "task.target=load")[0].task.transform == "none"


def test_one_value_at_zero_and_there_are_no_logarithms(tmp_path):
    grows = np.linspace(100, 400, 100)
    grows[50] = 0
    found, told = completed(monthly(tmp_path, grows), "task.target=load")
    assert found.task.transform == "none"
    assert not {"growth_naive", "log_linear"} & set(found.task.models)
    assert any("growth_naive, log_linear" in sentence and "task.models" in sentence for sentence in told)


def test_without_two_cycles_in_train_there_is_no_season(tmp_path):
    assert completed(monthly(tmp_path, numbers(36)), "task.target=load")[0].task.season == 12
    found, told = completed(monthly(tmp_path, numbers(34)), "task.target=load")
    assert found.task.season == 1 and "no two cycles of 12" in " ".join(told)
    assert "seasonal_naive" not in found.task.models and "naive" in found.task.models


def test_the_look_back_follows_the_season_that_the_user_sets():
    found, _ = completed("task.path=data/weather.csv", "task.target=wind", "task.season=30")
    assert found.task.lookback == 61 and "holt_winters" not in found.task.models
    assert "holt_winters" in completed("task.path=data/weather.csv", "task.target=wind")[0].task.models


def test_networks_are_always_among_the_models(tmp_path):
    found, _ = completed(write(tmp_path, range(100), numbers(100), header="n,load"), "task.target=load")
    assert {"dense", "simple_rnn", "lstm", "gru"} == set(found.task.models) & set(catalogue.networks())


# --- how the file is written ----------------------------------------------------------------------


@pytest.mark.parametrize(("delimiter", "mark"), [("semicolon", ";"), ("tab", "\t"), ("pipe", "|")])
def test_delimiter_and_decimal_comma(delimiter, mark, tmp_path):
    days = pd.date_range("2020-01-01", periods=60).strftime("%d.%m.%Y")
    values = [str(v).replace(".", ",") for v in numbers(60)]
    path = write(tmp_path, days, values, header=f"Datum{mark}Last, gesamt [MW]", separator=mark)
    found, _ = completed(path, "task.target='Last, gesamt [MW]'")
    assert (found.task.delimiter, found.task.decimal, found.task.unit) == (delimiter, "comma", "MW")
    assert load(found).train.arrays["target"].tolist() == numbers(60).tolist()


def test_a_byte_order_mark_blanks_in_the_header_and_a_blank_column(tmp_path):
    rows = [f"{i},2020-01-{i:02d},{v}" for i, v in enumerate(numbers(31), 1)]
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbf" + "\n".join([", day , load", *rows, ""]).encode())
    found, told = completed(f"task.path={tmp_path / 'x.csv'}", "task.target=load")
    assert (found.task.time, found.task.target) == ("day", "load")
    assert len(load(found).index) == 31 and "without a role" not in " ".join(told)


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A file of more than is looked at."""
    path = tmp_path_factory.mktemp("long") / "x.csv"
    times = pd.date_range("2000-01-01", periods=LONG, freq="min").strftime("%Y-%m-%d %H:%M")
    write(path.parent, times, np.linspace(1, 50, LONG).round(3), header="\ufeffday,load")
    assert path.stat().st_size > 4 << 20
    return path


LONG = 200_000


@pytest.mark.parametrize("packed", [False, True])
def test_a_long_file_is_only_looked_at_in_places(packed, long, tmp_path):
    path = long
    if packed:
        path = tmp_path / "x.csv.gz"
        path.write_bytes(gzip.compress(long.read_bytes(), 1))
    seen = sniff.sniff(path, raw(CSV, f"task.path={path}", "task.target=load")["task"])
    assert not seen.whole and abs(seen.total - LONG) < LONG / 100 and len(seen.rows) < LONG * 0.95
    assert seen.rows[0][0] == "2000-01-01 00:00" and seen.rows[-1][1] == "50.0"
    found, told = completed(f"task.path={path}", "task.target=load")
    assert (found.task.freq, found.task.season, found.task.lookback) == ("min", 1440, 200)
    assert found.task.transform == "none" and "log_linear" not in found.task.models  # nobody knows all values
    assert re.search("about (199|200),.*of them looked at", told[0])


def test_a_quote_without_its_end_is_left_to_the_reader(long, tmp_path):
    head, _, rest = long.read_text().partition("2000-01-02")
    path = tmp_path / "x.csv"
    path.write_text(f'{head}"2000-01-02{rest}')
    found, _ = completed(f"task.path={path}", "task.target=load")
    with pytest.raises(DataError, match=r"CSV-QUOTE.*:1442"):
        load(found)
    path.write_text('day,"load\n' + rest)
    assert "CSV-QUOTE" in str(refusal(f"task.path={path}", "task.target=load"))


def test_names_are_safe(tmp_path):
    days = pd.date_range("2020-01-01", periods=30).strftime("%Y-%m-%d")
    for name, safe in (("my data (2).csv", "my-data-2-"), (".hidden.csv", "hidden"), ("日本.csv", "csv")):
        path = write(tmp_path, days, numbers(30), name=name)
        assert completed(path, "task.target=load")[0].task.name == safe


# --- what is refused ------------------------------------------------------------------------------


def test_a_missing_path_and_a_missing_target_name_their_hint():
    error = refusal()
    assert isinstance(error, ConfigError) and "error[CONFIG-KEY]" in str(error) and "task.path=my.csv" in str(error)
    error = refusal("task.path=data/weather.csv")
    assert isinstance(error, ConfigError) and "CONFIG-KEY" in str(error)
    assert "date, precipitation, temp_max, temp_min, wind, weather; set task.target" in str(error)


def test_an_unknown_column_names_the_closest():
    error = refusal("task.path=data/weather.csv", "task.target=temp_mx")
    assert isinstance(error, DataError) and "CSV-COLUMN" in str(error)
    assert "no column 'temp_mx'" in str(error) and "did you mean 'temp_max'?" in str(error)
    assert "there is: date, precipitation" in str(refusal("task.path=data/weather.csv", "task.target=load"))
    assert "task.time" in str(refusal("task.path=data/weather.csv", "task.target=wind", "task.time=day"))


def test_lines_above_the_header_are_named(tmp_path):
    days = pd.date_range("2020-01-01", periods=30).strftime("%Y-%m-%d")
    path = write(tmp_path, days, numbers(30), header="Export of station 7\n\nday,load")
    error = refusal(path, "task.target=load")
    assert "CSV-COLUMN" in str(error) and "line 3 does: remove the lines above it" in str(error)


AMOUNTS = {  # how a cell is written, and the setting that reads it
    "{:_.1f}": "task.thousands=underscore",
    "{:.1f} kW": "task.strip=kW",
    "{:.1f} €": "task.strip=€",
}


@pytest.mark.parametrize("form", AMOUNTS)
def test_amounts_are_not_taken_for_names(form, tmp_path):
    days = pd.date_range("2020-01-01", periods=60).strftime("%Y-%m-%d")
    amounts = np.round(np.random.default_rng(0).uniform(1000, 9000, 60), 1)
    path = write(tmp_path, days, map(form.format, amounts))
    error = refusal(path, "task.target=load")
    assert re.search(r"CSV-NUMBER\] \S+x\.csv:2: column 'load': ", str(error)), error
    hint = fixes(error)[0]
    assert hint.replace("'", "") == AMOUNTS[form] and "task.kind=classify" in str(error)
    found, _ = completed(path, "task.target=load", hint)
    assert found.task.kind == "forecast"
    np.testing.assert_allclose(load(found).train.arrays["target"], amounts)


def test_a_column_that_tells_series_apart_is_named(tmp_path):
    days = pd.date_range("2020-01-01", periods=30).strftime("%Y-%m-%d")
    values = [f"{v},{s}" for s in "ab" for v in numbers(30)]
    path = write(tmp_path, [*days, *days], values, header="day,load,shop")
    _, told = completed(path, "task.target=load")
    assert any("set task.series=shop" in sentence for sentence in told)
    _, told = completed(path, "task.target=load", "task.series=shop")
    assert not any("tells series apart" in sentence for sentence in told)


def test_a_comment_above_the_header_is_named(tmp_path):
    days = pd.date_range("2020-01-01", periods=30).strftime("%Y-%m-%d")
    path = write(tmp_path, days, numbers(30), header="# measured, by hand\nday,load")
    error = refusal(path, "task.target=load")
    assert "CSV-COMMENT" in str(error) and fixes(error) == ["task.comment=hash"]
    assert len(load(completed(path, "task.target=load", "task.comment=hash")[0]).index) == 30


def test_files_that_cannot_be_read_are_refused_as_the_reader_does(tmp_path):
    assert refusal("task.path=data/airlin.csv", "task.target=x").exit_code == 66
    for content, code in ((b"", "CSV-EMPTY"), (b"<!doctype html>", "CSV-HTML"), (b"PK\x03\x04" + b"\0" * 9, "CSV-ZIP")):
        (tmp_path / "x.csv").write_bytes(content)
        assert code in str(refusal(f"task.path={tmp_path / 'x.csv'}", "task.target=x"))
    (tmp_path / "x.csv").write_bytes(b"PK\x03\x04" + b"\0x\n" * (2 << 20))
    assert "CSV-ZIP" in str(refusal(f"task.path={tmp_path / 'x.csv'}", "task.target=x"))
    (tmp_path / "x.csv").write_text("day,load\n")
    assert "CSV-ROWS" in str(refusal(f"task.path={tmp_path / 'x.csv'}", "task.target=load"))


WRONG = ["target=5", "season=abc", "lookback=1.5", "split=rows", "delimiter=dot", "encoding=3", "max_megabytes=x",
         "sentinels=3", "time=4", "past_covariates=wind", "kind=x", "strip=0"]  # fmt: skip


@pytest.mark.parametrize("override", WRONG)
def test_a_setting_of_a_wrong_type_is_named(override):
    error = refusal("task.path=data/weather.csv", "task.target=wind", f"task.{override}")
    assert isinstance(error, ConfigError) and f"task.{override.partition('=')[0]}" in str(error)


def test_a_setting_of_forecasts_does_not_go_with_names():
    error = refusal("task.path=data/weather.csv", "task.target=weather", "task.horizon=3")
    assert isinstance(error, ConfigError) and "task.horizon is for forecasts" in str(error)


def test_a_source_can_be_named(monkeypatch, tmp_path):
    (tmp_path / "sin").mkdir()
    (tmp_path / "sin/sin.csv").write_text("something else")
    monkeypatch.setenv("LOOKBACK_DATA", str(tmp_path))
    assert "SOURCE-HASH" in str(refusal("task.source=sin", "task.path=sin.csv", "task.target=sin"))


# --- once -----------------------------------------------------------------------------------------


@pytest.fixture
def looks(monkeypatch):
    """The files that were opened for a look, one after the other."""
    seen, real = [], sniff.read_body
    monkeypatch.setattr(sniff, "read_body", lambda path, *rest: seen.append(path.name) or real(path, *rest))
    return seen


def days_of_load(folder, name="x.csv", n=60):
    return write(folder, pd.date_range("2020-01-01", periods=n).strftime("%Y-%m-%d"), numbers(n), name=name)


def test_a_file_is_looked_at_once_for_the_same_settings(tmp_path, looks):
    path = days_of_load(tmp_path)
    first = completed(path, "task.target=load")
    for _ in range(3):
        assert completed(path, "task.target=load") == first
    assert looks == ["x.csv"]
    completed(path, "task.target=load", "task.freq=step")
    assert looks == ["x.csv"] * 2


def test_an_answer_is_not_changed_by_who_gets_it(tmp_path):
    whole = raw(CSV, days_of_load(tmp_path), "task.target=load")["task"]
    task, told = derive.complete(whole, ROOT)
    task["models"].clear(), told.clear()
    again, said = derive.complete(whole, ROOT)
    assert "naive" in again["models"] and said


def test_a_file_that_has_changed_is_looked_at_again(tmp_path, looks):
    path = days_of_load(tmp_path)
    completed(path, "task.target=load")
    os.utime(tmp_path / "x.csv", ns=(1, 1))
    completed(path, "task.target=load")
    assert looks == ["x.csv"] * 2
    days_of_load(tmp_path, n=70)
    os.utime(tmp_path / "x.csv", ns=(1, 1))
    assert "70 rows" in completed(path, "task.target=load")[1][0]


def test_all_compositions_of_a_sweep_and_all_its_trials_look_once_and_read_once(tmp_path, looks, monkeypatch):
    reads, real = [], reader.files.read_body
    monkeypatch.setattr(reader.files, "read_body", lambda path, *rest: reads.append(path.name) or real(path, *rest))
    path = days_of_load(tmp_path)
    for model in ("naive", "drift", "lstm"):
        whole = raw(CSV, path, "task.target=load", f"model={model}")
        whole["task"], _ = derive.complete(whole["task"], ROOT)
        load(validate(whole))
    assert (looks, reads) == (["x.csv"], ["x.csv"])


def test_the_card_of_a_file_needs_no_second_read(tmp_path, monkeypatch):
    settled, _ = completed(days_of_load(tmp_path), "task.target=load")
    data, reads, real = load(settled), [], reader.files.read_body
    monkeypatch.setattr(reader.files, "read_body", lambda path, *rest: reads.append(path.name) or real(path, *rest))
    card = dict(description.checked(settled, data))
    assert reads == [] and card["file"] == f"{tmp_path}/x.csv, 60 rows read"
    assert card["rows"] == "60, 2020-01-01 .. 2020-02-29, one per D" and card["gaps"] == "none"


# --- handed on -------------------------------------------------------------------------------------


def handed_on(whole):
    """The settings of another process, which is given the same overrides and what was read off the file."""
    task, _ = derive.complete(whole, ROOT)
    [override] = derive.handed_on(whole, task)
    assert override.startswith("task.derived=")
    [parsed] = OverridesParser.create().parse_overrides([override])
    assert not parsed.is_sweep_override()
    return OmegaConf.to_container(OmegaConf.create({"task": whole | {"derived": parsed.value()}}), resolve=True)["task"]


def test_what_is_handed_on_gives_the_same_settings_without_a_look(tmp_path, looks):
    for overrides in (
        (days_of_load(tmp_path), "task.target=load", "task.lookback=5", "task.horizon=2"),
        ("task.path=data/airline.csv", "task.target=passengers"),
        ("task.path=data/weather.csv", "task.target=weather"),
        ("task.path=data/weather.csv", "task.target=wind", "task.kind=forecast", "task.freq=step"),
        ("task.path=data/airline.csv", "task.target=passengers", "task.split={by:rows,val:20,test:30}"),
    ):
        whole = raw(CSV, *overrides)["task"]
        given = handed_on(whole)
        before = list(looks)
        assert derive.complete(given, Path("/nowhere")) == (derive.complete(whole, ROOT)[0], [])
        assert looks == before


def test_what_the_user_sets_wins_over_what_is_handed_on():
    given = handed_on(raw(CSV, "task.path=data/airline.csv", "task.target=passengers")["task"])
    task, _ = derive.complete(given | {"lookback": 24, "name": "mine", "seeds": 9}, ROOT)
    assert (task["lookback"], task["name"], task["seeds"], task["season"]) == (24, "mine", 9, 12)


def test_a_task_that_says_everything_hands_nothing_on():
    task = raw("task=airline")["task"]
    assert derive.handed_on(task, task) == []


def test_a_worker_composes_what_is_handed_on(tmp_path):
    """The whole way, through Hydra's own composition and a column that would mean something to it."""
    path = write(tmp_path, range(60), numbers(60), header="day,it's ${load}", name="x.csv").split("=", 1)[1]
    typed = [CSV, f"task.path='{path}'", r"task.target='it\'s \${load}'"]
    whole = OmegaConf.to_container(composed(*typed), resolve=True)["task"]
    assert whole["target"] == "it's ${load}"
    task, _ = derive.complete(whole, ROOT)
    again = OmegaConf.to_container(composed(*typed, *derive.handed_on(whole, task)), resolve=True)["task"]
    (tmp_path / "x.csv").unlink()
    assert derive.complete(again, ROOT) == (task, [])


AWKWARD = st.text(st.sampled_from("a\\'\"$%{}[],=:;#~é\n\t \u2028😀") | st.characters(), max_size=8)


@given(AWKWARD, AWKWARD)
@example("\\", "'")
@example("${a}", "\\'")
@example("\\${oc.env:HOME}", '\\"')
def test_any_column_name_survives_being_handed_on(time, unit):
    """Backslashes, quotes, interpolations, surrogates: what Hydra's parser and OmegaConf make of it is the same."""
    whole = raw(CSV, "task.path=data/airline.csv", "task.target=passengers")["task"]
    task, _ = derive.complete(whole, ROOT)
    task |= {"time": time, "unit": unit, "models": [time, unit]}
    [parsed] = OverridesParser.create().parse_overrides(derive.handed_on(whole, task))
    given = OmegaConf.to_container(OmegaConf.create({"x": parsed.value()}), resolve=True)["x"]
    assert parsed.value_type is not None and not parsed.is_sweep_override()
    assert derive.complete(whole | {"derived": given}, ROOT) == (task, [])


@pytest.mark.parametrize("text", ["abc", "", "[1]", "{", '{"kind": "csv"}', '{"kind": []}', "{}", 1, True, [], {}])
def test_what_no_sweep_made_is_refused(text):
    whole = raw(CSV, "task.path=data/airline.csv", "task.target=passengers")["task"]
    with pytest.raises(
        ConfigError, match=r"^error\[CONFIG-VALUE\] task.derived: got .*; a sweep sets it: leave it out$"
    ):
        derive.complete(whole | {"derived": text}, ROOT)


# --- the page -------------------------------------------------------------------------------------

PAGE = (ROOT / "docs/your-own-csv.md").read_text(encoding="utf-8")


def test_the_page_lists_the_settings_that_are_open():
    """Each that is read off the file has its row; the tables of seasons and of defaults are those of the program."""
    for key in ("kind", "name", "unit", "delimiter", "decimal", "time", "time_format", "freq", "season", "lookback"):
        assert f"| `task.{key}` |" in PAGE
    open_keys = {
        k for k, v in raw(CSV)["task"].items() if v is None and k not in ("source", "timezone", "series", "derived")
    }
    assert {k for k in open_keys if f"task.{k}" not in PAGE and k not in raw(CSV)["task"]["forecast"]} == set()


@pytest.mark.slow
def test_the_page_does_what_it_says(house):
    """Its commands, one after the other; what it shows of their output is there."""
    environment = clean_environment(house) | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    blocks = re.findall(r"```bash\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE, re.S)
    assert len(blocks) == 8
    for commands, shown in blocks:
        done = subprocess.run(["bash", "-c", commands], cwd=house, env=environment, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert "Traceback" not in said and said.count("error[") == shown.count("error["), said
        for line in shown.splitlines():
            assert line in said, f"{line!r} is not in:\n{said}"


@pytest.mark.slow
def test_the_task_that_the_page_ends_with_is_one(house):
    [block] = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    (house / "conf/task/plant.yaml").write_text(block)
    days = pd.date_range("2022-01-01", periods=200).strftime("%d.%m.%Y")
    rows = [f"{d},{v},{v}" for d, v in zip(days, numbers(200), strict=True)]
    (house / "load.csv").write_text("\n".join(["day,load,temperature", *rows, ""]))
    with initialize_config_dir(str(house / "conf"), version_base="1.3"):
        settled = validate(OmegaConf.to_container(compose("train", overrides=["task=plant"]), resolve=True))
    assert len(load(settled, house).index) == 200

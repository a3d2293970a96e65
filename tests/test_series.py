"""The CSV reader: what it makes of clean files, and what each of its settings does."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from catalogue import GOOD, ROWS, composed, of, with_row
from conftest import ROOT, examples, settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lookback.data import files
from lookback.data.csv import fast, frequency, reader
from lookback.data.csv import time_cells as times_of
from lookback.data.csv.format import CsvFormat, Repair, Roles
from lookback.data.csv.format import of as part_of
from lookback.data.csv.number_cells import NeedsSlowReader
from lookback.errors import ConfigError, DataError
from lookback.settings import CHARACTER, ClassifyTask

HELD = Path(os.environ.get("LOOKBACK_DATA", "/nowhere"))
needs_data = pytest.mark.skipif(not HELD.is_dir(), reason="LOOKBACK_DATA names no folder")


def read(folder, content, *overrides):
    (folder / "x.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return reader.read(composed(*overrides).task, folder)


def times(found):
    return [str(t) for t in found.times]


def test_a_clean_file(tmp_path):
    found = read(tmp_path, GOOD)
    assert found.values[:2].tolist() == [[1.5, 1.0], [2.5, 2.0]] and found.classes == ()
    assert str(found.times[-1].date()) == "2020-01-30" and found.notes == ()
    assert found.blocks == (reader.Block("", 0, 30, ((0, 30),)),)
    assert found.facts == {
        "file": "x.csv", "rows read": "30", "rows": "30", "first": "2020-01-01", "last": "2020-01-30"
    }  # fmt: skip


@pytest.mark.parametrize("task", ["airline", "weather", "sky"])
def test_the_fast_reader_takes_the_shipped_files(task):
    settled = settings(f"task={task}").task
    body, _ = files.read_body(ROOT / settled.path, "", "utf-8", 10, CHARACTER[settled.delimiter])
    assert len(
        fast.read(body, part_of(CsvFormat, settled), part_of(Roles, settled), part_of(Repair, settled)).series
    ) in (144, 1461)


def test_decimal_comma_and_thousands(tmp_path):
    semicolons = GOOD.replace(",", ";").replace(".", ",")
    found = read(tmp_path, semicolons, "task.delimiter=semicolon", "task.decimal=comma")
    assert found.values[0].tolist() == [1.5, 1]
    found = read(tmp_path, with_row(2, '2020-01-02,"-1,020,300.5",3'), "task.thousands=comma")
    assert found.values[1].tolist() == [-1_020_300.5, 3]


def test_comments_are_left_out_and_footers(tmp_path):
    lines = GOOD.splitlines()
    commented = "\n".join(["# one", lines[0], lines[1], "# 2020-01-09,9,9", *lines[2:], "the end", "", "really", ""])
    found = read(tmp_path, commented, "task.comment=hash", "task.skip_footer=3")
    assert len(found.times) == 30 and found.values[1].tolist() == [2.5, 2]


def test_a_line_break_before_a_hash_inside_a_cell_begins_no_comment(tmp_path):
    lines = [f'{r},"one\n# two"' for r in ROWS]
    found = read(tmp_path, of(lines, "day,temp,wind,remark\n"), "task.comment=hash")
    assert len(found.times) == 30


# --- time ------------------------------------------------------------------------------------------


def of_times(cells, header="day,temp,wind\n"):
    return of([f"{cell},{i},{i}" for i, cell in enumerate(cells, 1)], header)


def test_without_dates_rows_are_steps(tmp_path):
    steps = ("task.time=null", "task.freq=step")
    found = read(tmp_path, of([f"{i},{i}.5,1" for i in range(9)], ",temp,wind\n"), *steps)
    assert found.times.tolist() == list(range(9)) and found.notes == ()
    found = read(tmp_path, of([f"{i},{i}.5,1" for i in (0, 1, 3)], ",temp,wind\n"), *steps)
    assert "does not count the rows" in found.notes[0] and len(found.times) == 3


def test_a_step_without_a_value_is_a_gap_once_it_is_dropped(tmp_path):
    content = with_row(4, "2020-01-04,,4")
    found = read(tmp_path, content, "task.time=null", "task.freq=step", "task.missing=drop", "task.gaps=segment")
    assert found.times.tolist() == [0, 1, 2, *range(4, 30)]
    assert found.blocks[0].segments == ((0, 3), (3, 29))


FORMATS = {
    "%d.%m.%Y %H:%M:%S": "31.12.2019 23:58:07",
    "%Y-%m-%dT%H:%M:%S": "2019-12-31T23:58:07",
    "%Y%m%d%H%M%S": "20191231235807",
    "%m/%d/%y %I:%M:%S %p": "12/31/19 11:58:07 PM",
    "%d %b %Y %H:%M:%S": "31 Dec 2019 23:58:07",
    "unix": "1577836687",
    "%Y-%m-%d %H:%M:%S.%f": "2019-12-31 23:58:07.000000",
}


@pytest.mark.parametrize("pattern", FORMATS)
def test_every_way_to_write_a_time(pattern, tmp_path):
    found = read(tmp_path, of_times([FORMATS[pattern]]), f"task.time_format='{pattern}'", "task.freq=s")
    assert times(found) == ["2019-12-31 23:58:07"]


NO_TIMES = {
    "%Y-%m-%d": ["2020-02-30", "0000-01-01", "2020-01-01 00:00", "2020/01/01", "today", "2020-01-0x", "20-01-2020", ""],
    "%Y-%m-%d %H:%M:%S": ["2020-01-01T00:00:00", "2020-01-01 24:00:00", "2020-01-01 00:00:60", "2020-01-01 00.00.00"],
    "%d.%m.%Y %H:%M": ["01/02/2020 03:04", "32.01.2020 00:00", "01.02.2020T03:04"],
    "%Y%m%d": ["2020010", "202001011"],
    "%Y-%m-%dT%H:%M:%S%z": ["2020-01-01T00:00:00", "2020-01-01T00:00:00+1", "2020-01-01T00:00:00 UTC"],
    "unix": ["0x1F", "1e9", "1.5", "99999999999999", "-99999999999999"],
}


@pytest.mark.parametrize(("pattern", "cell"), [(p, cell) for p, cells in NO_TIMES.items() for cell in cells])
def test_neither_reader_takes_these_for_times(pattern, cell):
    with pytest.raises(ValueError):
        times_of.one(cell, pattern)
    with pytest.raises((ValueError, NeedsSlowReader)):  # Arrow's errors are ValueErrors
        times_of.many(pa.chunked_array([[cell]]), pattern)


def test_cells_of_other_widths_are_not_cut_anew():
    with pytest.raises((ValueError, NeedsSlowReader)):
        times_of.many(pa.chunked_array([["2020010", "120200102"]]), "%Y%m%d")


def test_parts_of_a_second_are_kept(tmp_path):
    cells = ["2020-01-01 00:00:00.25", "2020-01-01 00:00:01.25"]
    found = read(tmp_path, of_times(cells), "task.time_format='%Y-%m-%d %H:%M:%S.%f'", "task.freq=s")
    assert times(found) == ["2020-01-01 00:00:00.250000", "2020-01-01 00:00:01.250000"]


def test_offsets_are_put_on_one_clock(tmp_path):
    cells = [
        "2020-03-29T00:00:00Z",
        "2020-03-29T02:00:00+01:00",
        "2020-03-29T04:00:00+0200",
        "2020-03-29T05:00:00+02:00",
    ]
    zoned = ("task.time_format='%Y-%m-%dT%H:%M:%S%z'", "task.freq=h", "task.timezone=Europe/Berlin")
    found = read(tmp_path, of_times(cells), *zoned)
    assert [t[11:] for t in times(found)] == ["01:00:00+01:00", "03:00:00+02:00", "04:00:00+02:00", "05:00:00+02:00"]


def test_times_without_an_offset_are_taken_as_they_stand_or_put_on_the_clock(tmp_path):
    cells = [f"2020-03-28 {h:02d}:00" for h in range(24)] + ["2020-03-29 00:00", "2020-03-29 01:00", "2020-03-29 03:00"]
    hourly = ("task.time_format='%Y-%m-%d %H:%M'", "task.freq=h")
    with pytest.raises(DataError, match=r"TIME-GAP.*2020-03-29 02:00:00"):
        read(tmp_path, of_times(cells), *hourly)
    found = read(tmp_path, of_times(cells), *hourly, "task.timezone=Europe/Berlin")
    assert times(found)[-1] == "2020-03-29 03:00:00+02:00" and found.notes == ()


def test_days_on_a_clock_with_summer_time(tmp_path):
    days = [f"2020-03-{d}" for d in (27, 28, 29, 31)] + ["2020-04-01"]
    zoned = ("task.timezone=Europe/Berlin", "task.gaps=fill")
    found = read(tmp_path, of_times(days), *zoned)
    assert times(found)[3] == "2020-03-30 00:00:00+02:00" and found.values[3, 0] == 3


def test_a_zone_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"CONFIG-VALUE.*'Berlin', .*; set task.timezone=Europe/Berlin"):
        read(tmp_path, GOOD, "task.timezone=Berlin")


# --- steps, gaps -----------------------------------------------------------------------------------

GRIDS = {  # freq -> times on its steps; the third is taken out
    "10s": ["2020-01-01 00:00:05", "2020-01-01 00:00:15", "2020-01-01 00:00:25", "2020-01-01 00:00:35"],
    "10min": ["2020-02-28 23:50:00", "2020-02-29 00:00:00", "2020-02-29 00:10:00", "2020-02-29 00:20:00"],
    "h": ["2020-02-28 22:00:00", "2020-02-28 23:00:00", "2020-02-29 00:00:00", "2020-02-29 01:00:00"],
    "3h": ["2020-02-28 18:00:00", "2020-02-28 21:00:00", "2020-02-29 00:00:00", "2020-02-29 03:00:00"],
    "D": ["2020-02-27 09:00:00", "2020-02-28 09:00:00", "2020-02-29 09:00:00", "2020-03-01 09:00:00"],
    "B": ["2020-02-27 00:00:00", "2020-02-28 00:00:00", "2020-03-02 00:00:00", "2020-03-03 00:00:00"],
    "W": ["2020-02-09 00:00:00", "2020-02-16 00:00:00", "2020-02-23 00:00:00", "2020-03-01 00:00:00"],
    "2W": ["2020-02-02 00:00:00", "2020-02-16 00:00:00", "2020-03-01 00:00:00", "2020-03-15 00:00:00"],
    "MS": ["2019-12-01 00:00:00", "2020-01-01 00:00:00", "2020-02-01 00:00:00", "2020-03-01 00:00:00"],
    "MS end": ["2019-12-31 00:00:00", "2020-01-31 00:00:00", "2020-02-29 00:00:00", "2020-03-31 00:00:00"],
    "MS mid": ["2019-12-15 00:00:00", "2020-01-15 00:00:00", "2020-02-15 00:00:00", "2020-03-15 00:00:00"],
    "QS": ["2019-10-01 00:00:00", "2020-01-01 00:00:00", "2020-04-01 00:00:00", "2020-07-01 00:00:00"],
    "YS": ["1999-01-01 00:00:00", "2000-01-01 00:00:00", "2001-01-01 00:00:00", "2002-01-01 00:00:00"],
}


@pytest.mark.parametrize("name", GRIDS)
def test_steps_of_every_length(name, tmp_path):
    freq, whole = name.split()[0], GRIDS[name]
    task = ("task.time_format='%Y-%m-%d %H:%M:%S'", f"task.freq={freq}")
    assert read(tmp_path, of_times(whole), *task).notes == ()
    holed = of_times([*whole[:2], whole[3]])
    with pytest.raises(
        DataError, match=f"TIME-GAP.*x.csv:4: .*1 time is missing: {whole[2].removesuffix(' 00:00:00')}"
    ):
        read(tmp_path, holed, *task)
    filled = read(tmp_path, holed, *task, "task.gaps=fill")
    assert times(filled) == whole and filled.values[:, 0].tolist() == [1, 2, 2, 3]
    off = pd.Timestamp(whole[3]) + pd.Timedelta(seconds=1)
    with pytest.raises(DataError, match=f"TIME-STEP.*x.csv:5: .*{off} is not on the {freq} steps"):
        read(tmp_path, of_times([*whole[:3], str(off)]), *task)


@hypothesis_settings(max_examples=examples(200), deadline=None)
@given(
    first=st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01")).map(lambda t: t.replace(microsecond=0)),
    freq=st.sampled_from(["s", "10min", "h", "7h", "D", "3D", "B", "W", "MS", "2MS", "QS", "YS"]),
    numbers=st.lists(st.integers(0, 400), min_size=1, max_size=6),
    zone=st.sampled_from([None, "UTC", "America/New_York"]),
)
def test_the_time_of_a_step_stands_on_that_step(first, freq, numbers, zone):
    if freq == "B" and first.weekday() >= 5:
        return
    begin = pd.DatetimeIndex([first]).as_unit("s").tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    counted, on = frequency.steps(frequency.at(begin, np.array(numbers), freq), begin, freq)
    hour_that_is_not = zone == "America/New_York" and freq not in ("s", "10min", "h", "7h")
    assert counted.tolist() == numbers
    assert on.all() or hour_that_is_not


def test_a_step_of_no_length(tmp_path):
    with pytest.raises(ConfigError, match=r"task.freq=D"):
        read(tmp_path, GOOD, "task.freq=0D")


def test_gaps_joined_filled_or_left_open_are_told(tmp_path):
    gap = of(ROWS[:9] + ROWS[11:])
    joined, filled, cut = (read(tmp_path, gap, f"task.gaps={how}") for how in ("join", "fill", "segment"))
    assert joined.notes == ("2 missing times joined over: 2020-01-10, 2020-01-11",)
    assert filled.values[9:11].tolist() == [[9.5, 9], [9.5, 9]] and "2 missing times filled" in filled.notes[0]
    assert (len(joined.times), len(filled.times), len(cut.times)) == (28, 30, 28)
    assert [f.blocks[0].segments for f in (joined, filled, cut)] == [((0, 28),), ((0, 30),), ((0, 9), (9, 28))]
    assert filled.facts["gaps"] == "1 gap, 2 rows (fill)" and filled.facts["filled"] == "4 cells"


def test_filling_is_bounded(tmp_path):
    gap = of(ROWS[:9] + ROWS[19:])
    with pytest.raises(DataError, match=r"FILL-LIMIT.*x.csv:11: .*10 times are missing \(task.max_fill=7\)") as caught:
        read(tmp_path, gap, "task.gaps=fill")
    assert "task.max_fill=10" in str(caught.value)
    assert len(read(tmp_path, gap, "task.gaps=fill", "task.max_fill=10").times) == 30
    nothing = of([r.rsplit(",", 2)[0] + ",," if 9 <= i < 18 else r for i, r in enumerate(ROWS)])
    with pytest.raises(DataError, match=r"FILL-LIMIT.*x.csv:18: 2020-01-17 stays empty.*task.max_fill=9"):
        read(tmp_path, nothing, "task.missing=fill")
    assert read(tmp_path, nothing, "task.missing=fill", "task.max_fill=9").values[17, 0] == 9.5


def test_a_run_of_gaps_and_empty_cells_counts_as_one(tmp_path):
    rows = [*ROWS[:9], "2020-01-10,,", *ROWS[15:]]
    with pytest.raises(DataError, match=r"FILL-LIMIT"):
        read(tmp_path, of(rows), "task.missing=fill", "task.gaps=fill", "task.max_fill=5")
    found = read(tmp_path, of(rows), "task.missing=fill", "task.gaps=fill", "task.max_fill=6")
    assert found.values[9:15, 0].tolist() == [9.5] * 6


def test_nothing_is_filled_from_the_future(tmp_path):
    with pytest.raises(DataError, match=r"FILL-LIMIT.*x.csv:2: nothing stands before 2020-01-01 .*task.missing=drop"):
        read(tmp_path, with_row(1, "2020-01-01,,1"), "task.missing=fill")
    assert len(read(tmp_path, with_row(1, "2020-01-01,,1"), "task.missing=drop").times) == 29


def test_empty_cells_filled_and_counted(tmp_path):
    found = read(tmp_path, with_row(2, "2020-01-02,,3"), "task.missing=fill")
    assert found.values[1].tolist() == [1.5, 3] and found.notes == ("1 empty cell filled with the value before",)


def test_a_file_of_which_nothing_is_left(tmp_path):
    with pytest.raises(DataError, match=r"CSV-ROWS.*no row is left"):
        read(tmp_path, of([f"2020-01-0{d},,1" for d in range(1, 5)]), "task.missing=drop")


def test_sentinels_are_empty_cells(tmp_path):
    content = with_row(2, "2020-01-02,-999,-999.0")
    with pytest.raises(DataError, match=r"CSV-MISSING.*x.csv:3: column 'temp': the cell is empty or a sentinel"):
        read(tmp_path, content, "task.sentinels=[-999]")
    found = read(tmp_path, content, "task.sentinels=[-999,77]", "task.missing=fill")
    assert found.values[1].tolist() == [1.5, 1]
    assert found.notes[0] == "-999 counts as not measured: 'temp' 1, 'wind' 1"


def test_duplicates_merged(tmp_path):
    twice = of([*ROWS[:6], "2020-01-06,100,3", *ROWS[6:]])
    assert read(tmp_path, twice, "task.duplicates=first").values[5, 0] == 6.5
    found = read(tmp_path, twice, "task.duplicates=mean")
    assert found.values[5].tolist() == [53.25, 4.5]
    assert found.notes == ("1 duplicate time merged (mean): 2020-01-06",)
    empty = of([*ROWS[:6], "2020-01-06,,3", *ROWS[6:]])
    assert read(tmp_path, empty, "task.duplicates=mean", "task.missing=fill").values[5].tolist() == [6.5, 4.5]


# --- a finer file ------------------------------------------------------------------------------------


def test_thinned_to_the_row_on_the_step_or_to_means(tmp_path):
    stamps = [f"2020-01-01 {h:02d}:{m:02d}" for h in range(3) for m in range(0, 60, 20)][1:]
    content, task = of_times(stamps), ("task.time_format='%Y-%m-%d %H:%M'", "task.freq=h")
    first = read(tmp_path, content, *task, "task.resample=first")
    assert times(first) == ["2020-01-01 01:00:00", "2020-01-01 02:00:00"] and first.values[:, 0].tolist() == [3, 6]
    assert first.notes == ("8 rows thinned to 2: the row on each h step",)
    mean = read(tmp_path, content, *task, "task.resample=mean")
    assert times(mean)[0] == "2020-01-01 00:00:00" and mean.values[:, 0].tolist() == [1.5, 4, 7]
    assert mean.notes == ("8 rows thinned to 3: the mean of the rows of each h step, 1 of them of fewer rows",)


@pytest.mark.parametrize(
    ("freq", "begins"),
    [("W", ["2020-01-27", "2020-02-03"]), ("MS", ["2020-01-01", "2020-02-01"]), ("2D", ["2020-01-31", "2020-02-02"])],
)
def test_where_steps_begin(freq, begins, tmp_path):
    days = pd.date_range("2020-01-31", "2020-02-09").strftime("%Y-%m-%d")
    found = read(tmp_path, of_times(days), f"task.freq={freq}", "task.resample=mean")
    assert [t[:10] for t in times(found)][:2] == begins


def test_empty_cells_off_the_steps_do_not_matter(tmp_path):
    content = of_times(["2020-01-01 00:00", "2020-01-01 00:30", "2020-01-01 01:00"]).replace("00:30,2,2", "00:30,,2")
    found = read(tmp_path, content, "task.time_format='%Y-%m-%d %H:%M'", "task.freq=h", "task.resample=first")
    assert found.values[:, 0].tolist() == [1, 3]


# --- several series ----------------------------------------------------------------------------------

PANEL = of(
    [f"2020-01-0{d},{name},{value + d},{d}" for d in range(1, 6) for name, value in (("b", 10), ("a", 20))],
    "day,shop,temp,wind\n",
)


def test_several_series_in_order_of_first_appearance(tmp_path):
    found = read(tmp_path, PANEL, "task.series=shop")
    assert [(b.name, b.start, b.stop) for b in found.blocks] == [("b", 0, 5), ("a", 5, 10)]
    assert found.values[:, 0].tolist() == [11, 12, 13, 14, 15, 21, 22, 23, 24, 25]
    assert found.facts["series"] == "2: b, a"


def test_steps_are_counted_in_each_series(tmp_path):
    found = read(tmp_path, PANEL, "task.series=shop", "task.time=null", "task.freq=step")
    assert found.times.tolist() == [0, 1, 2, 3, 4] * 2


def test_faults_name_the_series_and_its_line(tmp_path):
    lines = PANEL.splitlines()
    for spoilt, overrides, pattern in (
        ([*lines[:4], *lines[5:]], (), "TIME-GAP.*x.csv:6: series 'a': .*1 time is missing: 2020-01-02"),
        (
            [*lines[:5], lines[4], *lines[5:]],
            (),
            "TIME-DUPLICATE.*x.csv:6: series 'a': .*2020-01-02 stands there before",
        ),
        ([lines[0], *lines[3:], *lines[1:3]], (), "TIME-ORDER.*x.csv:10: series 'b': .*2020-01-01 follows 2020-01-05"),
        ([*lines[:3], lines[3].replace("12,2", ",2"), *lines[4:]], (), "CSV-MISSING.*x.csv:4: "),
        (
            [*lines[:2], lines[2].replace("21,1", ",1"), *lines[3:]],
            ("task.missing=fill",),
            "FILL-LIMIT.*:3: series 'a'",
        ),
        (
            [*lines[:2], lines[2].replace("a", " "), *lines[3:]],
            (),
            "CSV-SERIES.*x.csv:3: column 'shop': the cell is empty",
        ),
    ):
        with pytest.raises(DataError, match=pattern):
            read(tmp_path, "\n".join(spoilt) + "\n", "task.series=shop", *overrides)


def test_nothing_is_filled_or_joined_across_series(tmp_path):
    lines = PANEL.splitlines()
    holed = "\n".join([*lines[:5], *lines[7:]]) + "\n"  # the third day of both
    found = read(tmp_path, holed, "task.series=shop", "task.gaps=segment")
    assert [b.segments for b in found.blocks] == [((0, 2), (2, 4)), ((4, 6), (6, 8))]
    filled = read(tmp_path, holed, "task.series=shop", "task.gaps=fill")
    assert filled.values[:, 0].tolist() == [11, 12, 12, 14, 15, 21, 22, 22, 24, 25]
    assert [b.segments for b in filled.blocks] == [((0, 5),), ((5, 10),)]


# --- names for a target ------------------------------------------------------------------------------


def classify(**changes):
    return settings("task=sky").task.model_copy(
        update={"path": "x.csv", "time": "day", "target": "sky", "past_covariates": ("wind",), "future_covariates": ()}
        | changes
    )


def read_classes(folder, cells, **changes):
    (folder / "x.csv").write_text(of([f"2020-01-0{d},{cell},{d}" for d, cell in enumerate(cells, 1)], "day,sky,wind\n"))
    task = classify(**changes)
    assert isinstance(task, ClassifyTask)
    return reader.read(task, folder)


def names(found):
    return [found.classes[int(place)] for place in found.values[:, 0]]


def test_classes_are_any_words(tmp_path):
    found = read_classes(tmp_path, ["sun", " NA ", '"rain, snow"', "-", "7", "sun"])
    assert names(found) == ["sun", "NA", "rain, snow", "-", "7", "sun"]
    assert found.values[:, 1].tolist() == [1, 2, 3, 4, 5, 6]
    assert read_classes(tmp_path, ["a", "b"], past_covariates=()).values.shape == (2, 1)


def test_a_row_without_a_class(tmp_path):
    with pytest.raises(DataError, match=r"CSV-MISSING.*x.csv:3: column 'sky': the cell is empty"):
        read_classes(tmp_path, ["sun", "", "rain"])
    assert names(read_classes(tmp_path, ["sun", "", "rain"], missing="fill")) == ["sun", "sun", "rain"]
    found = read_classes(tmp_path, ["sun", "", "rain"], missing="drop", gaps="segment")
    assert names(found) == ["sun", "rain"] and found.blocks[0].segments == ((0, 1), (1, 2))


def test_the_place_of_a_class_is_no_measurement(tmp_path):
    """No sentinel, no outlier, and no mean of it."""
    found = read_classes(tmp_path, ["a", "b", "c", "b"], sentinels=(2.0,), missing="fill", max_fill=9)
    assert names(found) == ["a", "b", "c", "b"] and "'wind' 1" in found.notes[0] and "'sky'" not in found.notes[0]
    rows = ["2020-01-01,a,1", "2020-01-01,b,3", "2020-01-02,c,5", "2020-01-03,b,6"]
    (tmp_path / "x.csv").write_text(of(rows, "day,sky,wind\n"))
    found = reader.read(classify(duplicates="mean"), tmp_path)
    assert names(found) == ["a", "c", "b"] and found.values[:, 1].tolist() == [2, 5, 6]


# --- real files --------------------------------------------------------------------------------------


@needs_data
def test_melbourne_has_two_gaps_and_says_so():
    found = reader.read(settings("task=melbourne").task, ROOT)
    assert found.notes == ("2 missing times joined over: 1984-12-31, 1988-12-31",) and len(found.times) == 3650
    assert found.values.sum() == pytest.approx(40_798.8, abs=0.01)
    with pytest.raises(DataError, match=r"TIME-GAP.*csv:1462: .*1984-12-31; line 2922: .*1988-12-31"):
        reader.read(settings("task=melbourne", "task.gaps=error").task, ROOT)


@needs_data
def test_jena_every_ten_minutes_to_hours():
    found = reader.read(settings("task=jena").task, ROOT)
    assert found.notes == (
        "-9999 counts as not measured: 'wv (m/s)' 1",
        "1 duplicate time merged (first): 2020-05-12 06:00:00",
        "52,695 rows thinned to 8,782: the row on each h step",
        "2 missing times filled with the value before: 2020-05-29 10:00:00, 2020-05-29 11:00:00",
    )
    assert len(found.times) == 8784 and str(found.times[0]) == "2020-01-01 01:00:00"
    raw = reader.read(settings("task=jena", "task.sentinels=[]").task, ROOT)
    assert raw.values[:, 4].min() >= -9999


@needs_data
@pytest.mark.parametrize(("name", "rows"), [("sin", 1000), ("twosin", 5000)])
def test_the_count_in_front_of_the_sines_is_left_out(name, rows):
    found = reader.read(settings(f"task={name}").task, ROOT)
    assert len(found.times) == rows and found.notes == () and found.values[0, 0] == 0


@needs_data
def test_flu_has_five_columns_without_a_name():
    found = reader.read(settings("task=flu").task, ROOT)
    assert found.notes == ("5 columns without a name not read",) and found.values[:4, 0].tolist() == [8, 7, 3, 2]


def test_shipped_files_are_the_published_figures():
    airline = pd.read_csv(ROOT / "data/airline.csv")["passengers"]
    assert len(airline) == 144 and airline.sum() == 40_363
    assert airline[:3].tolist() == [112, 118, 132] and airline[-3:].tolist() == [461, 390, 432]
    weather = pd.read_csv(ROOT / "data/weather.csv")
    assert len(weather) == 1461
    assert weather[["precipitation", "temp_max", "temp_min"]].sum().round(1).tolist() == [4426.0, 24017.5, 12031.0]

"""The CSV reader: what it refuses and in which words, and that each mend it suggests works."""

import re

import numpy as np
import pandas as pd
import pytest
from conftest import settings

from lookback.data import series
from lookback.errors import DataError, LookbackError, MissingFile

HEADER = "day,temp,wind\n"
ROWS = [f"2020-01-{d:02d},{d + 0.5},{d}" for d in range(1, 31)]
GOOD = HEADER + "\n".join(ROWS) + "\n"
BASE = ["task=weather", "task.path=x.csv", "task.time=day", "task.target=temp", "task.past=[wind]", "task.lookback=3"]


def read(tmp_path, content, *overrides, name="x.csv"):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return series.read(tmp_path / name, settings(*BASE, *overrides).task)


def with_row(number, row):
    """The good file with data row `number` (from 1) replaced."""
    rows = [*ROWS]
    rows[number - 1] = row
    return HEADER + "\n".join(rows) + "\n"


def test_a_clean_file(tmp_path):
    found = read(tmp_path, GOOD)
    assert found.values[:2].tolist() == [[1.5, 1.0], [2.5, 2.0]]
    assert str(found.times[-1].date()) == "2020-01-30" and found.notes == ()


# number of the row in the catalogue of bad input, file, pattern of the message
REFUSED = {
    "2 empty": (b"", "CSV-EMPTY.*the file is empty"),
    "3 header only": (HEADER, "CSV-ROWS.*0 data rows"),
    "4 missing column": (
        GOOD.replace("temp", "Temp", 1),
        r"CSV-COLUMN.*:1: no column 'temp'; the columns are day, Temp, wind",
    ),
    "6 utf-16": (GOOD.encode("utf-16"), "CSV-ENCODING.*UTF-16.*task.encoding=utf-16"),
    "7 latin-1": (with_row(4, "2020-01-04,4.5°,1").encode("latin-1"), r"CSV-ENCODING.*:5: byte 0xB0 at offset \d+"),
    "8 semicolon": (GOOD.replace(",", ";"), "CSV-DELIM.*task.delimiter=semicolon"),
    "9 tab": (GOOD.replace(",", "\t"), "CSV-DELIM.*task.delimiter=tab"),
    "10 decimal comma read as two fields": (with_row(3, "2020-01-03,3,5,3"), "CSV-FIELDS.*:4: .*4 fields, expected 3"),
    "11 decimal comma": (
        with_row(3, '2020-01-03,"3,5",3'),
        r"CSV-DECIMAL.*:4: .*column 'temp': '3,5'.*task.decimal=comma",
    ),
    "12 thousands": (with_row(3, '2020-01-03,"1,020",3'), "CSV-THOUSANDS.*:4: .*task.thousands=comma"),
    "13 question mark": (
        with_row(20, "2020-01-20,?0.2,3"),
        r"CSV-NUMBER.*:21: .*column 'temp': '\?0.2' is not a number",
    ),
    "14 footer": (GOOD + "Source: BoM\n", "CSV-FIELDS.*:32: .*1 field, expected 3.*task.skip_footer"),
    "15 totals row": (GOOD + "Total,480,465\n", r"TIME-FORMAT.*:32: .*'Total' is not a time of the form %Y-%m-%d"),
    "16 header again": (with_row(9, HEADER.strip()), "CSV-HEADER-AGAIN.*:10: .*repeats the header"),
    "17 words": (with_row(2, "2020-01-02,abc,3"), "CSV-NUMBER.*:3: .*'abc' is not a number"),
    "18 dash": (with_row(2, "2020-01-02,-,3"), "CSV-NUMBER.*:3: .*'-' is not a number"),
    "19 empty cell": (with_row(2, "2020-01-02,,3"), "CSV-MISSING.*:3: .*the cell is empty; set task.missing=fill"),
    "20 inf": (with_row(2, "2020-01-02,inf,3"), "CSV-INFINITE.*:3: "),
    "20 1e400": (with_row(2, "2020-01-02,1e400,3"), "CSV-INFINITE.*:3: .*too large"),
    "21 short row": (with_row(5, "2020-01-05,5.5"), "CSV-FIELDS.*:6: .*2 fields, expected 3"),
    "22 long row": (with_row(5, "2020-01-05,5.5,5,5"), "CSV-FIELDS.*:6: .*4 fields, expected 3"),
    "23 every row too long": (HEADER + "\n".join(r + ",9" for r in ROWS), "CSV-FIELDS.*and 25 more"),
    "24 duplicate columns": (
        GOOD.replace("day,temp,wind", "day,temp,temp"),
        r"CSV-HEADER.*'temp' stands 2 times \(fields \[2, 3\]\)",
    ),
    "27 unclosed quote": (with_row(5, '2020-01-05,"5.5,5'), "CSV-QUOTE.*:6: .*quote is opened here"),
    "29 NUL": (with_row(2, "2020-01-02,2\0,3"), "CSV-NUL.*:3: NUL byte at offset"),
    "32 gzip": (b"\x1f\x8b\x08" + b"x" * 20, "CSV-GZIP"),
    "34 zip": (b"PK\x03\x04" + b"x" * 20, "CSV-ZIP"),
    "35 web page": ("<!DOCTYPE html><html>", "CSV-HTML.*a web page"),
    "36 git-lfs": ("version https://git-lfs.github.com/spec/v1\n", "CSV-LFS.*git lfs pull"),
    "38 bools": (with_row(2, "2020-01-02,True,3"), "CSV-NUMBER.*:3: .*'True'"),
    "39 underscore": (with_row(2, "2020-01-02,1_000,3"), "CSV-NUMBER.*:3: .*'1_000'"),
    "40 minus sign": (with_row(2, "2020-01-02,−2,3"), r"CSV-NUMBER.*:3: .*U\+2212 MINUS SIGN"),
    "41 comment": ("# made by hand\n" + GOOD, "CSV-COMMENT.*:1: "),
    "44 other date order": (with_row(2, "02/01/2020,2.5,3"), "TIME-FORMAT.*:3: .*'02/01/2020'.*task.time_format"),
    "52 30 February": (with_row(2, "2020-02-30,2.5,3"), "TIME-FORMAT.*:3: .*2020-02-30"),
    "53 empty date": (with_row(2, ",2.5,3"), "TIME-FORMAT.*:3: .*column 'day' is empty"),
    "54 duplicate times": (with_row(7, "2020-01-06,2.5,3"), "TIME-DUPLICATE.*2020-01-06; set task.duplicates=first"),
    "55 unsorted": (
        HEADER + "\n".join([*ROWS[10:], *ROWS[:10]]),
        r"TIME-ORDER.*2020-01-01 follows 2020-01-30.*task.sort=true",
    ),
    "56 gap": (
        HEADER + "\n".join(ROWS[:9] + ROWS[11:]),
        "TIME-GAP.*2 times are missing: 2020-01-10, 2020-01-11; set task.gaps=fill",
    ),
    "57 newest first": (HEADER + "\n".join(ROWS[::-1]), "TIME-ORDER.*the newest row comes first.*task.sort=true"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line_that_says_where_and_what_to_do(name, tmp_path):
    content, pattern = REFUSED[name]
    with pytest.raises(LookbackError) as caught:
        read(tmp_path, content)
    assert re.search(pattern, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value) and "x.csv" in str(caught.value)
    assert caught.value.exit_code == 65


MENDED = {
    "utf-16": (GOOD.encode("utf-16"), "task.encoding=utf-16"),
    "semicolon": (GOOD.replace(",", ";"), "task.delimiter=semicolon"),
    "tab": (GOOD.replace(",", "\t"), "task.delimiter=tab"),
    "footer": (GOOD + "Source: BoM\n", "task.skip_footer=1"),
    "unsorted": (HEADER + "\n".join([*ROWS[10:], *ROWS[:10]]), "task.sort=true"),
    "newest first": (HEADER + "\n".join(ROWS[::-1]), "task.sort=true"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD.encode(), "task.sort=true"),
    "spaces in the header": (GOOD.replace("day,temp,wind", " day , temp,wind "), "task.sort=true"),
    "carriage returns": (GOOD.replace("\n", "\r\n"), "task.sort=true"),
}


@pytest.mark.parametrize("name", MENDED)
def test_the_mend_that_is_suggested_works(name, tmp_path):
    content, mend = MENDED[name]
    assert np.array_equal(read(tmp_path, content, mend).values, read(tmp_path, GOOD).values)


def test_decimal_comma_and_thousands_mended(tmp_path):
    semicolons = GOOD.replace(",", ";").replace(".", ",")
    found = read(tmp_path, semicolons, "task.delimiter=semicolon", "task.decimal=comma")
    assert found.values[0].tolist() == [1.5, 1]
    found = read(tmp_path, with_row(2, '2020-01-02,"1,020",3'), "task.thousands=comma")
    assert found.values[1].tolist() == [1020, 3]


def test_gaps_joined_or_filled_are_told(tmp_path):
    gap = HEADER + "\n".join(ROWS[:9] + ROWS[11:])
    joined, filled = read(tmp_path, gap, "task.gaps=join"), read(tmp_path, gap, "task.gaps=fill")
    assert len(joined.times) == 28 and "2 missing times joined" in joined.notes[0]
    assert len(filled.times) == 30 and filled.values[9:11, 0].tolist() == [9.5, 9.5]
    assert "2 missing times filled" in filled.notes[0]


def test_filling_is_bounded(tmp_path):
    gap = HEADER + "\n".join(ROWS[:9] + ROWS[19:])
    with pytest.raises(DataError, match=r"FILL-LIMIT.*3 rows stay empty.*task.max_fill"):
        read(tmp_path, gap, "task.gaps=fill")
    assert len(read(tmp_path, gap, "task.gaps=fill", "task.max_fill=10").times) == 30


def test_empty_cells_filled_and_counted(tmp_path):
    found = read(tmp_path, with_row(2, "2020-01-02,,3"), "task.missing=fill")
    assert found.values[1, 0] == 1.5 and found.notes == ("1 empty cells filled with the value before",)


def test_duplicates_merged(tmp_path):
    twice = HEADER + "\n".join([*ROWS[:6], "2020-01-06,100,3", *ROWS[6:]])
    assert read(tmp_path, twice, "task.duplicates=first").values[5, 0] == 6.5
    assert read(tmp_path, twice, "task.duplicates=mean").values[5, 0] == 53.25


def test_times_off_the_grid(tmp_path):
    with pytest.raises(DataError, match=r"TIME-STEP.*task.freq"):
        read(tmp_path, GOOD, "task.freq=W")


def test_all_findings_at_once(tmp_path):
    rows = [r.replace(",1", ",x") for r in ROWS]
    with pytest.raises(DataError) as caught:
        read(tmp_path, HEADER + "\n".join(rows))
    assert str(caught.value).count("is not a number") == 5 and "more" in str(caught.value)


def test_a_file_that_is_not_there_suggests_its_neighbour(tmp_path):
    (tmp_path / "weather.csv").write_text(GOOD)
    task = settings(*BASE).task
    with pytest.raises(MissingFile, match=r"FILE-MISSING.*did you mean .*weather.csv"):
        series.read(tmp_path / "wether.csv", task)
    with pytest.raises(MissingFile, match="is a folder"):
        series.read(tmp_path, task)
    with pytest.raises(MissingFile, match="only local files"):
        series.read("https://example.com/x.csv", task)


@pytest.mark.parametrize("code", ["SERIES-CONSTANT", "SERIES-LOG", "SERIES-SEASON", "SPLIT-EMPTY"])
def test_series_that_cannot_be_learnt_from(code, tmp_path):
    from lookback.tasks import forecast

    content, overrides = {
        "SERIES-CONSTANT": (HEADER + "\n".join(f"2020-01-{d:02d},5,{d}" for d in range(1, 31)), []),
        "SERIES-LOG": (GOOD.replace("1.5", "-1.5", 1), ["task.transform=log"]),
        "SERIES-SEASON": (GOOD, ["task.season=200"]),
        "SPLIT-EMPTY": (GOOD, ["task.lookback=28"]),
    }[code]
    (tmp_path / "x.csv").write_text(content)
    split = ["task.season=7", "task.split.by=rows", "task.split.val=5", "task.split.test=5"]
    with pytest.raises(DataError, match=f"{code}.*x.csv"):
        forecast.load(settings(*BASE, *split, *overrides).task, tmp_path)


def test_shipped_files_are_the_published_figures():
    from conftest import ROOT

    airline = pd.read_csv(ROOT / "data/airline.csv")["passengers"]
    assert len(airline) == 144 and airline.sum() == 40_363
    assert airline[:3].tolist() == [112, 118, 132] and airline[-3:].tolist() == [461, 390, 432]
    weather = pd.read_csv(ROOT / "data/weather.csv")
    assert len(weather) == 1461
    assert weather[["precipitation", "temp_max", "temp_min"]].sum().round(1).tolist() == [4426.0, 24017.5, 12031.0]

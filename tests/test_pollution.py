"""Clean tables, spoilt at random: they load as what they were, or they are refused. And the two readers agree."""

import re

import numpy as np
import pyarrow as pa
import pytest
from catalogue import composed
from conftest import examples
from hypothesis import HealthCheck, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lookback.data.csv import diagnostics, reader, records
from lookback.data.csv import fast as fast_reader
from lookback.data.csv.format import CsvFormat, Repair, Roles, of
from lookback.data.csv.number_cells import NeedsSlowReader
from lookback.errors import LookbackError

numbers = st.one_of(
    st.integers(-2000, 20_000).map(str), st.decimals(-999, 9999, places=2).map(str), st.floats(-1e6, 1e6).map(repr)
)
remarks = st.sampled_from(["fine", "a, b", 'said "no"', "Zürich", "", "#1", "NA", "two\nlines"])


@st.composite
def tables(draw):
    """A header and rows of cells: day, temp, wind, remark."""
    n = draw(st.integers(6, 14))
    days = np.arange("2020-02-20", n, dtype="M8[D]").astype(str)
    return [["day", "temp", "wind", "remark"], *([d, draw(numbers), draw(numbers), draw(remarks)] for d in days)]


def quoted(cell, always=False, delimiter=","):
    return '"' + cell.replace('"', '""') + '"' if always or any(c in cell for c in f'{delimiter}"\n') else cell


def text(table, delimiter=",", end="\n", always=False):
    return "".join(delimiter.join(quoted(c, always, delimiter) for c in row) + end for row in table)


# --- ways to spoil a table: (table, draw) -> bytes ----------------------------------------------------


def some_row(table, draw, last=True):
    return draw(st.integers(1, len(table) - (1 if last else 2)))


def with_cell(change):
    """Change one cell of a number or a day."""

    def spoil(table, draw):
        row, column = some_row(table, draw), draw(st.integers(0, 2))
        table[row][column] = change(table[row][column])
        return text(table).encode()

    return spoil


def with_lines(change, first=1):
    def spoil(table, draw):  # a line is a row: two lines swapped inside quotes may read as another clean table
        lines = text([[cell.replace("\n", " ") for cell in row] for row in table]).splitlines(keepends=True)
        change(lines, draw(st.integers(first, len(lines) - 2)))
        return "".join(lines).encode()

    return spoil


def grouped(cell):
    return re.sub(r"^(-?\d+?)((?:\d{3})+)(?=\.|$)", lambda m: m[1] + re.sub(r"(\d{3})", r",\1", m[2]), cell)


def cut(table, draw):
    raw = text(table).encode()
    return raw[: draw(st.integers(1, len(raw) - 1))]


SPOILT = {
    "byte order mark": lambda t, _: b"\xef\xbb\xbf" + text(t).encode(),
    "CR LF": lambda t, _: text(t, end="\r\n").encode(),
    "CR": lambda t, _: text(t, end="\r").encode(),
    "all in quotes": lambda t, _: text(t, always=True).encode(),
    "semicolons": lambda t, _: text(t, ";").encode(),
    "tabs": lambda t, _: text(t, "\t").encode(),
    "utf-16": lambda t, _: text(t).encode("utf-16"),
    "latin-1": lambda t, _: text(t).encode("latin-1"),
    "comments": lambda t, _: b"# made by hand\n" + text(t).encode(),
    "footer": lambda t, _: text(t).encode() + b"Source: nobody\n",
    "newest first": lambda t, _: text([t[0], *t[:0:-1]]).encode(),
    "blank lines": with_lines(lambda lines, i: lines.insert(i, "\n")),
    "a line of blanks": with_lines(lambda lines, i: lines.insert(i, "  \n")),
    "a comment inside": with_lines(lambda lines, i: lines.insert(i, "# from here on\n")),
    "header again": with_lines(lambda lines, i: lines.insert(i, lines[0])),
    "row lost": with_lines(lambda lines, i: lines.pop(i), first=2),
    "row twice": with_lines(lambda lines, i: lines.insert(i, lines[i])),
    "rows swapped": with_lines(lambda lines, i: lines.insert(i, lines.pop(i + 1))),
    "two rows in one": with_lines(lambda lines, i: lines.insert(i, lines.pop(i).rstrip("\n") + lines.pop(i))),
    "a field too many": with_lines(lambda lines, i: lines.insert(i, lines.pop(i).replace(",", ",0,", 1))),
    "a field too few": with_lines(lambda lines, i: lines.insert(i, lines.pop(i).replace(",", "", 1))),
    "blanks around": with_cell(lambda c: f" \t{c} "),
    "a plus": with_cell(lambda c: c if c[0] == "-" else f"+{c}"),
    "grouped": with_cell(grouped),
    "decimal comma": with_cell(lambda c: c.replace(".", ",")),
    "marked": with_cell(lambda c: f"?{c}"),
    "unit": with_cell(lambda c: f"{c} m"),
    "long dash": with_cell(lambda c: c.replace("-", "−")),
    "no-break space": with_cell(lambda c: f"{c}\u00a0"),
    "a quote inside": with_cell(lambda c: c[:1] + '"' + c[1:]),
    "nothing": with_cell(lambda c: ""),
    "nan": with_cell(lambda c: "nan"),
    "NAN": with_cell(lambda c: "NAN"),
    "infinite": with_cell(lambda c: "-inf"),
    "true": with_cell(lambda c: "True"),
    "NUL": with_cell(lambda c: c + "\0"),
    "underscores": with_cell(lambda c: "_".join(c)),
    "day first": with_cell(lambda c: "-".join(reversed(c.split("-"))) if c.count("-") == 2 else c),
    "truncate": cut,
}
OPTIONS = ["task.sort=false", "task.sort=true", "task.comment=hash", "task.strip='?'", "task.thousands=comma"]


def reads_as_it_was_or_is_refused(folder, data, way):
    table = data.draw(tables())
    (folder / "good.csv").write_text(text(table), encoding="utf-8", newline="")
    good = reader.read(composed("task.path=good.csv").task, folder)
    (folder / "x.csv").write_bytes(SPOILT[way](table, data.draw))
    try:
        found = reader.read(composed(data.draw(st.sampled_from(OPTIONS))).task, folder)
    except LookbackError as e:
        event(f"{way}: refused")
        assert "\n" not in str(e) and "x.csv" in str(e)
        return
    event(f"{way}: loaded")
    rows = len(good.times)
    if way == "truncate":  # whole rows are gone, or the last number may be: then it is said
        rows = len(found.times) - any("no line end" in note for note in found.notes)
    assert np.array_equal(found.values[:rows], good.values[:rows]) and found.times[:rows].equals(good.times[:rows])
    assert way == "truncate" or len(found.times) == rows


@pytest.mark.parametrize("way", SPOILT)
@hypothesis_settings(
    max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_spoilt_table_reads_as_it_was_or_is_refused(way, data, tmp_path):
    reads_as_it_was_or_is_refused(tmp_path, data, way)


@pytest.mark.slow
@pytest.mark.parametrize("way", SPOILT)
@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_same_at_length(way, data, tmp_path):
    reads_as_it_was_or_is_refused(tmp_path, data, way)


# --- the fast reader never says what the slow one would not --------------------------------------------

FORMATS = {
    "%Y-%m-%d": ["2020-01-01", "2020-1-2", "2020-02-30", "0000-01-01", "0001-01-01", "2020-01-01 00:00", "today"],
    "%d.%m.%Y %H:%M": [
        "01.02.2020 03:04",
        "1.2.2020 03:04",
        "01.02.2020 24:00",
        "01.02.2020  03:04",
        "01/02/2020 03:04",
    ],
    "%Y-%m-%dT%H:%M:%S%z": [
        "2020-01-01T00:00:00Z",
        "2020-01-01T00:00:00+01:00",
        "2020-01-01T00:00:00",
        "2020-01-01T00:00:60Z",
    ],
    "%b %Y": ["Jan 2020", "May 2021", "2020 Jan", "jan 2020"],
    "unix": ["1577836800", "0", "-5", "+7", "0x1F", "1e9", "99999999999999"],
}
CELLS = [
    *("1", "-2.5", "+3", ".5", "5.", "1e5", "1E-400", "1e400", "1e30", "inf", "-nan", "NaN", "NA", "NULL", "", "true"),
    *(" 7", "7\t", '"8"', '"9"0', '""', '"', '"two\nlines"', "?4", "4?", "a b", "++5", "5-", "#", "9\u00a0", "９", "x"),
    *(
        "1,5",
        '"1,5"',
        '"1,020"',
        '"1,02"',
        "1.020",
        "1_000",
        "1 000",
        "0x1F",
        "1d5",
        "9223372036854775808",
        "-" + "9" * 19,
    ),
]
ENDS = ["\n", "\r\n", "\r", "\n\n", "\n \n", ""]


@hypothesis_settings(max_examples=examples(300), deadline=None)
@given(data=st.data())
def test_what_the_fast_reader_reads_the_slow_one_reads_alike(data):
    pattern = data.draw(st.sampled_from(list(FORMATS)))
    odd = data.draw(st.integers(0, 3))  # few rows are odd: else nothing would ever be read
    delimiter, mark = data.draw(st.sampled_from([("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("space", " ")]))
    often = st.sampled_from(["1", "-2.5", "20"])
    lines = [mark.join(data.draw(st.sampled_from([["t", "y", "x", "s"], ["t", " y", "x", "s"], ["", "y", "x", "s"]])))]
    for i in range(data.draw(st.integers(1, 6))):
        when = data.draw(st.sampled_from(FORMATS[pattern] if i < odd else FORMATS[pattern][:1]))
        number = [data.draw(st.sampled_from(CELLS) if i < odd else often) for _ in range(2)]
        lines.append(
            mark.join([when, *number, data.draw(st.sampled_from(["a", "b", ' "c"', "# d", ""] if i < odd else "ab"))])
        )
    body = "".join(line + data.draw(st.sampled_from(ENDS if odd else ENDS[:1])) for line in lines).encode()
    task = composed(
        "task.time=t",
        "task.target=y",
        "task.past_covariates=[x]",
        f"task.time_format='{pattern}'",
        f"task.delimiter={delimiter}",
    ).task.model_copy(
        update={
            "decimal": data.draw(st.sampled_from(["point", "point", "comma"])),
            "thousands": data.draw(st.sampled_from(["none", "none", "underscore", "space"])),
            "strip": data.draw(st.sampled_from(["", "", "?"])),
            "comment": data.draw(st.sampled_from(["none", "hash"])),
            "missing": data.draw(st.sampled_from(["error", "fill"])),
            "series": data.draw(st.sampled_from([None, "s"])),
            "time": data.draw(st.sampled_from(["t", "t", None])),
        }
    )
    parts = [of(kind, task) for kind in (CsvFormat, Roles, Repair)]
    try:
        fast = fast_reader.read(body, *parts)
    except (NeedsSlowReader, records.MalformedCsv, ValueError, StopIteration, pa.ArrowException):
        event("not read")
        return
    event("read")
    slow = diagnostics.read("x.csv", body, *parts, 1)
    assert np.array_equal(fast.values, slow.values, equal_nan=True)
    assert (fast.header, fast.names, fast.counted) == (slow.header, slow.names, slow.counted)
    assert fast.series.tolist() == slow.series.tolist() and sorted(fast.cleaned) == sorted(slow.cleaned)
    assert fast.lines().tolist() == slow.lines().tolist()
    if task.time is not None:
        assert (fast.times.clock == slow.times.clock).all()
        assert (fast.times.offset is None) == (slow.times.offset is None)
        assert fast.times.offset is None or (fast.times.offset == slow.times.offset).all()

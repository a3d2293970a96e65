"""The CSV acid tests of max-mapper/csv-spectrum, through the reader's own cells."""

import json
import os
from pathlib import Path

import pytest

from lookback.data.csv import records

FOLDER = Path(os.environ.get("LOOKBACK_DATA", "")) / "csv_spectrum"
NAMES = [
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "location_coordinates", "newlines",
    "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8",
]  # fmt: skip
needs_files = pytest.mark.skipif(
    not (os.environ.get("LOOKBACK_DATA") and FOLDER.is_dir()), reason="LOOKBACK_DATA names no folder with csv_spectrum"
)


def table(text: str) -> list[list[str]]:
    return [row for _, _, row in records.records(text, ",", comments=False)]


@needs_files
@pytest.mark.parametrize("name", NAMES)
def test_cells_are_what_the_collection_expects(name):
    raw = (FOLDER / "csvs" / f"{name}.csv").read_bytes()
    if name.endswith("_crlf"):  # stored copies lose their carriage returns
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    header, *rows = table(raw.decode("utf-8"))
    expected = json.loads((FOLDER / "json" / f"{name}.json").read_text(encoding="utf-8"))
    if name == "location_coordinates":  # its JSON is of another telephone number than its CSV
        expected = [expected | {"Contact Phone Number": "2095257564"}]
    assert [dict(zip(header, row, strict=True)) for row in rows] == expected


@needs_files
def test_none_is_left_out():
    assert sorted(path.stem for path in (FOLDER / "csvs").glob("*.csv")) == NAMES


@pytest.mark.parametrize(
    ("content", "says"),
    [('a,b\n1,"x\n2,y\n', "a quote is opened here"), ('a,b\n1,"x"y\n', "text stands behind a closing quote")],
)
def test_what_is_no_table_is_refused(content, says):
    with pytest.raises(records.MalformedCsv, match=says) as torn:
        table(content)
    assert torn.value.line == 2


def test_a_quote_in_the_middle_of_a_cell_is_a_quote():
    assert table('a,b\n5" pipe,1\n') == [["a", "b"], ['5" pipe', "1"]]

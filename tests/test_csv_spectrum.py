"""The CSV acid tests of max-mapper/csv-spectrum, through the reader's own cells."""

import json
import os
from pathlib import Path

import pytest

from lookback.data import cells
from lookback.errors import DataError

FOLDER = Path(os.environ.get("LOOKBACK_DATA", "")) / "csv_spectrum"
NAMES = [
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "location_coordinates", "newlines",
    "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8",
]  # fmt: skip
needs_files = pytest.mark.skipif(
    not (os.environ.get("LOOKBACK_DATA") and FOLDER.is_dir()), reason="LOOKBACK_DATA names no folder with csv_spectrum"
)


@needs_files
@pytest.mark.parametrize("name", NAMES)
def test_cells_are_what_the_collection_expects(name, tmp_path):
    raw = (FOLDER / "csvs" / f"{name}.csv").read_bytes()
    if name.endswith("_crlf"):  # stored copies lose their carriage returns
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    (tmp_path / "x.csv").write_bytes(raw)
    header, rows = cells.table(tmp_path / "x.csv")
    expected = json.loads((FOLDER / "json" / f"{name}.json").read_text(encoding="utf-8"))
    if name == "location_coordinates":  # its JSON is of another telephone number than its CSV
        expected = [expected | {"Contact Phone Number": "2095257564"}]
    assert [dict(zip(header, row, strict=True)) for row in rows] == expected


@needs_files
def test_none_is_left_out():
    assert sorted(path.stem for path in (FOLDER / "csvs").glob("*.csv")) == NAMES


TORN = {
    "unclosed": ('a,b\n1,"x\n2,y\n', "CSV-QUOTE.*:2: a quote is opened here"),
    "behind": ('a,b\n1,"x"y\n', "CSV-QUOTE.*:2: text stands behind a closing quote"),
    "short": ("a,b\n1,2\n3\n", "CSV-FIELDS.*record 3: 1 fields, expected 2"),
    "empty": ("\n\n", "CSV-EMPTY"),
}


@pytest.mark.parametrize("name", TORN)
def test_what_is_no_table_is_refused(name, tmp_path):
    content, pattern = TORN[name]
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError, match=pattern):
        cells.table(tmp_path / "x.csv")


def test_a_quote_in_the_middle_of_a_cell_is_a_quote(tmp_path):
    (tmp_path / "x.csv").write_text('a,b\n5" pipe,1\n')
    assert cells.table(tmp_path / "x.csv") == (["a", "b"], [['5" pipe', "1"]])

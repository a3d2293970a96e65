"""Files of texts and their labels: columns of a CSV, or one example a line."""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lookback.data import digests, files
from lookback.data.csv import records as csv_records
from lookback.data.findings import Finding, closest, column_faults, override, refusal
from lookback.data.words import clean
from lookback.errors import DataError, LookbackError
from lookback.wording import count, some

_LARGEST = 4096  # megabytes of a file
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_EMPTY = Finding(0, "TEXT-EMPTY", "the text is empty", "write something into it, or remove the row")


@dataclass(frozen=True)
class Documents:
    """What one file holds, example after example.

    Attributes:
        name: what messages call the file.
        texts: as they are written, in composed characters (Unicode's NFC).
        labels: the label of each, without blanks around it; empty where there is none.
        lines: the line that each begins on.
        composed: how many texts were in other characters than composed ones.
        digest: SHA-256 of the file, and of its label where that does not stand in it.
    """

    name: str
    texts: list[str]
    labels: list[str]
    lines: list[int]
    composed: int
    digest: str


def body(path: Path, name: str, key: str) -> tuple[bytes, str]:
    """The UTF-8 of a file of texts, which may be gzipped, and the SHA-256 of the file, unpacked.

    Args:
        name: what to call it in messages.
        key: the setting that names it.

    Raises:
        MissingFile: it is not there.
        DataError: it is empty, or no text.
    """
    try:
        return files.read_body(path, name, "utf-8", _LARGEST, "")
    except LookbackError as e:
        raise type(e)(e.code, _without_settings(e.message, key)) from None


def _without_settings(message: str, key: str) -> str:
    """Texts have fewer settings than series: another hint where the message names one that is not there."""
    what, _, hint = message.partition("; set task.")
    if hint.startswith("encoding"):
        return f"{what}; save the file as UTF-8"
    if hint.startswith("max_megabytes"):
        return f"{what}; take a part of it"
    return message.replace("set task.path", f"set {key}")


def read_csv(path: Path, name: str, key: str, columns: Mapping[str, str]) -> Documents:
    """Columns of a comma-separated file, as RFC 4180 has it: quoted cells may hold line breaks.

    Args:
        name: what to call it in messages.
        key: the setting that names it.
        columns: setting -> column: that of the texts, and that of the labels where there is one.

    Raises:
        MissingFile: it is not there.
        DataError: no text, no such column, rows of other lengths than the header, or empty cells.
    """
    raw, digest = body(path, name, key)
    records = ((line, row) for line, _, row in csv_records.records(raw.decode("utf-8"), ",", comments=False))
    try:
        first, header = next(records)
        names = [cell.strip() for cell in header]
        if faults := list(_header_faults(first, names, columns)):
            raise refusal(name, faults)
        rows = list(records)
    except csv_records.MalformedCsv as e:
        raise refusal(
            name, [Finding(e.line, "CSV-QUOTE" if "quote" in str(e) else "CSV-CELL", *str(e).split("; ", 1))]
        ) from None
    if not rows:
        raise DataError("CSV-ROWS", f"{name}:{first}: 0 data rows below the header; add some")
    places = [names.index(column) for column in columns.values()]
    faults = [fault for line, row in rows for fault in _row_faults(line, row, names, places)]
    if faults:
        raise refusal(name, faults)
    texts, *labels = ([row[at] for _, row in rows] for at in places)
    return _documents(name, texts, [cell.strip() for column in labels for cell in column], [n for n, _ in rows], digest)


def read_lines(path: Path, name: str, key: str, label: str) -> Documents:
    """An example a line, all of one label.

    Raises:
        MissingFile: it is not there.
        DataError: no text, or a blank line.
    """
    raw, digest = body(path, name, key)
    texts = raw.decode("utf-8").replace("\r\n", "\n").removesuffix("\n").split("\n")
    if faults := [_EMPTY._replace(line=i) for i, text in enumerate(texts, 1) if _is_empty(text)]:
        raise refusal(name, faults)
    own = digests.framed((label, digest))
    return _documents(name, texts, [label] * len(texts), list(range(1, len(texts) + 1)), own)


def unlabelled(source: Path | pd.DataFrame, column: str) -> Documents:
    """Texts without labels: a column of a frame or of a CSV, or the lines of a file of another name than .csv.

    Raises:
        MissingFile: no such file.
        DataError: no text, no such column, or an empty cell.
    """
    if isinstance(source, Path):
        name = str(source)
        if ".csv" in source.suffixes:
            return read_csv(source, name, "data", {"task.text": column})
        return read_lines(source, name, "data", "")
    if column not in source:
        raise DataError("CSV-COLUMN", f"frame: no column {column!r}; the columns are {some(list(source.columns))}")
    texts = ["" if cell is None or cell != cell else str(cell) for cell in source[column]]
    if empty := [i for i, text in enumerate(texts) if _is_empty(text)]:
        raise DataError("TEXT-EMPTY", f"frame: row {empty[0]}: column {column!r}: the text is empty")
    if not texts:
        raise DataError("CSV-ROWS", "frame: it has no rows; add some")
    return _documents("frame", texts, [], list(range(len(texts))), digests.framed(("frame", *texts)))


def _documents(name: str, texts: list[str], labels: list[str], lines: list[int], digest: str) -> Documents:
    composed = [unicodedata.normalize("NFC", text) for text in texts]
    return Documents(name, composed, labels, lines, sum(a != b for a, b in zip(texts, composed, strict=True)), digest)


def _is_empty(text: str) -> bool:
    return not clean(text).strip()


# --- what may be wrong ------------------------------------------------------------------------------


def _header_faults(line: int, names: list[str], columns: Mapping[str, str]) -> Iterator[Finding]:
    if mark := _separated(names):
        yield Finding(line, "CSV-DELIM", f"the fields look separated by {mark}, not by commas", "save it with commas")
        return
    for key, name in columns.items():
        close = closest(name, names, tuple(columns.values()))
        hint = f"did you mean {close!r}? set {override(key, close)}" if close else f"set {key}"
        yield from column_faults(line, name, names, hint)


def _separated(names: list[str]) -> str:
    """What parts the fields of a header that holds no comma; empty where nothing is seen."""
    marks = {";": "semicolons", "\t": "tabs", "|": "bars"}
    return next((name for mark, name in marks.items() if len(names) == 1 and mark in names[0]), "")


def _row_faults(line: int, row: list[str], names: list[str], places: list[int]) -> Iterator[Finding]:
    if len(row) != len(names):
        what = f"{count(len(row), 'field')}, expected {len(names)}"
        hint = (
            "complete the row"
            if len(row) < len(names)
            else "quote the cell that holds commas, or remove what is too much"
        )
        yield Finding(line, "CSV-FIELDS", what, hint)
    elif [cell.strip() for cell in row] == names:
        yield Finding(line, "CSV-HEADER-AGAIN", "repeats the header (files joined?)", "remove the line")
    elif _is_empty(row[places[0]]):
        yield _EMPTY._replace(line=line, what=f"column {names[places[0]]!r}: {_EMPTY.what}")
    else:
        for at in places[1:]:
            if not row[at].strip():
                what = f"column {names[at]!r}: the cell is empty"
                yield Finding(line, "CSV-MISSING", what, "fill it in, or remove the row")


def ratings(read: Documents, label: str, low: float, high: float) -> np.ndarray:
    """The label of each text, as a number: (examples,) float64.

    Raises:
        DataError: it is no number, or not between `low` and `high`; every row of that.
    """
    if faults := [f for line, cell in zip(read.lines, read.labels, strict=True) for f in _no_number(line, cell, label)]:
        raise refusal(read.name, faults)
    values = np.array(read.labels, np.float64)  # (examples,)
    if faults := list(_out_of_bounds(values, read.lines, label, low, high)):
        raise refusal(read.name, faults)
    return values


def _no_number(line: int, cell: str, label: str) -> Iterator[Finding]:
    if not _NUMBER.fullmatch(cell) or not math.isfinite(float(cell)):
        hint = f"write {cell.replace(',', '.')}" if _NUMBER.fullmatch(cell.replace(",", ".")) else "correct the cell"
        if "," not in cell:
            hint = "correct the cell or remove the row; set task=sentiment if the labels are names"
        yield Finding(line, "CSV-NUMBER", f"column {label!r}: {cell!r} is not a number", hint)


def _out_of_bounds(values: np.ndarray, lines: Sequence[int], label: str, low: float, high: float) -> Iterator[Finding]:
    for line, value in zip(lines, values.tolist(), strict=True):
        for key, bound, extreme, beyond in (
            ("low", low, values.min(), value < low),
            ("high", high, values.max(), value > high),
        ):
            if beyond:
                side = "below" if key == "low" else "above"
                what = f"column {label!r}: {value:g} is {side} task.{key}={bound:g}"
                yield Finding(line, "RATING-BOUNDS", what, f"set task.{key}={extreme:g}, or correct the cell")

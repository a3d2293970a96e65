"""The columns that have a role: read fast, or not at all.

The reader here vouches for what it hands back: it is what the slow reader (`diagnostics.py`) would say,
cell by cell. Where it cannot vouch for something it raises, and the slow one decides.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from lookback.data.csv import number_cells, records, time_cells
from lookback.data.csv.format import CsvFormat, Repair, Roles
from lookback.data.csv.number_cells import BEYOND, BLANKS, EMPTY, NeedsSlowReader
from lookback.settings import CHARACTER

_HEAD = 1 << 20  # bytes that a header may take


@dataclass(frozen=True)
class Columns:
    """What the named columns hold, row by row as they stand in the file.

    Attributes:
        header: every name of the header, blanks around it included.
        times: (rows,) when; None where the task names no time.
        values: (rows, columns) float64: target, past and future covariates; nan where a cell is empty. A target of
            names is its place in `classes`.
        classes: the names of the target, in order of first appearance; empty where it is a number.
        series: (rows,) int32, the number of the row's series, in order of first appearance.
        names: the names of the series.
        cleaned: rows of which a cell lost characters of `task.strip`, one for each cell.
        counted: whether a first column without a name counts the rows one by one; None where there is none.
        lines: the line on which each row begins; slow.
    """

    header: tuple[str, ...]
    times: time_cells.Written | None
    values: np.ndarray
    classes: tuple[str, ...]
    series: np.ndarray
    names: tuple[str, ...]
    cleaned: np.ndarray
    counted: bool | None
    lines: Callable[[], np.ndarray]


def read(body: bytes, form: CsvFormat, roles: Roles, repair: Repair) -> Columns:
    """Read a clean file.

    Args:
        body: UTF-8 without a byte order mark.

    Raises:
        NeedsSlowReader, pa.ArrowInvalid, ValueError, records.MalformedCsv: not clean, or more than this reader can
            vouch for.
    """
    delimiter = CHARACTER[form.delimiter]
    quoted = b'"' in body
    if quoted:
        _check_quotes(body, delimiter.encode())
    data = _without_comments(body, quoted) if form.comment == "hash" else body
    head = data[:_HEAD].decode("utf-8", "ignore")
    _, read, header = next(records.records(head, delimiter, comments=False))
    names = [name.strip() for name in header]
    if any(not name or names.count(name) != 1 for name in roles.named) or len(names) > form.max_columns:
        raise NeedsSlowReader("the header")
    table = _table(pa.py_buffer(data).slice(len(head[:read].encode())), form, roles, names, quoted)
    return _columns(table, form, roles, repair, header, names, lambda: lines(body, form))


def lines(body: bytes, form: CsvFormat) -> np.ndarray:
    """The line on which each row below the header begins: (rows,)."""
    found = records.records(body.decode("utf-8"), CHARACTER[form.delimiter], form.comment == "hash")
    return np.array([line for line, _, _ in found][1:], np.int64)


def _table(data: pa.Buffer, form: CsvFormat, roles: Roles, names: list[str], quoted: bool) -> pa.Table:
    plain = pa.float64() if number_cells.written_plainly(form) else pa.string()
    types = {str(names.index(n)): plain for n in roles.numbers}
    types |= {str(names.index(n)): pa.string() for n in (roles.time, roles.series) if n is not None}
    if roles.target_is_class:
        types[str(names.index(roles.target))] = pa.string()
    if roles.counts_rows(names):
        types["0"] = pa.string()
    return pa.csv.read_csv(
        data,
        pa.csv.ReadOptions(column_names=[str(i) for i in range(len(names))]),
        pa.csv.ParseOptions(delimiter=CHARACTER[form.delimiter], newlines_in_values=quoted),
        pa.csv.ConvertOptions(
            check_utf8=False,  # checked as a whole
            column_types=types,
            include_columns=list(types),
            null_values=list(EMPTY),
            strings_can_be_null=False,
            quoted_strings_can_be_null=True,
            decimal_point=CHARACTER[form.decimal],
        ),
    )


def _columns(
    table: pa.Table, form: CsvFormat, roles: Roles, repair: Repair, header: list[str], names: list[str], where: Callable
) -> Columns:
    def column(name: str) -> pa.ChunkedArray:
        return table[str(names.index(name))]

    if not len(table):
        raise NeedsSlowReader("no rows")
    values = np.empty((len(table), len(roles.values)), order="F")
    classes: tuple[str, ...] = ()
    if roles.target_is_class:
        values[:, 0], classes = _classes(column(roles.target))
        if repair.refuses_empty and np.isnan(values[:, 0]).any():
            raise NeedsSlowReader("an empty cell")
    cleaned = []
    for i, name in enumerate(roles.numbers, int(roles.target_is_class)):
        cell = column(name)
        if not number_cells.written_plainly(form):
            cell, rows = number_cells.many(cell, form)
            cleaned.append(rows)
        if cell.null_count and repair.refuses_empty:
            raise NeedsSlowReader("an empty cell")
        _copy_finite(cell, values[:, i])
    one_series = np.broadcast_to(np.int32(0), len(table)), ("",)  # takes no memory
    series, series_names = one_series if roles.series is None else _series(column(roles.series))
    return Columns(
        tuple(header),
        None if roles.time is None else time_cells.many(column(roles.time), roles.time_format),
        values,
        classes,
        series,
        series_names,
        np.concatenate(cleaned) if cleaned else np.zeros(0, np.int64),
        _counts(table["0"]) if roles.counts_rows(names) else None,
        where,
    )


def _classes(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Names -> (rows,) their places among the names, nan where a cell is empty; and the names."""
    codes, names = _encoded(column)
    places = codes.astype(np.float64)
    if "" in names:
        empty = names.index("")
        places[codes == empty] = np.nan
        places[codes > empty] -= 1
    return places, tuple(filter(None, names))


def _copy_finite(column: pa.ChunkedArray, out: np.ndarray) -> None:
    """Nulls become nan."""
    end = 0
    for chunk in column.chunks:
        values, end = chunk.to_numpy(zero_copy_only=False), end + len(chunk)
        sizes = values if not chunk.null_count else values[chunk.is_valid().to_numpy(zero_copy_only=False)]
        if len(sizes) and not (sizes.min() > -BEYOND and sizes.max() < BEYOND):  # nan fails too
            raise NeedsSlowReader("not finite, or a very long number")
        out[end - len(chunk) : end] = values


def _series(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    codes, names = _encoded(column)
    if "" in names:
        raise NeedsSlowReader("a row without a series")
    return codes.astype(np.int32), names


def _encoded(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Texts -> (rows,) the place of each among the different ones, in order of first appearance; and those."""
    codes = pc.dictionary_encode(pc.utf8_trim(column, characters=BLANKS)).combine_chunks()
    return codes.indices.to_numpy(), tuple(codes.dictionary.to_pylist())


def _counts(column: pa.ChunkedArray) -> bool:
    return column.equals(pa.chunked_array([pc.cast(pa.array(np.arange(len(column))), pa.string())]))


def _check_quotes(body: bytes, delimiter: bytes) -> None:
    """Every quote opens a cell right behind a delimiter, or closes it right before one.

    A doubled quote inside a cell is one that closes and one that opens again. Arrow itself would read
    "20"7 as 207.
    """
    text = np.frombuffer(body, np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    ends = np.frombuffer(delimiter + b"\r\n", np.uint8)
    opening, closing = quotes[::2], quotes[1::2]
    before = text[opening[opening > 0] - 1]
    after = text[closing[closing < len(text) - 1] + 1]
    outside = np.isin(before, ends), np.isin(after, ends)
    doubled = np.isin(opening[opening > 0] - 1, closing), np.isin(closing[closing < len(text) - 1] + 1, opening)
    if len(quotes) % 2 or not ((outside[0] | doubled[0]).all() and (outside[1] | doubled[1]).all()):
        raise NeedsSlowReader("quotes")


def _without_comments(body: bytes, quoted: bool) -> bytes:
    if quoted or re.search(rb"\r(?!\n)", body):
        raise NeedsSlowReader("comments beside quotes or bare carriage returns")
    return re.sub(rb"(?m)^#[^\n]*\n?", b"", body)

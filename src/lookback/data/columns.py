"""The columns that a task names: read fast, or not at all.

The reader here vouches for what it hands back: it is what the slow reader (`faults.py`) would say,
cell by cell. Where it cannot vouch for something it raises, and the slow one decides.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from lookback.data import cells, numbers, times
from lookback.data.numbers import BEYOND, BLANKS, EMPTY, NotPlain
from lookback.settings import CHARACTER, ClassifyTask, SeriesTask

_HEAD = 1 << 20  # bytes that a header may take


@dataclass(frozen=True)
class Columns:
    """What the named columns hold, row by row as they stand in the file.

    Attributes:
        header: every name of the header, blanks around it included.
        times: (rows,) when; None where the task names no time.
        numbers: (rows, columns) float64: target (unless it is names), past, known; nan where a cell is empty.
        classes: (rows,) str, the target where it is names, "" where it is empty; else None.
        series: (rows,) int32, the number of the row's series, in order of first appearance.
        names: the names of the series.
        cleaned: rows of which a cell lost characters of `task.strip`, one for each cell.
        counted: whether a first column without a name counts the rows one by one; None where there is none.
        lines: the line on which each row begins; slow.
    """

    header: tuple[str, ...]
    times: times.Written | None
    numbers: np.ndarray
    classes: np.ndarray | None
    series: np.ndarray
    names: tuple[str, ...]
    cleaned: np.ndarray
    counted: bool | None
    lines: Callable[[], np.ndarray]


def number_columns(task: SeriesTask) -> tuple[str, ...]:
    """Names of the columns of numbers, in the order of `Columns.numbers`."""
    return (*(() if isinstance(task, ClassifyTask) else (task.target,)), *task.past_covariates, *task.future_covariates)


def named(task: SeriesTask) -> tuple[str, ...]:
    """Every column that the task names."""
    return tuple(
        n
        for n in (task.time, task.series, task.target, *task.past_covariates, *task.future_covariates)
        if n is not None
    )


def counts_rows(task: SeriesTask, header: list[str] | tuple[str, ...]) -> bool:
    """Whether the first column has no name and may be a count of the rows."""
    return task.time is None and not header[0].strip()


def fast(body: bytes, task: SeriesTask) -> Columns:
    """Read a clean file.

    Args:
        body: UTF-8 without a byte order mark.

    Raises:
        NotPlain, pa.ArrowInvalid, ValueError, cells.Torn: not clean, or beyond what this reader can vouch for.
    """
    delimiter = CHARACTER[task.delimiter]
    quoted = b'"' in body
    if quoted:
        _check_quotes(body, delimiter.encode())
    data = _without_comments(body, quoted) if task.comment == "hash" else body
    head = data[:_HEAD].decode("utf-8", "ignore")
    _, read, header = next(cells.records(head, delimiter, comments=False))
    names = [name.strip() for name in header]
    if any(not name or names.count(name) != 1 for name in named(task)) or len(names) > task.max_columns:
        raise NotPlain("the header")
    table = _table(pa.py_buffer(data).slice(len(head[:read].encode())), task, names, quoted)
    return _columns(table, task, header, names, lambda: lines(body, task))


def lines(body: bytes, task: SeriesTask) -> np.ndarray:
    """The line on which each row below the header begins: (rows,)."""
    found = cells.records(body.decode("utf-8"), CHARACTER[task.delimiter], task.comment == "hash")
    return np.array([line for line, _, _ in found][1:], np.int64)


def _table(data: pa.Buffer, task: SeriesTask, names: list[str], quoted: bool) -> pa.Table:
    plain = pa.float64() if numbers.written_plainly(task) else pa.string()
    types = {str(names.index(n)): plain for n in number_columns(task)}
    types |= {str(names.index(n)): pa.string() for n in (task.time, task.series) if n is not None}
    if isinstance(task, ClassifyTask):
        types[str(names.index(task.target))] = pa.string()
    if counts_rows(task, names):
        types["0"] = pa.string()
    return pa.csv.read_csv(
        data,
        pa.csv.ReadOptions(column_names=[str(i) for i in range(len(names))]),
        pa.csv.ParseOptions(delimiter=CHARACTER[task.delimiter], newlines_in_values=quoted),
        pa.csv.ConvertOptions(
            check_utf8=False,  # checked as a whole
            column_types=types,
            include_columns=list(types),
            null_values=list(EMPTY),
            strings_can_be_null=False,
            quoted_strings_can_be_null=True,
            decimal_point=CHARACTER[task.decimal],
        ),
    )


def _columns(table: pa.Table, task: SeriesTask, header: list[str], names: list[str], where: Callable) -> Columns:
    def column(name: str) -> pa.ChunkedArray:
        return table[str(names.index(name))]

    if not len(table):
        raise NotPlain("no rows")
    wanted = number_columns(task)
    values = np.empty((len(table), len(wanted)), order="F")
    cleaned = []
    for i, name in enumerate(wanted):
        cell = column(name)
        if not numbers.written_plainly(task):
            cell, rows = numbers.many(cell, task)
            cleaned.append(rows)
        if cell.null_count and task.missing == "error" and task.resample == "none":
            raise NotPlain("an empty cell")
        _copy_finite(cell, values[:, i])
    classes = None
    if isinstance(task, ClassifyTask):
        kind = pc.dictionary_encode(pc.utf8_trim(column(task.target), characters=BLANKS)).combine_chunks()
        classes = np.array(kind.dictionary.to_pylist(), object)[kind.indices.to_numpy()]
    one_series = np.broadcast_to(np.int32(0), len(table)), ("",)  # takes no memory
    series, series_names = one_series if task.series is None else _series(column(task.series))
    return Columns(
        tuple(header),
        None if task.time is None else times.many(column(task.time), task.time_format),
        values,
        classes,
        series,
        series_names,
        np.concatenate(cleaned) if cleaned else np.zeros(0, np.int64),
        _counts(table["0"]) if counts_rows(task, names) else None,
        where,
    )


def _copy_finite(column: pa.ChunkedArray, out: np.ndarray) -> None:
    """Nulls become nan."""
    end = 0
    for chunk in column.chunks:
        values, end = chunk.to_numpy(zero_copy_only=False), end + len(chunk)
        sizes = values if not chunk.null_count else values[chunk.is_valid().to_numpy(zero_copy_only=False)]
        if len(sizes) and not (sizes.min() > -BEYOND and sizes.max() < BEYOND):  # nan fails too
            raise NotPlain("not finite, or a very long number")
        out[end - len(chunk) : end] = values


def _series(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    codes = pc.dictionary_encode(pc.utf8_trim(column, characters=BLANKS)).combine_chunks()
    found = codes.dictionary.to_pylist()
    if "" in found:
        raise NotPlain("a row without a series")
    return codes.indices.to_numpy().astype(np.int32), tuple(found)


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
        raise NotPlain("quotes")


def _without_comments(body: bytes, quoted: bool) -> bytes:
    if quoted or re.search(rb"\r(?!\n)", body):
        raise NotPlain("comments beside quotes or bare carriage returns")
    return re.sub(rb"(?m)^#[^\n]*\n?", b"", body)

"""What is wrong with a CSV, line by line: the slow reader, used when the fast one has refused.

Every finding is (line, code, message). All findings of a file are told in one line: the first five
and how many more there are.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, NoReturn

from lookback.config import CHARACTER, ForecastTask
from lookback.errors import DataError

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DELIMITERS = ("semicolon", "tab", "pipe", "comma")


class Finding(NamedTuple):
    """One fault: where it is, its code, and what to do."""

    line: int
    code: str
    message: str


def explain(path: Path, text: str, task: ForecastTask) -> None:
    """Raise a `DataError` if anything can be found wrong; return if nothing can."""
    rows = csv.reader(
        io.StringIO(text, newline=""), delimiter=CHARACTER[task.delimiter], skipinitialspace=True, strict=True
    )
    header = [name.strip() for name in next(rows, [])]
    _check_header(path, header, task)
    findings = list(_row_faults(rows, header, task))
    if findings:
        shown = "; ".join(f"line {f.line}: {f.message}" for f in findings[:5])
        more = f"; and {len(findings) - 5} more" if len(findings) > 5 else ""
        raise DataError(findings[0].code, f"{path}:{findings[0].line}: {shown}{more}")
    if rows.line_num < 2 or not text.splitlines()[1:]:
        need = task.lookback + task.horizon
        raise DataError("CSV-ROWS", f"{path}: 0 data rows below the header, a window needs {need}")


def _check_header(path: Path, header: list[str], task: ForecastTask) -> None:
    def refuse(code: str, message: str) -> NoReturn:
        raise DataError(code, f"{path}:1: {message}")

    wanted = (task.time, task.target, *task.past)
    if header and header[0].startswith("#"):
        refuse("CSV-COMMENT", f"the first line is a comment ({header[0][:30]!r}), not the header; remove it")
    if not any(name in header for name in wanted):
        line = CHARACTER[task.delimiter].join(header)
        for other in _DELIMITERS:
            if other != task.delimiter and CHARACTER[other] in line:
                refuse(
                    "CSV-DELIM",
                    f"no column {task.time!r}; the fields look separated by {other}; set task.delimiter={other}",
                )
    for name in wanted:
        if header.count(name) > 1:
            places = [i + 1 for i, h in enumerate(header) if h == name]
            refuse("CSV-HEADER", f"column {name!r} stands {len(places)} times (fields {places}); rename all but one")
        if name not in header:
            key = {task.time: "task.time", task.target: "task.target"}.get(name, "task.past")
            refuse("CSV-COLUMN", f"no column {name!r}; the columns are {', '.join(header)}; set {key}")
    if len(set(header)) < len(header):
        twice = sorted({h or "(blank)" for h in header if header.count(h) > 1})
        refuse("CSV-HEADER", f"columns of the same name: {', '.join(twice)}; rename all but one")


def _row_faults(rows: Iterator[list[str]], header: list[str], task: ForecastTask) -> Iterator[Finding]:
    line = 1
    try:
        for row in rows:
            line, began = rows.line_num, line + 1  # type: ignore[attr-defined]
            if row:
                yield from _faults_of_row(began, row, header, task)
    except csv.Error as e:
        yield Finding(line + 1, "CSV-QUOTE", f"{e}: a quote is opened here and never closed; close it")


def _faults_of_row(line: int, row: list[str], header: list[str], task: ForecastTask) -> Iterator[Finding]:
    if [cell.strip() for cell in row] == header:
        yield Finding(line, "CSV-HEADER-AGAIN", "repeats the header (files joined?); remove the line")
    elif len(row) < len(header):
        footer = "; if it is a footer set task.skip_footer" if len(row) == 1 else ""
        yield Finding(line, "CSV-FIELDS", f"{_fields(len(row))}, expected {len(header)}; complete the row{footer}")
    elif len(row) > len(header):
        decimal = " (a decimal comma? set task.delimiter and task.decimal)" if task.delimiter == "comma" else ""
        yield Finding(
            line, "CSV-FIELDS", f"{_fields(len(row))}, expected {len(header)}{decimal}; remove or quote the extra"
        )
    else:
        cells = dict(zip(header, map(str.strip, row), strict=True))
        if fault := time_fault(cells[task.time], task):
            yield Finding(line, "TIME-FORMAT", fault)
        for name in (task.target, *task.past):
            if wrong := number_fault(cells[name], task):
                yield Finding(line, wrong[0], f"column {name!r}: {wrong[1]}")


def _fields(n: int) -> str:
    return f"{n} field{'s' * (n != 1)}"


def time_fault(cell: str, task: ForecastTask) -> str | None:
    """What is wrong with a cell of the time column, or None."""
    try:
        datetime.strptime(cell, task.time_format)
    except ValueError:
        if not cell:
            return f"column {task.time!r} is empty; fill in the time or remove the row"
        why = f"is not a time of the form {task.time_format}; set task.time_format, or mend the cell"
        return f"column {task.time!r}: {cell!r} {why}"
    return None


def number_fault(cell: str, task: ForecastTask) -> tuple[str, str] | None:
    """(code, what is wrong) with a cell that should be a finite number, or None."""
    if cell in ("", "NA", "NaN", "nan"):
        return (
            None
            if task.missing == "fill"
            else ("CSV-MISSING", "the cell is empty; set task.missing=fill, or fill it in")
        )
    plain = cell.replace(CHARACTER[task.thousands], "") if task.thousands != "none" else cell
    plain = plain.replace(CHARACTER[task.decimal], ".")
    if _NUMBER.fullmatch(plain) and plain.isascii():
        if abs(float(plain)) == float("inf"):
            return "CSV-INFINITE", f"{cell!r} is too large for a number; mend the cell"
        return None
    if plain.lower().lstrip("+-") in ("inf", "infinity"):
        return "CSV-INFINITE", f"{cell!r} is not a finite number; mend the cell"
    if re.fullmatch(r"[+-]?\d+,\d{1,2}|[+-]?\d+,\d{4,}", cell) and task.decimal == "point":
        return "CSV-DECIMAL", f"{cell!r} is not a number (decimal comma?); set task.decimal=comma"
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", cell) and task.thousands == "none":
        return "CSV-THOUSANDS", f"{cell!r} is not a number (thousands?); set task.thousands=comma"
    odd = next((c for c in cell if not c.isascii()), None)
    name = f" (it holds U+{ord(odd):04X} {unicodedata.name(odd, 'unnamed')})" if odd else ""
    return "CSV-NUMBER", f"{cell!r} is not a number{name}; mend the cell"

"""A CSV record by record: the slow reader. It says what is wrong, or reads what the fast one could not."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from lookback.data import cells, numbers, patterns, times
from lookback.data.columns import Columns, counts_rows, named, number_columns
from lookback.data.findings import Finding, closest, column_faults, override, refusal
from lookback.data.numbers import BLANKS, EMPTY
from lookback.errors import DataError
from lookback.settings import CHARACTER, ClassifyTask, SeriesTask
from lookback.wording import count

_DELIMITERS = ("semicolon", "tab", "pipe", "comma")
_Record = tuple[int, list[str]]
MISSING = "set task.missing=fill (the value before is carried on) or task.missing=drop, or fill it in"


def read(path: str, body: bytes, task: SeriesTask) -> Columns:
    """Every named cell of a file, which is gone through once to find faults, and once more where there are none.

    Raises:
        FileFaults: with every finding in it.
    """
    text = body.decode("utf-8")
    try:
        first, header = next(_records(text, task))
        _, below = next(islice(_records(text, task), 1, None), (0, []))
    except StopIteration:
        raise DataError("CSV-EMPTY", f"{path}: nothing stands in it") from None
    except cells.Torn as e:
        raise refusal(path, [_torn(e)]) from None
    names = [name.strip() for name in header]
    if findings := list(_header_faults(first, header, below, task)):
        raise refusal(path, findings)
    findings, rows = _row_faults(text, names, task)
    if findings:
        raise refusal(path, findings)
    if not rows:
        need = task.lookback + task.span
        raise DataError("CSV-ROWS", f"{path}:{first}: 0 data rows below the header, a window needs {need}")
    return _columns(text, header, names, task)


def _records(text: str, task: SeriesTask) -> Iterator[_Record]:
    for line, _, row in cells.records(text, CHARACTER[task.delimiter], task.comment == "hash"):
        yield line, row


def _torn(e: cells.Torn) -> Finding:
    return Finding(e.line, "CSV-QUOTE" if "quote" in str(e) else "CSV-CELL", *str(e).split("; ", 1))


# --- the header ------------------------------------------------------------------------------------


def _header_faults(line: int, header: list[str], below: list[str], task: SeriesTask) -> Iterator[Finding]:
    names = [name.strip() for name in header]
    if len(header) > task.max_columns:
        what = f"{count(len(header), 'column')}, allowed are {task.max_columns:,}"
        yield Finding(line, "CSV-COLUMNS", what, f"set task.max_columns={len(header)}")
    elif names[0].startswith("#") and task.comment == "none":
        what = f"the first line is a comment ({header[0][:30]!r}), not the header"
        yield Finding(line, "CSV-COMMENT", what, "set task.comment=hash")
    elif not set(named(task)) & set(names) and (other := _delimiter(header, below, task)):
        what = f"no column {named(task)[0]!r}; the fields look separated by {other[0]}"
        yield Finding(line, "CSV-DELIM", what, f"set task.delimiter={' '.join(other)}")
    else:
        for name in named(task):
            yield from _name_faults(line, name, names, task)


def _delimiter(header: list[str], below: list[str], task: SeriesTask) -> list[str]:
    """The delimiter that the file seems to have, and what else to set with it; empty where none is seen."""
    line = CHARACTER[task.delimiter].join(header)
    for name in _DELIMITERS:
        parts = [p.strip(' "') for p in line.split(CHARACTER[name])]
        if name != task.delimiter and len(parts) > 1 and set(named(task)) & set(parts):
            places = [parts.index(n) for n in number_columns(task) if n in parts]
            row = CHARACTER[task.delimiter].join(below).split(CHARACTER[name])
            comma = any(i < len(row) and "," in row[i] and "." not in row[i] for i in places)
            return [name] + ["task.decimal=comma"] * (comma and name != "comma" and task.decimal == "point")
    return []


def _name_faults(line: int, name: str, names: list[str], task: SeriesTask) -> Iterator[Finding]:
    if not name:
        blank = [i + 1 for i, n in enumerate(names) if not n]
        yield Finding(line, "CSV-HEADER", f"the name of a column is blank (fields {blank})", "give the column a name")
    else:
        yield from column_faults(line, name, names, _rename(name, names, task))


def _rename(name: str, names: list[str], task: SeriesTask) -> str:
    hint = closest(name, names, named(task))
    for key in ("time", "series", "target"):
        if getattr(task, key) == name:
            return f"did you mean {hint!r}? set {override(f'task.{key}', hint)}" if hint else f"set task.{key}"
    key = "past_covariates" if name in task.past_covariates else "future_covariates"
    left = [hint if n == name else n for n in getattr(task, key) if n != name or hint]
    listed = f"[{','.join(left)}]"
    plain = all(n.replace("_", "").isalnum() for n in left)
    typed = f"task.{key}={listed}" if plain else '"task.{}=[{}]"'.format(key, ",".join(f"'{n}'" for n in left))
    return (f"did you mean {hint!r}? " if hint else "") + f"set {typed}"


# --- the rows --------------------------------------------------------------------------------------


def _row_faults(text: str, names: list[str], task: SeriesTask) -> tuple[list[Finding], int]:
    """Every fault below the header, and how many rows there are."""
    found: list[Finding] = []
    places = {name: names.index(name) for name in named(task)}
    number = good = line = good_line = tail = 0  # the last row without a fault, and the first one behind it
    try:
        for number, (line, row) in enumerate(islice(_records(text, task), 1, None), 1):
            if wrong := list(_faults_of_row(line, row, names, places, task)):
                found += wrong
                tail = line if number == good + 1 else tail
            else:
                good, good_line = number, line
    except cells.Torn as e:
        return [*found, _torn(e)], number
    if any(f.code == "TIME-FORMAT" for f in found):
        found = _with_time_hint(found, text, names, task)
    if found and good and 0 < number - good <= 10 and found[0].line == tail:
        hint = f"; if it is a footer set task.skip_footer={line - good_line}"
        found = [f._replace(hint=f.hint + hint) for f in found]
    return found, number


def _faults_of_row(
    line: int, row: list[str], names: list[str], places: dict[str, int], task: SeriesTask
) -> Iterator[Finding]:
    if row[0].strip() == names[0] and [cell.strip() for cell in row] == names:
        yield Finding(line, "CSV-HEADER-AGAIN", "repeats the header (files joined?)", "remove the line")
    elif len(row) < len(names):
        what = f"{count(len(row), 'field')}, expected {len(names)}"
        yield Finding(line, "CSV-FIELDS", what, "complete the row")
    elif len(row) > len(names):
        decimal = " (a decimal comma?)" if task.delimiter == "comma" else ""
        what = f"{count(len(row), 'field')}, expected {len(names)}{decimal}"
        yield Finding(line, "CSV-FIELDS", what, "remove or quote what is too much")
    else:
        yield from _cell_faults(line, {name: row[place] for name, place in places.items()}, task)


def _cell_faults(line: int, row: dict[str, str], task: SeriesTask) -> Iterator[Finding]:
    if task.time is not None:
        yield from _time_faults(line, row[task.time].strip(BLANKS), task)
    if task.series is not None and not row[task.series].strip(BLANKS):
        yield Finding(
            line, "CSV-SERIES", f"column {task.series!r}: the cell is empty", "say which series the row is of"
        )
    classes = [task.target] if isinstance(task, ClassifyTask) else []
    for name in (*classes, *number_columns(task)):
        cell = row[name].strip(BLANKS)
        empty = cell == "" if name in classes else cell.strip(task.strip + BLANKS) in EMPTY
        if empty and task.missing == "error" and task.resample == "none":
            yield Finding(line, "CSV-MISSING", f"column {name!r}: {_empty(cell)}", MISSING)
        elif name not in classes and (wrong := numbers.fault(cell, task)):
            yield Finding(line, wrong[0], f"column {name!r}: {wrong[1]}", wrong[2])


def _empty(cell: str) -> str:
    return "the cell is empty" + (f" ({cell!r})" if cell else "")


def _time_faults(line: int, cell: str, task: SeriesTask) -> Iterator[Finding]:
    try:
        times.one(cell, task.time_format)
    except ValueError:
        what = f"column {task.time!r}: {cell!r} is not a time of the form {task.time_format}"
        if not cell:
            what = f"column {task.time!r} is empty"
        hint = "set task.time_format, or correct the cell" if cell else "fill in the time or remove the row"
        yield Finding(line, "TIME-FORMAT", what, hint)


def _with_time_hint(found: list[Finding], text: str, names: list[str], task: SeriesTask) -> list[Finding]:
    """Look at the whole column for a format that reads it."""
    place = names.index(str(task.time))
    rows = (row for _, row in islice(_records(text, task), 1, None) if len(row) == len(names))
    remark, hint = patterns.hint([cell for row in rows if (cell := row[place].strip(BLANKS))])
    return [
        f._replace(what=f.what + remark, hint=hint) if f.code == "TIME-FORMAT" and "empty" not in f.what else f
        for f in found
    ]


# --- no faults: what the cells say -----------------------------------------------------------------


def _columns(text: str, header: list[str], names: list[str], task: SeriesTask) -> Columns:
    def column(name: str) -> Iterator[str]:
        place = names.index(name)
        return (row[place].strip(BLANKS) for _, row in islice(_records(text, task), 1, None))

    values, cleaned = [], []
    for name in number_columns(task):
        said = np.array([numbers.one(cell, task) for cell in column(name)])  # (rows, 2)
        values.append(said[:, 0])
        cleaned.append(np.flatnonzero(said[:, 1]))
    at = np.array([line for line, _ in islice(_records(text, task), 1, None)], np.int64)
    numbered: dict[str, int] = {}
    ids = (numbered.setdefault(c, len(numbered)) for c in column(task.series)) if task.series is not None else None
    return Columns(
        tuple(header),
        None if task.time is None else times.written(times.one(c, task.time_format) for c in column(task.time)),
        np.array(values).T if values else np.empty((len(at), 0)),
        np.array(list(column(task.target)), object) if isinstance(task, ClassifyTask) else None,
        np.zeros(len(at), np.int32) if ids is None else np.fromiter(ids, np.int32),
        tuple(numbered) or ("",),
        np.concatenate(cleaned) if cleaned else np.zeros(0, np.int64),
        all(c == str(i) for i, c in enumerate(column(names[0]))) if counts_rows(task, names) else None,
        lambda: at,
    )

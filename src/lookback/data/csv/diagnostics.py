"""A CSV record by record: the slow reader. It says what is wrong, or reads what the fast one could not."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from lookback.data.csv import number_cells, records, time_cells, time_formats
from lookback.data.csv.fast import Columns
from lookback.data.csv.format import CsvFormat, Repair, Roles
from lookback.data.csv.number_cells import BLANKS, EMPTY
from lookback.data.findings import Finding, closest, column_faults, override, refusal
from lookback.errors import DataError
from lookback.settings import CHARACTER
from lookback.wording import count

_DELIMITERS = ("semicolon", "tab", "pipe", "comma")
_Record = tuple[int, list[str]]
MISSING = "set task.missing=fill (the value before is carried on) or task.missing=drop, or fill it in"


def read(path: str, body: bytes, form: CsvFormat, roles: Roles, repair: Repair, rows_needed: int) -> Columns:
    """Every cell of the columns with a role. The file is read once to find faults, and once more where there are none.

    Args:
        path: what messages call it.
        body: UTF-8 without a byte order mark.
        rows_needed: for one window and its targets.

    Raises:
        FileFaults: with every finding in it.
    """
    text = body.decode("utf-8")
    try:
        first, header = next(_records(text, form))
        _, below = next(islice(_records(text, form), 1, None), (0, []))
    except StopIteration:
        raise DataError("CSV-EMPTY", f"{path}: nothing stands in it") from None
    except records.MalformedCsv as e:
        raise refusal(path, [_malformed(e)]) from None
    names = [name.strip() for name in header]
    if findings := list(_header_faults(first, header, below, form, roles)):
        raise refusal(path, findings)
    findings, rows = _row_faults(text, names, form, roles, repair)
    if findings:
        raise refusal(path, findings)
    if not rows:
        raise DataError("CSV-ROWS", f"{path}:{first}: 0 data rows below the header, a window needs {rows_needed}")
    return _columns(text, header, names, form, roles, repair)


def _records(text: str, form: CsvFormat) -> Iterator[_Record]:
    for line, _, row in records.records(text, CHARACTER[form.delimiter], form.comment == "hash"):
        yield line, row


def _malformed(e: records.MalformedCsv) -> Finding:
    return Finding(e.line, "CSV-QUOTE" if "quote" in str(e) else "CSV-CELL", *str(e).split("; ", 1))


# --- the header ------------------------------------------------------------------------------------


def _header_faults(line: int, header: list[str], below: list[str], form: CsvFormat, roles: Roles) -> Iterator[Finding]:
    names = [name.strip() for name in header]
    if len(header) > form.max_columns:
        what = f"{count(len(header), 'column')}, allowed are {form.max_columns:,}"
        yield Finding(line, "CSV-COLUMNS", what, f"set task.max_columns={len(header)}")
    elif names[0].startswith("#") and form.comment == "none":
        what = f"the first line is a comment ({header[0][:30]!r}), not the header"
        yield Finding(line, "CSV-COMMENT", what, "set task.comment=hash")
    elif not set(roles.named) & set(names) and (other := _delimiter(header, below, form, roles)):
        what = f"no column {roles.named[0]!r}; the fields look separated by {other[0]}"
        yield Finding(line, "CSV-DELIM", what, f"set task.delimiter={' '.join(other)}")
    else:
        for name in roles.named:
            yield from _name_faults(line, name, names, roles)


def _delimiter(header: list[str], below: list[str], form: CsvFormat, roles: Roles) -> list[str]:
    """The delimiter that the file seems to have, and what else to set with it; empty where none is seen."""
    line = CHARACTER[form.delimiter].join(header)
    for name in _DELIMITERS:
        parts = [p.strip(' "') for p in line.split(CHARACTER[name])]
        if name != form.delimiter and len(parts) > 1 and set(roles.named) & set(parts):
            places = [parts.index(n) for n in roles.numbers if n in parts]
            row = CHARACTER[form.delimiter].join(below).split(CHARACTER[name])
            comma = any(i < len(row) and "," in row[i] and "." not in row[i] for i in places)
            return [name] + ["task.decimal=comma"] * (comma and name != "comma" and form.decimal == "point")
    return []


def _name_faults(line: int, name: str, names: list[str], roles: Roles) -> Iterator[Finding]:
    if not name:
        blank = [i + 1 for i, n in enumerate(names) if not n]
        yield Finding(line, "CSV-HEADER", f"the name of a column is blank (fields {blank})", "give the column a name")
    else:
        yield from column_faults(line, name, names, _rename(name, names, roles))


def _rename(name: str, names: list[str], roles: Roles) -> str:
    hint = closest(name, names, roles.named)
    for key in ("time", "series", "target"):
        if getattr(roles, key) == name:
            return f"did you mean {hint!r}? set {override(f'task.{key}', hint)}" if hint else f"set task.{key}"
    key = "past_covariates" if name in roles.past_covariates else "future_covariates"
    left = [hint if n == name else n for n in getattr(roles, key) if n != name or hint]
    listed = f"[{','.join(left)}]"
    plain = all(n.replace("_", "").isalnum() for n in left)
    typed = f"task.{key}={listed}" if plain else '"task.{}=[{}]"'.format(key, ",".join(f"'{n}'" for n in left))
    return (f"did you mean {hint!r}? " if hint else "") + f"set {typed}"


# --- the rows --------------------------------------------------------------------------------------


def _row_faults(
    text: str, names: list[str], form: CsvFormat, roles: Roles, repair: Repair
) -> tuple[list[Finding], int]:
    """Every fault below the header, and how many rows there are."""
    found: list[Finding] = []
    places = {name: names.index(name) for name in roles.named}
    number = good = line = good_line = tail = 0  # the last row without a fault, and the first one behind it
    try:
        for number, (line, row) in enumerate(islice(_records(text, form), 1, None), 1):
            if wrong := list(_faults_of_row(line, row, names, places, form, roles, repair)):
                found += wrong
                tail = line if number == good + 1 else tail
            else:
                good, good_line = number, line
    except records.MalformedCsv as e:
        return [*found, _malformed(e)], number
    if any(f.code == "TIME-FORMAT" for f in found):
        found = _with_time_hint(found, text, names, form, roles)
    if found and good and 0 < number - good <= 10 and found[0].line == tail:
        hint = f"; if it is a footer set task.skip_footer={line - good_line}"
        found = [f._replace(hint=f.hint + hint) for f in found]
    return found, number


def _faults_of_row(
    line: int, row: list[str], names: list[str], places: dict[str, int], form: CsvFormat, roles: Roles, repair: Repair
) -> Iterator[Finding]:
    if row[0].strip() == names[0] and [cell.strip() for cell in row] == names:
        yield Finding(line, "CSV-HEADER-AGAIN", "repeats the header (files joined?)", "remove the line")
    elif len(row) < len(names):
        what = f"{count(len(row), 'field')}, expected {len(names)}"
        yield Finding(line, "CSV-FIELDS", what, "complete the row")
    elif len(row) > len(names):
        decimal = " (a decimal comma?)" if form.delimiter == "comma" else ""
        what = f"{count(len(row), 'field')}, expected {len(names)}{decimal}"
        yield Finding(line, "CSV-FIELDS", what, "remove or quote what is too much")
    else:
        yield from _cell_faults(line, {name: row[place] for name, place in places.items()}, form, roles, repair)


def _cell_faults(line: int, row: dict[str, str], form: CsvFormat, roles: Roles, repair: Repair) -> Iterator[Finding]:
    if roles.time is not None:
        yield from _time_faults(line, row[roles.time].strip(BLANKS), roles)
    if roles.series is not None and not row[roles.series].strip(BLANKS):
        yield Finding(
            line, "CSV-SERIES", f"column {roles.series!r}: the cell is empty", "say which series the row is of"
        )
    for name in roles.values:
        is_class = roles.target_is_class and name == roles.target
        cell = row[name].strip(BLANKS)
        empty = cell == "" if is_class else cell.strip(form.strip + BLANKS) in EMPTY
        if empty and repair.refuses_empty:
            yield Finding(line, "CSV-MISSING", f"column {name!r}: {_empty(cell)}", MISSING)
        elif not is_class and (wrong := number_cells.fault(cell, form)):
            yield Finding(line, wrong[0], f"column {name!r}: {wrong[1]}", wrong[2])


def _empty(cell: str) -> str:
    return "the cell is empty" + (f" ({cell!r})" if cell else "")


def _time_faults(line: int, cell: str, roles: Roles) -> Iterator[Finding]:
    try:
        time_cells.one(cell, roles.time_format)
    except ValueError:
        what = f"column {roles.time!r}: {cell!r} is not a time of the form {roles.time_format}"
        if not cell:
            what = f"column {roles.time!r} is empty"
        hint = "set task.time_format, or correct the cell" if cell else "fill in the time or remove the row"
        yield Finding(line, "TIME-FORMAT", what, hint)


def _with_time_hint(found: list[Finding], text: str, names: list[str], form: CsvFormat, roles: Roles) -> list[Finding]:
    """Look at the whole column for a format that reads it."""
    place = names.index(str(roles.time))
    rows = (row for _, row in islice(_records(text, form), 1, None) if len(row) == len(names))
    remark, hint = time_formats.hint([cell for row in rows if (cell := row[place].strip(BLANKS))])
    return [
        f._replace(what=f.what + remark, hint=hint) if f.code == "TIME-FORMAT" and "empty" not in f.what else f
        for f in found
    ]


# --- no faults: what the cells say -----------------------------------------------------------------


def _columns(text: str, header: list[str], names: list[str], form: CsvFormat, roles: Roles, repair: Repair) -> Columns:
    def column(name: str) -> Iterator[str]:
        place = names.index(name)
        return (row[place].strip(BLANKS) for _, row in islice(_records(text, form), 1, None))

    values, cleaned = [], []
    for name in roles.numbers:
        said = np.array([number_cells.one(cell, form) for cell in column(name)])  # (rows, 2)
        values.append(said[:, 0])
        cleaned.append(np.flatnonzero(said[:, 1]))
    at = np.array([line for line, _ in islice(_records(text, form), 1, None)], np.int64)
    classes: tuple[str, ...] = ()
    if roles.target_is_class:
        places, classes = _encoded(column(roles.target))
        values.insert(0, places)
    series, series_names = (np.zeros(len(at)), ()) if roles.series is None else _encoded(column(roles.series))
    return Columns(
        tuple(header),
        None if roles.time is None else _times(column(roles.time), roles.time_format),
        np.array(values).T,
        classes,
        series.astype(np.int32),
        series_names or ("",),
        np.concatenate(cleaned) if cleaned else np.zeros(0, np.int64),
        all(c == str(i) for i, c in enumerate(column(names[0]))) if roles.counts_rows(names) else None,
        lambda: at,
    )


def _times(cells: Iterator[str], pattern: str) -> time_cells.Written:
    return time_cells.written(time_cells.one(cell, pattern) for cell in cells)


def _encoded(cells: Iterator[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Texts -> (rows,) the place of each among the different ones, nan where it is empty; and those."""
    found: dict[str, int] = {}
    places = [found.setdefault(cell, len(found)) if cell else np.nan for cell in cells]
    return np.array(places, np.float64), tuple(found)

"""How a file writes its numbers: one definition for the fast reader and the slow one."""

import functools
import re
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lookback.data.csv.format import CsvFormat
from lookback.data.findings import override
from lookback.settings import CHARACTER

EMPTY = ("", "NA", "NaN", "nan")
BLANKS = " \t"
BEYOND = 2.0**63  # a whole number from here on is no measurement


class NeedsSlowReader(Exception):
    """The fast reader cannot vouch for something: the slow one decides."""


def pattern(form: CsvFormat) -> str:
    """A regular expression, the same in Python and in RE2, for what is a number in this file."""
    return compiled(CHARACTER[form.decimal], CHARACTER[form.thousands]).pattern


@functools.cache
def compiled(point: str, thousands: str) -> re.Pattern[str]:
    """A whole cell that is a number, written with this decimal point and these thousands ("": none)."""
    point, thousands = re.escape(point), re.escape(thousands)
    whole = f"(?:[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+|[0-9]+)" if thousands else "[0-9]+"
    return re.compile(rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?")


def _is_number(bare: str, form: CsvFormat) -> bool:
    return compiled(CHARACTER[form.decimal], CHARACTER[form.thousands]).fullmatch(bare) is not None


def written_plainly(form: CsvFormat) -> bool:
    """Whether the fast reader can take the cells as they are."""
    return form.thousands == "none" and not form.strip


def many(cells: pa.ChunkedArray, form: CsvFormat) -> tuple[pa.ChunkedArray, np.ndarray]:
    """Cells -> float64 with nulls where they are empty, and the rows where characters were taken away.

    Raises:
        NeedsSlowReader, pa.ArrowInvalid: a cell is no number.
    """
    trimmed = pc.utf8_trim(cells, characters=BLANKS)
    bare = pc.utf8_trim(cells, characters=BLANKS + form.strip)
    cleaned = np.flatnonzero(pc.not_equal(trimmed, bare).to_numpy())
    bare = pc.if_else(pc.is_in(bare, pa.array(EMPTY)), None, bare)
    if pc.all(pc.match_substring_regex(bare, rf"\A(?:{pattern(form)})\z")).as_py() is False:
        raise NeedsSlowReader("a cell is no number")
    if form.thousands != "none":
        bare = pc.replace_substring(bare, CHARACTER[form.thousands], "")
    if form.decimal != "point":
        bare = pc.replace_substring(bare, CHARACTER[form.decimal], ".")
    return bare.cast(pa.float64()), cleaned


def one(cell: str, form: CsvFormat) -> tuple[float, bool]:
    """The number in a cell without a fault (nan: empty), and whether characters were taken away."""
    bare = cell.strip(BLANKS + form.strip)
    cleaned = bare != cell.strip(BLANKS)
    if bare in EMPTY:
        return float("nan"), cleaned
    if form.thousands != "none":
        bare = bare.replace(CHARACTER[form.thousands], "")
    return float(bare.replace(CHARACTER[form.decimal], ".")), cleaned


def fault(cell: str, form: CsvFormat) -> tuple[str, str, str] | None:
    """(code, what is wrong, hint) of a cell that should be a finite number, or None. Empty is no fault here."""
    bare = cell.strip(BLANKS + form.strip)
    if bare in EMPTY:
        return None
    if _is_number(bare, form):
        size = abs(one(cell, form)[0])
        if size == float("inf"):
            return "CSV-INFINITE", f"{cell!r} is too large for a number", "correct the cell"
        if size >= BEYOND and re.fullmatch("[+-]?[0-9]+", bare):
            return "CSV-INTEGER", f"{cell!r} is a whole number beyond 2^63: an identifier?", "name another column"
        return None
    if bare.lower().lstrip("+-") in ("inf", "infinity"):
        return "CSV-INFINITE", f"{cell!r} is not a finite number", "correct the cell"
    return _no_number(cell, bare, form)


def _no_number(cell: str, bare: str, form: CsvFormat) -> tuple[str, str, str]:
    no = f"{cell!r} is not a number"
    if form.decimal == "point" and re.fullmatch(r"[+-]?(\d+,\d{1,2}|\d{4,},\d+|\d+,\d{4,}|0,\d+)", bare, re.ASCII):
        return "CSV-DECIMAL", f"{no} (decimal comma?)", _with_comma(form, "")
    if form.decimal == "point" and re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+", bare, re.ASCII):
        return "CSV-DECIMAL", f"{no} (decimal comma?)", _with_comma(form, " task.thousands=point")
    if form.decimal == "comma" and re.fullmatch(r"[+-]?[0-9]*\.[0-9]+", bare) and not _grouped(bare, ".", form):
        return "CSV-DECIMAL", f"{no} (decimal point?)", "set task.decimal=point"
    for name in ("comma", "point", "space", "underscore"):
        if form.thousands == "none" and name != form.decimal and _grouped(bare, CHARACTER[name], form):
            return "CSV-THOUSANDS", f"{no} (thousands?)", f"set task.thousands={name}"
    return "CSV-NUMBER", f"{no}{_odd(bare)}", _strip(bare, form) or "correct the cell"


def _with_comma(form: CsvFormat, thousands: str) -> str:
    if form.delimiter == "comma":
        return "write it with a decimal point, or part the fields by semicolons"
    return f"set task.decimal=comma{thousands or ' task.thousands=none' * (form.thousands == 'comma')}"


def _grouped(bare: str, mark: str, form: CsvFormat) -> bool:
    point, mark = re.escape(CHARACTER[form.decimal]), re.escape(mark)
    return bool(re.fullmatch(rf"[+-]?[0-9]{{1,3}}({mark}[0-9]{{3}})+({point}[0-9]*)?", bare))


def _odd(cell: str) -> str:
    odd = next((c for c in cell if not c.isascii()), None)
    return f" (it holds U+{ord(odd):04X} {unicodedata.name(odd, 'unnamed')})" if odd else ""


def _strip(bare: str, form: CsvFormat) -> str:
    """The hint where a number only has marks around it: ?0.2, $5, 5%, 5*."""
    inner = bare.strip("?*$%€£~<>=!")
    marks = "".join(sorted(set(bare) - set(inner) | set(form.strip)))
    return f"set {override('task.strip', marks)}" if inner != bare and _is_number(inner, form) else ""

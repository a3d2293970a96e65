"""Which pattern of strptime a column of times is written in, where the one that was said is not it."""

import re
from collections.abc import Iterable
from datetime import datetime

from lookback.data.findings import override
from lookback.data.numbers import BLANKS
from lookback.settings import UNIX

# Patterns that a column may have, the likelier first.
_DATES = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m.%d.%Y", "%Y/%m/%d", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y",
    "%Y%m%d",
)  # fmt: skip
_MONTHS = (
    "%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%Y", "%b %Y", "%B %Y", "%b-%Y", "%Y %b", "%Y-%b", "%d %b %Y", "%d %B %Y",
    "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_FORMATS = (
    *_DATES,
    *_MONTHS,
    *(
        f"{date}{mark}{clock}{zone}"
        for date in _DATES
        for mark in " T"
        for clock in _CLOCKS
        for zone in ("", "%z", " %z")
    ),
)


def formats_that_read(cells: Iterable[str]) -> list[str]:
    """Every known pattern that reads all of these cells, the likelier first; `unix` for seconds since 1970."""
    cells = [c.strip(BLANKS) for c in cells]
    if not cells:
        return []
    if all(re.fullmatch("[0-9]{9,10}", c) for c in cells):
        return [UNIX]
    left = list(_FORMATS)
    for cell in cells:
        left = [p for p in left if _reads(cell, p)]
    return left


def hint(cells: list[str]) -> tuple[str, str]:
    """(remark, hint) for a column of which a cell is no time of the form that was said."""
    found, steps = formats_that_read(cells), "or set task.time=null task.freq=step (rows are steps)"
    if len(found) > 1 and {found[0][:2], found[1][:2]} == {"%d", "%m"}:
        either = (override("task.time_format", p) for p in found[:2])
        return " (ambiguous: day or month first?)", f"set {' or '.join(either)}"
    if found:
        return "", f"set {override('task.time_format', found[0])}"
    if cells and all(re.fullmatch("[0-9]{12,19}", c) for c in cells):
        return " (parts of a second since 1970?)", f"write whole seconds and set task.time_format=unix, {steps}"
    if cells and all(re.fullmatch("([0-9]{1,2}[-/.]){1,2}[0-9]{1,2}", c) for c in cells):
        return " (a year of one or two digits has no century)", f"write years in full, {steps}"
    return "", "set task.time_format, or correct the cell"


def _reads(cell: str, pattern: str) -> bool:
    if pattern.startswith("%Y%m%d") and not re.match("[0-9]{8}", cell):
        return False  # 202011 is no 2020-01-01
    try:
        datetime.strptime(cell, pattern)
    except ValueError:
        return False
    return True

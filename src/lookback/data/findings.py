"""What is wrong with a file: every fault with its place and its hint, in one line or one by one."""

import difflib
import re
from collections.abc import Sequence
from typing import NamedTuple

from lookback.errors import DataError

_SHOWN = 5


class Finding(NamedTuple):
    """One fault of a file: the line it stands on, its code, what is wrong, and what to do about it."""

    line: int
    code: str
    what: str
    hint: str


class FileFaults(DataError):
    """All that is wrong with a file. Its text tells the first five, `findings` holds every one."""

    def __init__(self, code: str, message: str, path: str = "", findings: tuple[Finding, ...] = ()):
        super().__init__(code, message)
        self.path, self.findings = path, findings


def refusal(path: str, findings: Sequence[Finding]) -> FileFaults:
    """The error for these faults: the first five, how many more there are, and each hint once."""
    found = tuple(findings)
    told = [f.what if i == 0 else f"line {f.line}: {f.what}" for i, f in enumerate(found[:_SHOWN])]
    if len(found) > _SHOWN:
        told.append(f"and {len(found) - _SHOWN} more")
    told += dict.fromkeys(f.hint for f in found[:_SHOWN])
    return FileFaults(found[0].code, f"{path}:{found[0].line}: {'; '.join(told)}", path, found)


def each(error: FileFaults) -> list[DataError]:
    """One error for every fault."""
    return [DataError(f.code, f"{error.path}:{f.line}: {f.what}; {f.hint}") for f in error.findings]


def override(key: str, value: str) -> str:
    """`key=value` as it is typed: quoted for the shell and for the configuration where that is needed."""
    if re.fullmatch(r"[\w./%:+-]+", value, re.ASCII):
        return f"{key}={value}"
    return f"\"{key}='{value}'\""


def column_faults(line: int, name: str, names: list[str], hint: str) -> list[Finding]:
    """The fault of a requested column: the header names it more than once, or not at all.

    Args:
        hint: what to do about one that is not there.
    """
    if names.count(name) > 1:
        places = [i + 1 for i, n in enumerate(names) if n == name]
        what = f"column {name!r} stands {len(places)} times (fields {places})"
        return [Finding(line, "CSV-HEADER", what, "rename all but one")]
    if name not in names:
        there = ", ".join(n or "(blank)" for n in names[:20]) + (" ..." if len(names) > 20 else "")
        return [Finding(line, "CSV-COLUMN", f"no column {name!r}; the columns are {there}", hint)]
    return []


def closest(name: str, names: Sequence[str], taken: Sequence[str]) -> str:
    """The column that was perhaps meant, of those that are not taken; empty where none looks like it."""
    free = {n.lower(): n for n in names if n and n not in taken}
    close = difflib.get_close_matches(name.lower(), list(free), 1, 0.5)
    return free[close[0]] if close else ""

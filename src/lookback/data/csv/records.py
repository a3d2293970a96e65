"""The cells of a CSV as RFC 4180 reads them, and the line that each record begins on."""

import csv
import io
from collections.abc import Iterator

LONGEST_CELL = 131_072  # characters
csv.field_size_limit(LONGEST_CELL)


class MalformedCsv(Exception):
    """From here on the text cannot be divided into cells."""

    def __init__(self, line: int, why: str):
        super().__init__(why)
        self.line = line


class _Lines:
    """The lines of a text, numbered; comments between records are passed over."""

    def __init__(self, text: str, comments: bool):
        self._lines = io.StringIO(text, newline="")
        self._comments = comments
        self._quoted = False  # inside a quoted cell, where a # is a #
        self.number = self.read = self.began = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.read += len(line)
        if self._comments and not self._quoted and line.startswith("#"):
            return next(self)
        self.began = self.began or self.number
        self._quoted ^= line.count('"') % 2 == 1
        return line


def records(text: str, delimiter: str, comments: bool) -> Iterator[tuple[int, int, list[str]]]:
    """(line, characters read so far, cells) of every record that is not blank.

    Args:
        text: line ends may be LF, CR LF or CR.
        delimiter: one character.
        comments: lines that begin with # are left out.

    Raises:
        MalformedCsv: a quote without its other end, text behind a closing quote, a cell beyond all measure.
    """
    lines = _Lines(text, comments)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != " ", strict=True)
    while True:
        lines.began = 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as e:
            raise MalformedCsv(lines.began, _why(str(e), lines.number > lines.began)) from None
        if cells:
            yield lines.began, lines.read, cells


def _why(said: str, several_lines: bool) -> str:
    if "unexpected end" in said or ("field limit" in said and several_lines):
        return "a quote is opened here and never closed; close it"
    if "field limit" in said:
        return f"a cell is longer than {LONGEST_CELL:,} characters; correct the cell"
    return "text stands behind a closing quote; double the quotes inside a cell, or correct the cell"

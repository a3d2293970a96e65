"""A quick look at a CSV: its header and some of its rows, in a moment however long it is."""

import contextlib
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from lookback.data.files import read_body
from lookback.errors import DataError
from lookback.settings import CHARACTER

_PIECE = 1 << 18  # bytes
_PIECES = 16
_TOP = 20  # lines
_DELIMITERS = ("comma", "semicolon", "tab", "pipe", "space")


@dataclass(frozen=True)
class Sniffed:
    """What was seen.

    Attributes:
        header: the names of the columns.
        delimiter: its name, as in `task.delimiter`.
        rows: the cells of the rows that have as many as the header, in the file's order.
        pieces: (rows,) which piece of the file each stands in. Between two pieces rows were passed over.
        total: rows in the file; about, if not `whole`.
        whole: nothing was passed over.
        top: the first lines of the file, as they stand.
    """

    header: tuple[str, ...]
    delimiter: str
    rows: list[list[str]]
    pieces: np.ndarray
    total: int
    whole: bool
    top: tuple[str, ...]

    def cells(self, column: str) -> "pd.Series[str]":
        """(rows,) of a column, without the blanks around them."""
        place = self.header.index(column)
        return pd.Series([row[place].strip() for row in self.rows], dtype=str)

    def line_of(self, cell: str) -> int | None:
        """Which of the first lines, the header left out, holds this cell; None where none does."""
        for number, line in enumerate(self.top[1:], 2):
            if any(cell in [c.strip(' "') for c in line.split(CHARACTER[name])] for name in _DELIMITERS):
                return number
        return None

    @property
    def decimal(self) -> str:
        """What parts the whole from the rest in the first rows, as in `task.decimal`."""
        cells = [cell.strip() for row in self.rows[:1000] for cell in row]
        commas, points = (sum(bool(re.fullmatch(rf"[+-]?\d+{mark}\d+", c)) for c in cells) for mark in (",", r"\."))
        return "comma" if commas > points and self.delimiter != "comma" else "point"


def sniff(path: Path, task: dict[str, Any]) -> Sniffed:
    """Look at a file: all of it up to 4 MiB, else sixteen pieces from its beginning to its end.

    Args:
        task: how the file is written, as far as that is known. Where `delimiter` is not, it is the one
            that finds `target` in the header, or the most columns.

    Raises:
        LookbackError: one line: it is not there, is empty, is no text.
    """
    texts, share = _texts(path, task)
    comments = task["comment"] == "hash"
    lines = [[line for line in text.splitlines() if line and not (comments and line[0] == "#")] for text in texts]
    if not lines[0]:
        raise DataError("CSV-EMPTY", f"{task['path']}: the file holds no line")
    found = task["delimiter"] or _delimiter(lines[0], task["target"])
    pieces = [_records(piece, found) for piece in lines]
    if not pieces[0]:
        raise DataError("CSV-QUOTE", f"{task['path']}:1: a quote is opened here and never closed; close it")
    header = tuple(name.strip() for name in pieces[0].pop(0))
    kept = [[row for row in piece if len(row) == len(header)] for piece in pieces]
    rows = [row for piece in kept for row in piece]
    places = np.repeat(np.arange(len(kept)), [len(piece) for piece in kept])
    top = tuple(texts[0].splitlines()[:_TOP])
    return Sniffed(header, found, rows, places, round(len(rows) / share), share == 1, top)


def _texts(path: Path, task: dict[str, Any]) -> tuple[list[str], float]:
    """Pieces of the file, each of whole lines, and their share of it."""
    if path.is_file() and path.suffix != ".gz" and path.stat().st_size > _PIECE * _PIECES:
        with path.open("rb") as file, contextlib.suppress(UnicodeError, LookupError):
            pieces = _pieces(file, path.stat().st_size)
            if "\n".encode(task["encoding"]) == b"\n" and all(pieces) and b"\0" not in pieces[0]:
                texts = [piece.decode(task["encoding"]) for piece in pieces]
                return [texts[0].removeprefix("\ufeff"), *texts[1:]], sum(map(len, pieces)) / path.stat().st_size
    body, _ = read_body(path, task["path"], task["encoding"], task["max_megabytes"], "")
    pieces = _pieces(io.BytesIO(body), len(body)) if len(body) > _PIECE * _PIECES else [body]
    return [piece.decode("utf-8") for piece in pieces], sum(map(len, pieces)) / len(body)


def _pieces(file: BinaryIO, size: int) -> list[bytes]:
    """Whole lines from as many places, the beginning and the end among them."""
    found = []
    for i in range(_PIECES):
        file.seek(i * (size - _PIECE) // (_PIECES - 1))
        piece = file.read(_PIECE)
        found.append(piece[piece.find(b"\n") + 1 if i else 0 : piece.rfind(b"\n") + 1])
    return found


def _delimiter(lines: list[str], target: str | None) -> str:
    def promise(name: str) -> tuple[bool, bool, int]:
        header = [cell.strip() for cell in (_records(lines[:1], name) or [[]])[0]]
        return target in header, len(header) > 1 and name != "space", len(header)

    return max(_DELIMITERS, key=promise)


def _records(lines: list[str], delimiter: str) -> list[list[str]]:
    """The cells of each line, as far as they can be divided: a quote may be open to the end."""
    character, found = CHARACTER[delimiter], list[list[str]]()
    with contextlib.suppress(csv.Error):
        found.extend(csv.reader(lines, delimiter=character, skipinitialspace=character != " "))
    return found

"""Cells of a time column -> times: fast where every cell has one width, one by one elsewhere."""

import functools
import re
from array import array
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lookback.data.csv.number_cells import BLANKS, NeedsSlowReader
from lookback.settings import UNIX

_EPOCH = datetime(1970, 1, 1)
_LAST = 253_402_300_800  # seconds from 1970 to the year 10000
_FIRST = -62_135_596_800  # and to the year 1
_WIDTHS = {"%Y": (0, 4), "%m": (5, 2), "%d": (8, 2), "%H": (11, 2), "%M": (14, 2), "%S": (17, 2)}  # place in ISO 8601
_ISO = np.frombuffer(b"0001-01-01 00:00:00", np.uint8)


class Written(NamedTuple):
    """Times as a file writes them.

    `clock` (rows,) datetime64: what the clock shows. `offset` (rows,) int64: its seconds east of UTC,
    where the file says so.
    """

    clock: np.ndarray
    offset: np.ndarray | None


class _Layout(NamedTuple):
    """Where the digits of a format of fixed width stand: (place in ISO 8601, place in the cell, digits)."""

    width: int
    digits: tuple[tuple[int, int, int], ...]
    marks: tuple[tuple[int, int], ...]  # (place, character) of everything else

    @property
    def iso(self) -> bool:
        """Whether the cells are ISO 8601 already."""
        marks = all(_ISO[place] == mark or (place, mark) == (10, ord("T")) for place, mark in self.marks)
        return self.width in (10, 16, 19) and marks and all(iso == place for iso, place, _ in self.digits)


def many(cells: pa.ChunkedArray, pattern: str) -> Written:
    """Parse a column.

    Raises:
        NeedsSlowReader, ValueError, pa.ArrowInvalid: a cell is no time of this form.
    """
    if pattern == UNIX:
        return _unix(cells)
    body, zoned = pattern.removesuffix("%z"), pattern.endswith("%z")
    layout = _layout(body)
    if layout is None:
        return _distinct(cells, pattern)
    try:
        return _fixed(cells, layout, zoned)
    except (NeedsSlowReader, pa.ArrowInvalid):
        padded = pc.utf8_trim(cells, characters=BLANKS)
        if not zoned:  # 1/2/2020 is 01/02/2020
            padded = pc.replace_substring_regex(padded, r"\b([0-9])\b", r"0\1")
        return _fixed(padded, layout, zoned)


def one(cell: str, pattern: str) -> tuple[datetime, int | None]:
    """The clock time in a cell, and its seconds east of UTC where it says so.

    Raises:
        ValueError: it is no time of this form.
    """
    cell = cell.strip(BLANKS)
    if pattern == UNIX:
        if not re.fullmatch("[+-]?[0-9]+", cell) or not _FIRST <= int(cell) < _LAST:
            raise ValueError(cell)
        return _EPOCH + timedelta(seconds=int(cell)), 0
    plain = _plain(pattern)
    if plain and (found := plain.fullmatch(cell)):  # as strptime would, five times as fast
        year, month, day, hour, minute, second = (*map(int, found.groups()), 0, 0, 0)[:6]
        return datetime(year, month, day, hour, minute, second), None
    time = datetime.strptime(cell, pattern)
    offset = time.utcoffset()
    return time.replace(tzinfo=None), None if offset is None else round(offset.total_seconds())


@functools.cache
def _plain(pattern: str) -> re.Pattern[str] | None:
    """A year, a month, a day and what follows, in this order: %Y-%m-%d %H:%M:%S and its beginnings."""
    names = re.findall("%(.)", pattern)
    if len(names) < 3 or names != list("YmdHMS")[: len(names)]:
        return None
    parts = [_WIDTHS[t][1] if t in _WIDTHS else t for t in re.findall("%.|[^%]", pattern)]
    return re.compile("".join(f"([0-9]{{{p}}})" if isinstance(p, int) else re.escape(p) for p in parts))


def written(times: Iterable[tuple[datetime, int | None]]) -> Written:
    """The same of many times."""
    ticks, offsets = array("q"), array("q")
    for time, offset in times:
        ticks.append((time - _EPOCH) // timedelta(microseconds=1))
        if offset is not None:
            offsets.append(offset)
    clock = np.array(ticks).astype("M8[us]")
    whole = not (np.array(ticks) % 1_000_000).any()
    return Written(clock.astype("M8[s]") if whole else clock, np.array(offsets) if offsets else None)


def _layout(pattern: str) -> _Layout | None:
    digits, marks, place = [], [], 0
    for token in re.findall(r"%.|[^%]", pattern):
        if token in _WIDTHS:
            iso, width = _WIDTHS[token]
            digits.append((iso, place, width))
            place += width
        elif token.startswith("%") or not token.isascii():
            return None
        else:
            marks.append((place, ord(token)))
            place += 1
    return _Layout(place, tuple(digits), tuple(marks)) if _WIDTHS["%Y"][0] in {d[0] for d in digits} else None


def _fixed(cells: pa.ChunkedArray, layout: _Layout, zoned: bool) -> Written:
    offset = None
    if zoned:
        offset = _offsets(pc.binary_slice(cells.cast(pa.binary()), layout.width).cast(pa.string()))
        cells = pc.binary_slice(cells.cast(pa.binary()), 0, layout.width).cast(pa.string())
    clock = np.empty(len(cells), "M8[s]")
    ends = np.cumsum([len(chunk) for chunk in cells.chunks])

    def parse(chunk: pa.StringArray, end: int) -> None:
        clock[end - len(chunk) : end] = _iso(chunk, layout).cast(pa.timestamp("s")).to_numpy()

    with ThreadPoolExecutor(2) as two:  # Arrow lets go of the interpreter while it parses
        list(two.map(parse, cells.chunks, ends))
    if len(clock) and clock.min().astype(np.int64) < _FIRST:
        raise NeedsSlowReader("the year 0")
    return Written(clock, offset)


def _iso(cells: pa.StringArray, layout: _Layout) -> pa.StringArray:
    """The same times as YYYY-MM-DD hh:mm:ss, which Arrow parses strictly."""
    rows, width = len(cells), layout.width
    _, where, data = cells.buffers()
    edges = np.frombuffer(where, np.int32)[cells.offset : cells.offset + rows + 1]
    if edges[-1] - edges[0] != rows * width or (np.diff(edges) != width).any():
        raise NeedsSlowReader("times of several widths")
    text = np.frombuffer(data, np.uint8)[edges[0] : edges[-1]].reshape(rows, width)
    if any((text[:, place] != mark).any() for place, mark in layout.marks):
        raise NeedsSlowReader("another mark between the digits")
    if layout.iso:
        return cells
    iso = np.tile(_ISO, (rows, 1))
    for to, place, digits in layout.digits:
        iso[:, to : to + digits] = text[:, place : place + digits]
    ends = np.arange(0, iso.size + 1, iso.shape[1], dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(ends), pa.py_buffer(iso))


def _offsets(suffixes: pa.ChunkedArray) -> np.ndarray:
    """Z, +0100 or +01:00 -> seconds."""
    codes = pc.dictionary_encode(suffixes).combine_chunks()
    seconds = [one(f"2000{s}", "%Y%z")[1] for s in codes.dictionary.to_pylist()]
    return np.array(seconds, np.int64)[codes.indices.to_numpy()]


def _distinct(cells: pa.ChunkedArray, pattern: str) -> Written:
    codes = pc.dictionary_encode(cells).combine_chunks()
    found = written(one(cell, pattern) for cell in codes.dictionary.to_pylist())
    rows = codes.indices.to_numpy()
    return Written(found.clock[rows], None if found.offset is None else found.offset[rows])


def _unix(cells: pa.ChunkedArray) -> Written:
    if pc.all(pc.match_substring_regex(cells, r"\A[+-]?[0-9]+\z")).as_py() is False:
        raise NeedsSlowReader("not seconds")
    seconds = cells.cast(pa.int64()).to_numpy()
    if len(seconds) and not _FIRST <= seconds.min() <= seconds.max() < _LAST:
        raise NeedsSlowReader("beyond the year 9999")
    return Written(seconds.astype("M8[s]"), np.zeros(len(seconds), np.int64))

"""A CSV of rows in time -> a `Series`, or one line that says where it is wrong and how to fix it.

Two readers. The fast one (`columns.py`) takes a clean file. Where it cannot vouch for something, the
slow one (`faults.py`) goes through the file record by record and says what is wrong, or reads what
the fast one would not: a wrong file is never half-believed.
"""

import zoneinfo
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lookback.data import columns, faults, files, gaps, outliers, tidy
from lookback.data.cells import Torn
from lookback.data.columns import Columns
from lookback.data.findings import Finding, refusal
from lookback.data.numbers import NotPlain
from lookback.data.tidy import Rows, Told, when
from lookback.errors import ConfigError, DataError, MissingFile
from lookback.settings import CHARACTER, SeriesTask
from lookback.wording import count, some


@dataclass(frozen=True)
class Block:
    """The rows `start .. stop` of one series, and the (start, stop) of its unbroken segments."""

    name: str
    start: int
    stop: int
    segments: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Series:
    """Rows, series after series, each in time order.

    Attributes:
        times: (rows,) when: dates, or step numbers where the file has none.
        numbers: (rows, columns) float64 in the file's units: target (unless it is names), past, known.
        classes: (rows,) str, the target where it is names; None where it is a number.
        blocks: the series; one without a name where there is no `task.series`.
        digest: SHA-256 of the file, unpacked.
        notes: what was done to the rows, in words.
        facts: what a card of the data shows, name -> value: file, rows read, rows, first, last, and where there
            are any, series, gaps, filled.
    """

    times: pd.Index
    numbers: np.ndarray
    classes: np.ndarray | None
    blocks: tuple[Block, ...]
    digest: str
    notes: tuple[str, ...]
    facts: dict[str, str]


def read(task: SeriesTask, root: Path) -> Series:
    """Read the columns that `task` names.

    Args:
        task: the settings; `task.path` is relative to `root`, or, with `task.source`, a file of it.

    Raises:
        MissingFile: no such file.
        DataError: anything else that is wrong with it; a `FileFaults` where it has places.
        ConfigError: no such time zone, or no such source.
    """
    path, name = _locate(task, root)
    _check_zone(task)
    body, digest = files.read_body(path, name, task.encoding, task.max_megabytes, CHARACTER[task.delimiter])
    if task.skip_footer:
        body = files.without_footer(body, task.skip_footer)
    found = _columns(name, body, task)
    told = Told(name, found.names, found.lines)
    told.facts |= {"file": name, "rows read": f"{len(found.series):,}"}
    told.notes += _remarks(found, body, task)
    rows = _tidied(found, task, told)
    if not len(rows):
        raise DataError("CSV-ROWS", f"{name}: no row is left once those with empty cells are dropped; correct the file")
    rows, segments = gaps.without_gaps(rows, task, told)
    rows = gaps.filled(rows, task, told)
    told.facts |= {"rows": f"{len(rows):,}", "first": when(rows.times.min()), "last": when(rows.times.max())}
    return Series(
        rows.times, rows.numbers, rows.classes, _blocks(rows, segments, told), digest, tuple(told.notes), told.facts
    )


def _locate(task: SeriesTask, root: Path) -> tuple[Path, str]:
    """Where the file is, and what it is called in messages."""
    if task.source is None:
        if "://" in task.path:
            raise MissingFile("FILE-LOCAL", f"{task.path}: only local files are read; download it first")
        return root / task.path, task.path
    from lookback.data.sources import fetch

    return fetch(task.source, task.path, root), f"{task.source}/{task.path}"


def _columns(name: str, body: bytes, task: SeriesTask) -> Columns:
    try:
        return columns.fast(body, task)
    except (NotPlain, Torn, ValueError, StopIteration, pa.ArrowException):
        return faults.read(name, body, task)


def _tidied(found: Columns, task: SeriesTask, told: Told) -> Rows:
    names = columns.number_columns(task)
    rows = Rows(_times(found, task, told), found.numbers, found.classes, found.series, None)
    rows = gaps.without_sentinels(rows, names, task, told)
    told.notes += outliers.notes(rows.numbers, names)
    rows = tidy.in_order(rows, task, told)
    rows = tidy.without_duplicates(rows, task, told)
    rows = tidy.thinned(rows, task, told)
    return gaps.without_empty_rows(rows, names, task, told)


def _blocks(rows: Rows, segments: gaps.Segments, told: Told) -> tuple[Block, ...]:
    blocks = []
    for start, stop in pairwise(map(int, rows.edges)):
        inside = tuple((a, b) for a, b in segments if start <= a < stop)
        blocks.append(Block(told.names[rows.series[start]], start, stop, inside))
    if len(blocks) > 1:
        told.facts["series"] = f"{len(blocks)}: {some([b.name for b in blocks], len(blocks))}"
    return tuple(blocks)


# --- when the rows are ------------------------------------------------------------------------------


def _check_zone(task: SeriesTask) -> None:
    zones = zoneinfo.available_timezones()
    if task.timezone is not None and task.timezone not in zones:
        near = sorted(z for z in zones if z.rsplit("/", 1)[-1].lower() == task.timezone.lower())
        hint = f"set task.timezone={near[0] if near else 'UTC, or a zone such as Europe/Berlin'}"
        raise ConfigError("CONFIG-VALUE", f"task.timezone: got {task.timezone!r}, no zone of that name; {hint}")


def _times(found: Columns, task: SeriesTask, told: Told) -> pd.Index:
    """Dates on the clock that the task asks for; steps, counted in each series, where the file has none."""
    if found.times is None:
        order = np.argsort(found.series, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(found.series))[:-1]])
        steps = np.empty(len(order), np.int64)
        steps[order] = np.arange(len(order)) - starts[found.series[order]]
        return pd.Index(steps)
    clock, offset = found.times
    if offset is not None and task.timezone is not None:
        instants = pd.DatetimeIndex(clock - offset.astype("m8[s]"))
        times = instants.tz_localize("UTC").tz_convert(task.timezone)
    elif task.timezone is not None:
        times = _on_clock(pd.DatetimeIndex(clock), task, told)
    elif offset is not None and (offset != offset[0]).any():
        raise refusal(told.path, _offset_changes(offset, clock, task, told))
    else:
        times = pd.DatetimeIndex(clock, copy=False)
    if "%y" in task.time_format and times.max().year > datetime.now().year + 10:
        latest = times.max().year
        what = f"column {task.time!r}: two-digit years, read up to {latest}: nobody knows the century"
        raise refusal(
            told.path, [Finding(int(told.lines()[times.argmax()]), "TIME-CENTURY", what, "write years in full")]
        )
    return times


def _on_clock(clock: pd.DatetimeIndex, task: SeriesTask, told: Told) -> pd.DatetimeIndex:
    """Local times, put on the line of time where they are there, and there once."""
    times = clock.tz_localize(task.timezone, ambiguous="NaT", nonexistent="NaT")
    if not times.hasnans:
        return times
    which = np.flatnonzero(times.isna())
    twice = clock[which].tz_localize(task.timezone, ambiguous="NaT", nonexistent="shift_forward").isna()
    hint = "write the times with their offset (time_format %z) or in UTC, or set "
    hint += "task.timezone=null task.duplicates=mean task.gaps=fill"
    raise refusal(
        told.path,
        [
            Finding(
                int(line),
                "TIME-CLOCK",
                f"column {task.time!r}: {clock[i]} {'comes twice' if again else 'does not come'} on the clock of "
                f"{task.timezone} (summer time)",
                hint,
            )
            for i, again, line in zip(which, twice, told.lines()[which], strict=True)
        ],
    )


def _offset_changes(offset: np.ndarray, clock: np.ndarray, task: SeriesTask, told: Told) -> list[Finding]:
    which = np.flatnonzero(np.diff(offset)) + 1
    hours = [f"{o / 3600:+g} h" for o in offset]
    hint = "set task.timezone=UTC, or the zone of the place, such as task.timezone=Europe/Berlin"
    return [
        Finding(
            int(line),
            "TIME-OFFSET",
            f"column {task.time!r}: {pd.Timestamp(clock[i])} is {hours[i]} from UTC, the row before {hours[i - 1]}",
            hint,
        )
        for i, line in zip(which, told.lines()[which], strict=True)
    ]


# --- what to say of a file that is accepted -----------------------------------------------------------


def _remarks(found: Columns, body: bytes, task: SeriesTask) -> list[str]:
    names = [name.strip() for name in found.header]
    notes = []
    if spaced := [name for name in found.header if name != name.strip() and name.strip() in columns.named(task)]:
        notes.append(f"column names read without the blanks around them: {', '.join(map(repr, spaced))}")
    blank = names.count("") - (found.counted is not None)
    if blank:
        notes.append(f"{count(blank, 'column')} without a name not read")
    if found.counted is False:
        notes.append(
            "the first column, without a name, does not count the rows one by one; they are taken as they stand"
        )
    if twice := sorted({n for n in names if n and names.count(n) > 1}):
        notes.append(f"columns of one name not read: {', '.join(twice)}")
    if task.source is None and not task.skip_footer and not body.endswith((b"\n", b"\r")):
        notes.append("the last line has no line end: if the file was cut there, its last number is wrong")
    if len(found.cleaned):
        lines = found.lines()[np.unique(found.cleaned)]
        cells = count(len(found.cleaned), "cell")
        notes.append(f"{cells} cleaned of {task.strip!r}: line {some(lines.tolist(), len(lines))}")
    return notes

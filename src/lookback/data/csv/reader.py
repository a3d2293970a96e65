"""A CSV of rows in time -> a `Series`, or one line that says where it is wrong and how to fix it.

Two readers. The fast one (`fast.py`) takes a clean file. Where it cannot vouch for something, the
slow one (`diagnostics.py`) goes through the file record by record and says what is wrong, or reads what
the fast one would not: a wrong file is never half-believed.
"""

import zoneinfo
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lookback.data import files
from lookback.data.csv import diagnostics, fast, gaps, order, outliers, planned
from lookback.data.csv.fast import Columns
from lookback.data.csv.format import CsvFormat, Repair, Roles, of
from lookback.data.csv.number_cells import NeedsSlowReader
from lookback.data.csv.planned import Planned
from lookback.data.csv.raw_rows import FileReport, RawRows, when
from lookback.data.csv.records import MalformedCsv
from lookback.data.findings import Finding, refusal
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
        values: (rows, columns) float64 in the file's units: target, past and future covariates. A target of names is
            its place in `classes`.
        classes: the names of the target; empty where it is a number.
        blocks: the series; one without a name where there is no `task.series`.
        digest: SHA-256 of the file, unpacked.
        notes: what was done to the rows, in words.
        facts: what a card of the data shows, name -> value: file, rows read, rows, first, last, and where there
            are any, series, gaps, filled.
    """

    times: pd.Index
    values: np.ndarray
    classes: tuple[str, ...]
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
    return _read(task, root, open_end=False)[0]


def read_open(task: SeriesTask, root: Path) -> tuple[Series, Planned]:
    """The same of a file whose last rows may have no target yet: they say what is planned.

    Raises:
        LookbackError: as `read`.
    """
    return _read(task, root, open_end=True)


def _read(task: SeriesTask, root: Path, open_end: bool) -> tuple[Series, Planned]:
    path, name = _locate(task, root)
    form, roles, repair = of(CsvFormat, task), of(Roles, task), of(Repair, task)
    _check_zone(roles)
    body, digest = files.read_body(path, name, form.encoding, form.max_megabytes, CHARACTER[form.delimiter])
    if form.skip_footer:
        body = files.without_footer(body, form.skip_footer)
    lenient = replace(repair, missing="fill") if open_end else repair  # empty cells are judged once it is known where
    found = _columns(name, body, form, roles, lenient, task.lookback + task.span)
    report = FileReport(name, found.names, found.lines)
    report.facts |= {"file": name, "rows read": f"{len(found.series):,}"}
    report.notes += _remarks(found, form, roles)
    report.notes += _cut_note(body, form) if task.source is None else []
    rows, later = _tidied(found, form, roles, repair, report, open_end)
    if not len(rows):
        raise DataError("CSV-ROWS", f"{name}: no row is left once those with empty cells are dropped; correct the file")
    rows, segments = gaps.without_gaps(rows, roles, repair, report)
    rows = gaps.filled(rows, repair, report)
    report.facts |= {"rows": f"{len(rows):,}", "first": when(rows.times.min()), "last": when(rows.times.max())}
    blocks = _blocks(rows, segments, report)
    return Series(rows.times, rows.values, found.classes, blocks, digest, tuple(report.notes), report.facts), later


def _locate(task: SeriesTask, root: Path) -> tuple[Path, str]:
    """Where the file is, and what it is called in messages."""
    if task.source is None:
        if "://" in task.path:
            raise MissingFile("FILE-LOCAL", f"{task.path}: only local files are read; download it first")
        return files.place(root, task.path), task.path
    from lookback.data.sources import fetch

    return fetch(task.source, task.path, root), f"{task.source}/{task.path}"


def _columns(name: str, body: bytes, form: CsvFormat, roles: Roles, repair: Repair, rows_needed: int) -> Columns:
    try:
        return fast.read(body, form, roles, repair)
    except (NeedsSlowReader, MalformedCsv, ValueError, StopIteration, pa.ArrowException):
        return diagnostics.read(name, body, form, roles, repair, rows_needed)


def _tidied(
    found: Columns, form: CsvFormat, roles: Roles, repair: Repair, report: FileReport, open_end: bool
) -> tuple[RawRows, Planned]:
    rows = RawRows(_times(found, roles, report), found.values, int(roles.target_is_class), found.series, None)
    rows = gaps.without_sentinels(rows, roles.numbers, form.sentinels, report)
    report.notes += outliers.notes(rows.numbers, roles.numbers)
    rows = order.in_order(rows, roles, repair, report)
    rows = order.without_duplicates(rows, roles, repair, report)
    rows = order.thinned(rows, roles, repair, report)
    rows, later = planned.split(rows, roles, report) if open_end else (rows, Planned({}, {}))
    return gaps.without_empty_rows(rows, roles, repair, report), later


def _blocks(rows: RawRows, segments: gaps.Segments, report: FileReport) -> tuple[Block, ...]:
    blocks = []
    for start, stop in pairwise(map(int, rows.edges)):
        inside = tuple((a, b) for a, b in segments if start <= a < stop)
        blocks.append(Block(report.names[rows.series[start]], start, stop, inside))
    if len(blocks) > 1:
        report.facts["series"] = f"{len(blocks)}: {some([b.name for b in blocks], len(blocks))}"
    return tuple(blocks)


# --- when the rows are ------------------------------------------------------------------------------


def _check_zone(roles: Roles) -> None:
    zones = zoneinfo.available_timezones()
    if roles.timezone is not None and roles.timezone not in zones:
        near = sorted(z for z in zones if z.rsplit("/", 1)[-1].lower() == roles.timezone.lower())
        hint = f"set task.timezone={near[0] if near else 'UTC, or a zone such as Europe/Berlin'}"
        raise ConfigError("CONFIG-VALUE", f"task.timezone: got {roles.timezone!r}, no zone of that name; {hint}")


def _times(found: Columns, roles: Roles, report: FileReport) -> pd.Index:
    """Dates on the clock that the task asks for; steps, counted in each series, where the file has none."""
    if found.times is None:
        order = np.argsort(found.series, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(found.series))[:-1]])
        steps = np.empty(len(order), np.int64)
        steps[order] = np.arange(len(order)) - starts[found.series[order]]
        return pd.Index(steps)
    clock, offset = found.times
    if offset is not None and roles.timezone is not None:
        instants = pd.DatetimeIndex(clock - offset.astype("m8[s]"))
        times = instants.tz_localize("UTC").tz_convert(roles.timezone)
    elif roles.timezone is not None:
        times = _on_clock(pd.DatetimeIndex(clock), roles, report)
    elif offset is not None and (offset != offset[0]).any():
        raise refusal(report.path, _offset_changes(offset, clock, roles, report))
    else:
        times = pd.DatetimeIndex(clock, copy=False)
    if "%y" in roles.time_format and times.max().year > datetime.now().year + 10:
        latest = times.max().year
        what = f"column {roles.time!r}: two-digit years, read up to {latest}: nobody knows the century"
        raise refusal(
            report.path, [Finding(int(report.lines()[times.argmax()]), "TIME-CENTURY", what, "write years in full")]
        )
    return times


def _on_clock(clock: pd.DatetimeIndex, roles: Roles, report: FileReport) -> pd.DatetimeIndex:
    """Local times, put on the line of time where they are there, and there once."""
    times = clock.tz_localize(roles.timezone, ambiguous="NaT", nonexistent="NaT")
    if not times.hasnans:
        return times
    which = np.flatnonzero(times.isna())
    twice = clock[which].tz_localize(roles.timezone, ambiguous="NaT", nonexistent="shift_forward").isna()
    hint = "write the times with their offset (time_format %z) or in UTC, or set "
    hint += "task.timezone=null task.duplicates=mean task.gaps=fill"
    raise refusal(
        report.path,
        [
            Finding(
                int(line),
                "TIME-CLOCK",
                f"column {roles.time!r}: {clock[i]} {'comes twice' if again else 'does not come'} on the clock of "
                f"{roles.timezone} (summer time)",
                hint,
            )
            for i, again, line in zip(which, twice, report.lines()[which], strict=True)
        ],
    )


def _offset_changes(offset: np.ndarray, clock: np.ndarray, roles: Roles, report: FileReport) -> list[Finding]:
    which = np.flatnonzero(np.diff(offset)) + 1
    hours = [f"{o / 3600:+g} h" for o in offset]
    hint = "set task.timezone=UTC, or the zone of the place, such as task.timezone=Europe/Berlin"
    return [
        Finding(
            int(line),
            "TIME-OFFSET",
            f"column {roles.time!r}: {pd.Timestamp(clock[i])} is {hours[i]} from UTC, the row before {hours[i - 1]}",
            hint,
        )
        for i, line in zip(which, report.lines()[which], strict=True)
    ]


# --- what to say of a file that is accepted -----------------------------------------------------------


def _remarks(found: Columns, form: CsvFormat, roles: Roles) -> list[str]:
    names = [name.strip() for name in found.header]
    notes = []
    if spaced := [name for name in found.header if name != name.strip() and name.strip() in roles.named]:
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
    if len(found.cleaned):
        lines = found.lines()[np.unique(found.cleaned)]
        cells = count(len(found.cleaned), "cell")
        notes.append(f"{cells} cleaned of {form.strip!r}: line {some(lines.tolist(), len(lines))}")
    return notes


def _cut_note(body: bytes, form: CsvFormat) -> list[str]:
    """A file that was cut somewhere seldom ends with a line end."""
    whole = form.skip_footer or body.endswith((b"\n", b"\r"))
    return [] if whole else ["the last line has no line end: if the file was cut there, its last number is wrong"]

"""What a CSV itself says about its task: `task=csv` needs no more than a file and a target.

What the configuration leaves open (null) is read from the file and reported in sentences. What the user has
set stays. Facts of the calendar are in `derive_time.py`; every default is in `conf/task/csv.yaml`.
"""

import functools
import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from lookback.data import sources
from lookback.data.csv import derive_time, derived, number_cells
from lookback.data.csv.open_settings import KINDS, check
from lookback.data.csv.sniff import Sniffed, sniff
from lookback.data.files import place
from lookback.data.findings import override
from lookback.errors import ConfigError, DataError
from lookback.settings import CHARACTER, ForecastTask, suggest
from lookback.wording import some

_EMPTY = ("", "NA", "NaN", "nan")
_LOOKBACK = (8, 200)  # rows: networks read every one of them, step after step
_LONGEST_SMOOTHED = 24  # rows of a season that exponential smoothing can still estimate
_LISTED = 20  # columns, or classes
_MARKS = 5  # characters of a unit, at most
_NEARLY = 0.9  # of the cells
_GROWN = 2  # times its level: then its swings have grown too, most likely
_KEPT = 1024  # answers, of some thousand bytes each: as many as a sweep has trials, all of which may ask another thing

Task = dict[str, Any]


def complete(raw_task: Task, root: Path) -> tuple[Task, list[str]]:
    """Fill in what `task=csv` leaves open. Any other task comes back as it is.

    Within a process a file is looked at once for the same settings, and again when it has changed. Where
    `task.derived` says what was read off it, it is not looked at, and nothing is told.

    Args:
        raw_task: the resolved, not yet validated settings of `task`.
        root: `task.path` is relative to it.

    Returns:
        the settings of a forecast or of a classification, and what was derived, in sentences.

    Raises:
        ConfigError: no path or no target is given, or a setting is of a wrong type.
        DataError: no such column, dates that may be read in two ways, a target of numbers written unusually.
        LookbackError: anything that is wrong with the file as such.
    """
    if not KINDS.keys() <= raw_task.keys():
        return raw_task, []
    if raw_task.get("derived") is not None:
        check(raw_task)
        task = derived.filled(raw_task)
        return _whole(task, raw_task[task["kind"]]), []
    asked = {key: value for key, value in raw_task.items() if key != "derived"}
    check(asked)
    answer, told = _read_off(json.dumps(asked), root, _stamp(asked, root))
    return json.loads(answer), list(told)


def handed_on(raw_task: Task, complete_task: Task) -> list[str]:
    """The override that spares another process a look at the file; none for a task that says everything itself.

    Args:
        raw_task, complete_task: what `complete` was given, every override of the trial applied, and what it answered.

    Returns:
        `task.derived='...'`, to be appended to the trial's overrides. What they set stays: it fills what is open.
    """
    return [derived.override(raw_task, complete_task)] if KINDS.keys() <= raw_task.keys() else []


def _stamp(task: Task, root: Path) -> tuple[int, int] | None:
    """When the file was changed, and its size; None for one of a source, which is always the same, or none."""
    if task["source"] is not None or task["path"] is None:
        return None
    try:
        seen = place(root, task["path"]).stat()
    except (OSError, ValueError):
        return None
    return seen.st_mtime_ns, seen.st_size


@functools.lru_cache(_KEPT)
def _read_off(asked: str, root: Path, stamp: tuple[int, int] | None) -> tuple[str, tuple[str, ...]]:
    """`complete` of a file, as JSON: what is asked, and the answer, which nobody can change here."""
    raw_task = json.loads(asked)
    task = {key: value for key, value in raw_task.items() if key not in KINDS}
    seen = _look(task, root)
    told = [_reading(task, seen)]
    values = _values(task, seen)
    told += [_kind(task, seen, values), _time(task, seen), _cycle(task, seen)]
    if task["kind"] == "forecast":
        above = seen.whole and bool(values.min() > 0)  # of a file that was not read whole nobody knows
        told += [_transform(task, values, above), _models(task, above, raw_task["forecast"]["models"])]
    told += [_unused(task, seen)]
    _name(task)
    return json.dumps(_whole(task, raw_task[task["kind"]])), tuple(filter(None, told))


def _look(task: Task, root: Path) -> Sniffed:
    if task["path"] is None:
        raise ConfigError("CONFIG-KEY", "key 'task.path' is missing: name the file, as in task.path=my.csv")
    path = sources.fetch(task["source"], task["path"], root) if task["source"] else place(root, task["path"])
    seen = sniff(path, task)
    if seen.header[0].startswith("#") and task["comment"] == "none" and task["target"] not in seen.header:
        line = f"{task['path']}:1: a comment stands where the header should ({seen.header[0][:30]!r})"
        raise DataError("CSV-COMMENT", f"{line}; set task.comment=hash")
    if task["target"] is None:
        columns = [name for name in seen.header if name]
        there = f"{task['path']} has {', '.join(columns[:_LISTED])}{' ...' * (len(columns) > _LISTED)}"
        hint = "set task.target to the one to forecast" if columns else "name the columns in its first line"
        raise ConfigError("CONFIG-KEY", f"key 'task.target' is missing: {there}; {hint}")
    for key in ("target", "time", "series"):
        if task[key] is not None and task[key] not in seen.header:
            there = _preamble(task[key], seen) or suggest(task[key], seen.header)
            raise DataError("CSV-COLUMN", f"{task['path']}:1: no column {task[key]!r} (task.{key}){there}")
    if not seen.rows:
        raise DataError("CSV-ROWS", f"{task['path']}: no row below the header has its {len(seen.header)} fields")
    return seen


def _preamble(name: str, seen: Sniffed) -> str:
    """What to do where the header seems to stand further down."""
    line = seen.line_of(name)
    return f"; the first line seems not to be the header, line {line} does: remove the lines above it" if line else ""


def _fill(task: Task, **derived: Any) -> bool:
    """Set what is open; say whether all of it was."""
    everything = all(task[key] is None for key in derived)
    task |= {key: value for key, value in derived.items() if task[key] is None}
    return everything


def _reading(task: Task, seen: Sniffed) -> str:
    _fill(task, delimiter=seen.delimiter, decimal=seen.decimal)
    rows = f"{seen.total:,} rows" if seen.whole else f"about {seen.total:,} rows, {len(seen.rows):,} of them looked at"
    return f"{task['path']}: {rows}; task.delimiter={task['delimiter']} task.decimal={task['decimal']}"


def _values(task: Task, seen: Sniffed) -> "pd.Series[float]":
    """(rows,) the target; nan where a cell is empty, a sentinel or no number."""
    cells = seen.cells(task["target"]).str.strip(f" \t{task['strip']}")
    for mark, plain in ((task["thousands"], ""), (task["decimal"], ".")):
        if CHARACTER.get(mark):
            cells = cells.str.replace(CHARACTER[mark], plain, regex=False)
    numbers = pd.to_numeric(cells, errors="coerce")
    return numbers.mask(numbers.isin(task["sentinels"]))


def _kind(task: Task, seen: Sniffed, values: "pd.Series[float]") -> str:
    if task["kind"] != "csv":
        return ""
    cells = seen.cells(task["target"])
    filled = cells[~cells.isin(_EMPTY)]
    if filled.empty or values[filled.index].notna().mean() >= 0.5:
        task["kind"] = "forecast"
        return f"column {task['target']!r} holds numbers: the next ones are forecast; task.kind=forecast"
    if filled.nunique() > max(_LISTED, len(filled) / 2) and filled.str.contains(r"\d").mean() > 0.5:
        raise _no_names(task, seen, filled[values[filled.index].isna()])
    task["kind"] = "classify"
    return f"column {task['target']!r} holds names, {some(sorted(filled.unique()))}: task.kind=classify"


def _no_names(task: Task, seen: Sniffed, cells: "pd.Series[str]") -> DataError:
    """For cells that are neither numbers as they stand nor names that come again."""
    first = str(cells.iloc[0])
    line = seen.line_of(first)
    place = f"{task['path']}:{line}" if line else task["path"]
    what = f"column {task['target']!r}: {first!r} is not a number, and most cells hold digits"
    return DataError("CSV-NUMBER", f"{place}: {what}; {_as_numbers(task, cells)}, or task.kind=classify for names")


def _as_numbers(task: Task, cells: "pd.Series[str]") -> str:
    """The settings that make numbers of nearly all of the cells."""
    marks = "".join(dict.fromkeys("".join(cells.str.replace(r"[\d\s.,_+'\"\\-]", "", regex=True).unique())))
    for strip in ("", marks) if 0 < len(marks) <= _MARKS else ("",):
        bare = cells.str.strip(f" \t{task['strip']}{strip}")
        for decimal, thousands in product(("point", "comma"), ("none", "point", "comma", "space", "underscore")):
            written = number_cells.compiled(CHARACTER[decimal], CHARACTER[thousands])
            if decimal != thousands and bare.map(lambda cell: bool(written.fullmatch(cell))).mean() > _NEARLY:  # noqa: B023
                new = {"decimal": decimal, "thousands": thousands, "strip": task["strip"] + strip}
                return "set " + " ".join(override(f"task.{k}", v) for k, v in new.items() if task[k] != v)
    return "correct the cells"


def _time(task: Task, seen: Sniffed) -> str:
    time, pattern = derive_time.find(task, seen) if task["freq"] != "step" else (None, "")
    task |= {"time": time, "time_format": pattern} if time else {}
    if time is None:
        if not _fill(task, time_format="", freq="step"):
            return ""
        return "no column holds dates that are known here: task.freq=step, rows are steps"
    told = f"dates stand in {override('task.time', time)} {override('task.time_format', pattern)}"
    if apart := derive_time.series(task, seen):
        told += f", and come again, never twice with one {apart}: if it tells series apart set "
        told += override("task.series", apart)
    if task["freq"] is None:
        freq = task["freq"] = derive_time.frequency(task, seen)
        told += f", one row {derive_time.every(freq)}: task.freq={freq}"
    return told


def _cycle(task: Task, seen: Sniffed) -> str:
    rows = seen.total // (seen.cells(task["series"]).nunique() if task["series"] else 1)
    season, name = derive_time.season(str(task["freq"]))
    why = f"{season} rows make {name}" if season > 1 else "no cycle goes with such rows"
    if season > 1 and 2 * season >= _training_rows(task, rows):
        season, why = 1, f"the training rows hold no two cycles of {season}"
    season = task["season"] or season
    shortest = max(2 * season + 1, _LOOKBACK[0], task["horizon"] or 1)
    lookback = max(1, min(shortest, _LOOKBACK[1], rows // 10))
    told = f"{why}: task.season={season}; " if task["kind"] == "forecast" and _fill(task, season=season) else ""
    if _fill(task, lookback=lookback):
        least, most = _LOOKBACK
        told += f"two seasons and a row, at least {least} and the horizon, at most {most} and a tenth of the rows: "
        told += f"task.lookback={lookback}"
    return told.removesuffix("; ")


def _training_rows(task: Task, rows: int) -> int:
    """About how many; half of them where the split is by date."""
    split = _split(task)
    if split.get("by") == "rows":
        return rows - split["val"] - split["test"]
    return int(rows * split["train"]) if "train" in split else rows // 2


def _split(task: Task) -> Task:
    return task["split"] if isinstance(task["split"], dict) else {}


def _transform(task: Task, values: "pd.Series[float]", above: bool) -> str:
    train = values.dropna()[: _training_rows(task, len(values))]
    fifth = len(train) // 5
    before, after = train[:fifth].mean(), train[-fifth:].mean()
    grows = above and not task["series"] and fifth > 0 and after >= _GROWN * before
    if _fill(task, transform="log" if grows else "none") and grows:
        return f"in the training rows it grows from {before:.4g} to {after:.4g}, always above 0: task.transform=log"
    return ""


def _models(task: Task, above: bool, listed: list[str]) -> str:
    season, out = task["season"], dict[str, str]()
    if not above:
        out |= dict.fromkeys(("growth_naive", "log_linear"), "every value must be known to be above 0")
    if season == 1:
        out |= dict.fromkeys(("seasonal_naive", "growth_naive", "log_linear"), "they need a season")
    elif season > _LONGEST_SMOOTHED:
        out["holt_winters"] = f"a season above {_LONGEST_SMOOTHED} is too long for it"
    if not _fill(task, models=[name for name in listed if name not in out]) or not out:
        return ""
    whys = {why: ", ".join(name for name in out if out[name] == why) for why in out.values()}
    return "left out of task.models: " + "; ".join(f"{names} ({why})" for why, names in whys.items())


def _unused(task: Task, seen: Sniffed) -> str:
    used = {task["target"], task["time"], task["series"], *task["past_covariates"], *task["future_covariates"], ""}
    unused = [name for name in seen.header if name not in used]
    roles = "task.past_covariates=[...] or task.future_covariates=[...] gives them one"
    return f"columns without a role: {some(unused)}; {roles}" if unused else ""


def _name(task: Task) -> None:
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(task["path"]).stem).lstrip("._-")
    _fill(task, name=safe[:100] or "csv")
    if task["kind"] == "forecast":
        brackets = re.search(r"[(\[]([^()\[\]]+)[)\]]\s*$", task["target"])
        _fill(task, unit=brackets[1] if brackets else task["target"])


def _whole(task: Task, defaults: Task) -> Task:
    """Every setting of the kind, and none of another."""
    fields = KINDS[task["kind"]].model_fields
    for key in ForecastTask.model_fields.keys() - fields.keys():
        if task.pop(key) is not None:
            hint = "leave it out, or set task.kind=forecast"
            raise ConfigError("CONFIG-KEY", f"task.{key} is for forecasts, and {task['target']!r} holds names; {hint}")
    if _split(task).get("by") in ("rows", "date"):  # the share of train is left over from the YAML
        task["split"] = {key: value for key, value in task["split"].items() if key != "train"}
    return task | {key: value for key, value in defaults.items() if task.get(key) is None}

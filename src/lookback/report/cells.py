"""Tables as columns of text: numbers of a column have the same decimals, columns without a value are left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lookback.report import forest
from lookback.report.axes import number

MARKS = ("better", "worse", "same")


@dataclass(frozen=True)
class Column:
    """A head, a cell per line, and how both are set: num, text, ci, forest or mark."""

    head: str  # text or markup
    cells: list[object]
    kind: str = "num"
    foot: object = ""


@dataclass(frozen=True)
class Grid:
    """A table: the name of each line, whether it is a network, and its columns."""

    names: list[tuple[str, bool]]
    columns: list[Column]


def decimals(values: Sequence[float] | pd.Series, figures: int = 4) -> int:
    """Decimals that give the middle one of the values so many significant figures."""
    sizes = np.abs(np.asarray(values, float))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    return 2 if not len(sizes) else int(np.clip(figures - 1 - np.floor(np.log10(np.median(sizes))), 0, 8))


def scores(table: pd.DataFrame, metric: str, confidence: float | None) -> Grid:
    """Who scored what, and how far from the reference."""
    table = _with(table, "mean low high skill difference difference_low difference_high p mark")
    digits = decimals(table["mean"])
    interval = f"{100 * confidence:g} % interval of the" if confidence else "interval of the"
    columns = [
        Column(metric, [number(v, digits) for v in table["mean"]], "num lead"),
        Column(f"{interval} mean over seeds", _intervals(table["low"], table["high"], digits), "ci"),
        Column("skill", [number(v, 3) for v in table["skill"]]),
        Column("difference", [_signed(v, digits) for v in table["difference"]]),
        Column(
            f"{interval} difference",
            _intervals(table["difference_low"], table["difference_high"], digits, _signed),
            "ci",
        ),
        *_forest(table),
        Column("p", [_p(v) for v in table["p"]]),
        Column("mark", _marks(table), "mark"),
    ]
    return _grid(table, columns)


def details(table: pd.DataFrame, metrics: Sequence[str], metric: str, level: float | None) -> Grid:
    """Everything else that was measured."""
    table = _with(table, "val seeds diverged coverage width cpu_seconds parameters warm", *metrics)
    covered = []  # where there are intervals
    if level:
        cover: list[object] = ["–" if pd.isna(v) else f"{number(100 * v, 1)} %" for v in table["coverage"]]
        covered = [Column(f"coverage of {100 * level:g} %", cover), _plain("width", table["width"], 3)]
    columns = [
        *(_plain(name, table[name]) for name in metrics),
        _plain(f"val {metric}", table["val"]),
        Column("seeds", [_seeds(*pair) for pair in zip(table["seeds"], table["diverged"], strict=True)]),
        *covered,
        Column("CPU s", [_seconds(*pair) for pair in zip(table["cpu_seconds"], table["warm"], strict=True)]),
        Column("parameters", [number(v) for v in table["parameters"]]),
    ]
    return _grid(table, columns)


def compared_with(table: pd.DataFrame) -> str:
    """The model that differences are measured from: the baseline without one."""
    if "difference" not in table or table["difference"].isna().all():
        return ""
    baselines = table[~table["network"].astype(bool) & table["difference"].isna()]
    return "" if baselines.empty else str(baselines["model"].iloc[0])


def matrix(skill: pd.DataFrame, networks: set[str], best: Mapping[str, str]) -> Grid:
    """Skill of models x tasks, a number and a bar; who is best of a task stands out. best: task -> model."""
    columns = []
    zero = 0.25 if (skill < 0).any(axis=None) else 0.0
    for task in skill:
        cells = ((number(v, 3), forest.bar(v, zero), name == best.get(str(task))) for name, v in skill[task].items())
        columns.append(Column(str(task), list(cells)))
    return Grid([(str(name), name in networks) for name in skill.index], columns)


def heat(counts: pd.DataFrame) -> Grid:
    """Counts of truth x guess with the share of their row."""
    shares = counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0).fillna(0)
    columns = [
        Column(str(guess), [(number(n), f"{s:.3f}") for n, s in zip(counts[guess], shares[guess], strict=True)])
        for guess in counts
    ]
    return Grid([(str(truth), False) for truth in counts.index], columns)


def _grid(table: pd.DataFrame, columns: list[Column]) -> Grid:
    kept = [column for column in columns if any(cell not in ("–", "") for cell in column.cells)]
    return Grid(list(zip(table["model"].astype(str), table["network"].astype(bool), strict=True)), kept)


def _with(table: pd.DataFrame, names: str, *more: str) -> pd.DataFrame:
    missing = [name for name in (*names.split(), *more) if name not in table]
    return table.assign(**dict.fromkeys(missing, np.nan))


def _forest(table: pd.DataFrame) -> list[Column]:
    drawn = forest.forest(table)
    return [Column(drawn.head, list(drawn.cells), "forest", drawn.scale)] if drawn else []


def _plain(head: str, values: pd.Series, figures: int = 4) -> Column:
    digits = decimals(values, figures)
    return Column(head, [number(v, digits) for v in values])


def _intervals(
    low: pd.Series, high: pd.Series, digits: int, written: Callable[[float, int], str] = number
) -> list[object]:
    pairs = zip(low, high, strict=True)
    return ["" if pd.isna(a) or pd.isna(b) else f"{written(a, digits)} to {written(b, digits)}" for a, b in pairs]


def _signed(value: float, digits: int) -> str:
    text = number(value, digits)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def _p(value: float) -> str:
    return "–" if pd.isna(value) else "<0.001" if value < 0.001 else f"{value:.3f}"


def _marks(table: pd.DataFrame) -> list[object]:
    written = [str(mark) if mark in MARKS else "" for mark in table["mark"]]
    return [
        mark or ("best baseline" if name == compared_with(table) else "")
        for mark, name in zip(written, table["model"], strict=True)
    ]


def _seeds(seeds: float, diverged: float) -> str:
    return number(seeds) + (f" ({number(diverged)} diverged)" if diverged > 0 else "")


def _seconds(seconds: float, warm: object) -> str:
    text = "<0.01" if 0 <= seconds < 0.005 else number(seconds, 2 if seconds < 100 else 0)
    return text + ("*" if warm is True or warm == 1 else "") * bool(np.isfinite(seconds))

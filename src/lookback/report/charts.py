"""Charts of lines: forecasts, errors along steps or seasons, learning curves. Frames in, figures out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from lookback.report import axes, svg
from lookback.report.axes import Axis, short
from lookback.report.formatting import significant

SHOWN = 400  # points of a forecast: more cannot be told apart on a screen
CURVE = 120  # points of a learning curve
LABEL = 13.5  # px, the height of a label
LINES = 6  # of a chart: more cannot be told apart
NAMED = 8  # of those that are not drawn

Colours = Mapping[str, str]  # model -> classes of page.css: c0 to c9 or cx, and "baseline" for a baseline


@dataclass(frozen=True)
class Chart:
    """A figure: its heading, what to see in it, its plots side by side, a key of colours, and a numbered list."""

    title: str
    caption: str
    plots: tuple[tuple[str, Markup], ...]  # heading of each, "" where there is one
    keys: tuple[tuple[str, str], ...] = ()  # class, label
    colour: str = ""
    below: tuple[str, ...] = ()


def forecasts(frame: pd.DataFrame, recursive: pd.DataFrame | None, unit: str, colours: Colours) -> list[Chart]:
    """One figure per model: forecast and interval over the truth; beside it the recursive prediction.

    Args:
        frame: columns model, time, truth, forecast, lower, upper.
        recursive: the same, each prediction made from the ones before it.
    """
    both = {"one step ahead": frame} | ({} if recursive is None else {"recursive on its own forecasts": recursive})
    pieces = {kind: shown(rows, recursive is not None) for kind, rows in both.items()}
    y = _forecast_axis(pd.concat(pieces.values()))
    height = 150 if recursive is None else 170
    charts = []
    for name in dict.fromkeys(frame["model"]):
        own = {kind: rows[rows["model"] == name] for kind, rows in pieces.items()}
        plots = [
            (kind if recursive is not None else "", _forecast(rows, y, height, f"{name}, {kind}", unit))
            for kind, rows in own.items()
            if len(rows)
        ]
        charts.append(Chart(name, "", tuple(plots), colour=colours.get(name, "cx")))
    return charts


def shown(frame: pd.DataFrame, first: bool) -> pd.DataFrame:
    """The rows of the last times that are drawn, or of the first."""
    times = np.sort(frame["time"].unique())
    return frame[frame["time"].isin(times[:SHOWN] if first else times[-SHOWN:])].sort_values("time", kind="stable")


def _forecast_axis(rows: pd.DataFrame) -> Axis:
    # A forecast that runs away is cut off: the truth must stay readable.
    low, high = rows["truth"].min(), rows["truth"].max()
    room = 0.5 * (high - low)
    values = rows[["truth", "forecast", "lower", "upper"]].to_numpy(float)
    return axes.linear(np.clip(values, low - room, high + room), 5)


def _forecast(rows: pd.DataFrame, y: Axis, height: int, name: str, unit: str) -> Markup:
    axis, numbers = axes.time(rows["time"])
    x = axis.share(numbers)
    down = {c: height * (1 - y.share(rows[c])) for c in ("truth", "forecast", "lower", "upper")}
    paths = [
        svg.band(x, down["lower"], down["upper"], "band"),
        svg.line(x, down["truth"], "truth"),
        svg.line(x, down["forecast"], "line"),
        svg.points(x, down["truth"], "point" if len(rows) > 60 else "point big"),
    ]
    caption = f"Forecast, its interval and the truth of {len(rows)} times, in {unit}."
    marks = [*svg.level_lines(y, height), svg.stretched(height, *paths), *svg.ticks_below(axis, height)]
    return svg.plot(f"Forecast of {name}", caption, height, marks)


def lines(
    frame: pd.DataFrame, key: str, title: str, caption: str, colours: Colours, first: Sequence[str] = ()
) -> Chart:
    """A value per model along steps or seasons, each line labelled at its end.

    Args:
        frame: columns model, `key`, value; the order of `key` is the order of its first rows.
        first: who must be drawn; of the others there is room for the best few.
    """
    places = list(dict.fromkeys(frame[key]))
    table = frame.pivot_table(index="model", columns=key, values="value", sort=False, observed=True)
    table = table.reindex(columns=places).replace([np.inf, -np.inf], np.nan).dropna(how="all")
    names = drawn(table.mean(axis=1), first)
    caption += left_out([name for name in table.index if name not in names])
    table = table.loc[names]
    return Chart(title, caption, (("", _lines(table, title, caption, told_apart(names, colours))),))


def _lines(table: pd.DataFrame, title: str, caption: str, classes: Sequence[str]) -> Markup:
    height = 220
    x, y = axes.steps(list(table.columns)), _errors(table, classes)
    across = x.share(np.arange(len(table.columns)))
    down = height * (1 - y.share(table))  # (models, places)
    ends = [float(np.clip(row[np.isfinite(row)][-1], 0, height)) for row in down]
    # A line that leaves the plot at the top says so beside its name.
    names = [short(name) + " ▴" * (end == 0) for name, end in zip(table.index, ends, strict=True)]
    paths = [svg.line(across, row, f"line {kind}") for row, kind in zip(down, classes, strict=True)]
    labels = [
        svg.text(name, "100%", place + 4, dx=6, class_=f"name {kind}")
        for name, place, kind in zip(names, svg.apart(ends, LABEL, height), classes, strict=True)
    ]
    marks = [*svg.level_lines(y, height), svg.stretched(height, *paths), *labels, *svg.ticks_below(x, height)]
    return svg.plot(title, caption, height, marks, right=svg.margin(names))


def drawn(errors: pd.Series, first: Sequence[str]) -> list[str]:
    """Who is drawn where there is no room for all: those that must be, then the best. errors: model -> error."""
    must = [name for name in first if name in errors.index]
    best = [str(name) for name in errors.sort_values(kind="stable").index if name not in must]
    kept = {*must, *best[: max(LINES - len(must), 0)]}
    return [str(name) for name in errors.index if name in kept]


def left_out(names: Sequence[str]) -> str:
    """Says who is not drawn."""
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f". Not drawn, but in the table: {', '.join(names[:NAMED])}{more}."


def told_apart(names: Sequence[str], colours: Colours) -> list[str]:
    """Classes of lines of which no two look alike: those of one colour are dashed differently."""
    classes: list[str] = []
    for name in names:
        colour = colours.get(name, "cx")
        times = sum(kind.split(" dash")[0] == colour for kind in classes)
        classes.append(f"{colour} dash{times}" if times else colour)
    return classes


def _errors(table: pd.DataFrame, classes: Sequence[str]) -> Axis:
    """The networks and the best baseline are on it, and what is not far from them."""
    network = np.array(["baseline" not in kind for kind in classes])
    baselines = table[~network]
    best = baselines.loc[baselines.mean(axis=1).nsmallest(1).index]
    return axes.within([*_finite(table[network]), *_finite(best)], pd.Series(_finite(table)))


def _finite(table: pd.DataFrame) -> np.ndarray:
    values = table.to_numpy(float).ravel()
    return values[np.isfinite(values)]


def curves(frame: pd.DataFrame, colours: Colours, unit: str = "") -> list[Chart]:
    """Learning curves, a panel per model, a line per seed.

    Args:
        frame: columns model, seed, epoch, loss, val_loss.
        unit: of all losses, which then have one scale; "" where each model has a scale of its own.
    """
    shared = _losses(frame) if unit else None
    charts = []
    for name, rows in frame.groupby("model", sort=False):
        caption = f"Loss by epoch of {rows['seed'].nunique()} seeds, {unit or axes.OWN_SCALE}."
        drawing = _curve(rows, shared or _losses(rows), str(name), caption)
        charts.append(Chart(str(name), "", (("", drawing),), colour=colours.get(name, "cx")))
    return charts


def _losses(frame: pd.DataFrame) -> Axis:
    # The first epochs may be far off: they are cut, or nothing else could be seen.
    losses, best = (
        _finite(frame[["loss", "val_loss"]]),
        _finite(frame.groupby(["model", "seed"])[["val_loss"]].min()),
    )
    if not len(losses):
        return axes.linear([], 3)
    usual = losses.min() + 6 * (np.median(losses) - losses.min())
    return axes.linear([*losses[losses <= usual], *best[best <= 2 * np.median(best)]], 3)


def _curve(rows: pd.DataFrame, y: Axis, name: str, caption: str) -> Markup:
    height, x = 120, axes.linear(rows["epoch"], 4)
    paths, dots = [], []
    for seed, run in rows.groupby("seed", sort=False):
        for best in run.nsmallest(1, "val_loss").itertuples():  # none where all are missing
            tip = f"{name}, seed {seed}: least val loss {significant(best.val_loss)} in epoch {best.epoch}"
            dots.append(_least(float(x.share(best.epoch)), best.val_loss, y, height, tip))
        run = run.sort_values("epoch").iloc[np.unique(np.linspace(0, len(run) - 1, CURVE).round().astype(int))]
        for column, class_ in (("loss", "line faint"), ("val_loss", "line")):
            paths.append(svg.line(x.share(run["epoch"]), height * (1 - y.share(run[column])), class_))
    marks = [*svg.level_lines(y, height), svg.stretched(height, *paths), *dots, *svg.ticks_below(x, height)]
    return svg.plot(f"Learning curves of {name}", caption, height, marks)


def _least(across: float, loss: float, y: Axis, height: int, tip: str) -> Markup:
    """A dot, or where it is beyond the axis an arrow at the edge."""
    side = y.outside(loss)
    if not side:
        return svg.dot(across, height * (1 - float(y.share(loss))), tip, 3, "")
    mark, place = ("▴", 8) if side > 0 else ("▾", height)
    return svg.text(mark, svg.percent(across), place, svg.element("title", tip), class_="arrow mid")

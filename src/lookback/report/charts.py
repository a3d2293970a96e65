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
TALL = 220  # px, the height of a chart of lines
ZOOMED = 200  # times; of more the reader may look at a part
READ = 60  # epochs of a learning curve whose losses can be read
NUDGE = 3  # px between lines that would lie on each other
LINES = 6  # of a chart: more cannot be told apart
NAMED = 8  # of those that are not drawn

Colours = Mapping[str, str]  # model -> classes of page.css: c0 to c9 or cx, and "baseline" for a baseline


@dataclass(frozen=True)
class Chart:
    """A figure: its heading, what to see in it, its plots side by side, a key of colours, and a numbered list."""

    title: str
    caption: str
    plots: tuple[tuple[str, Markup], ...]  # heading of each, "" where there is one
    keys: tuple[tuple[Markup, str], ...] = ()  # sign, label
    colour: str = ""
    model: str = ""  # whose figure it is, where it is one model's
    below: tuple[tuple[str, str], ...] = ()  # model, line


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
        charts.append(Chart(name, "", tuple(plots), colour=colours.get(name, "cx"), model=name))
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
    said = {c: axes.readable(rows[c], y.low, y.high) for c in down}
    ends = ["–" if "–" in pair else " to ".join(pair) for pair in zip(said["lower"], said["upper"], strict=True)]
    interval = svg.said("interval", ends) if set(ends) - {"–"} else {}
    paths = [
        svg.band(x, down["lower"], down["upper"], "band", **interval),
        svg.line(x, down["truth"], "truth", **svg.said("truth", said["truth"])),
        svg.line(x, down["forecast"], "line", **svg.said("forecast", said["forecast"])),
        svg.points(x, down["truth"], "point" if len(rows) > 60 else "point big"),
    ]
    caption = f"Forecast, its interval and the truth of {len(rows)} times, in {unit}."
    marks = [*svg.level_lines(y, height), svg.stretched(height, *paths), *svg.ticks_below(axis, height)]
    along = svg.Along(x, axes.moments(rows["time"]), zoom=len(rows) > ZOOMED)
    return svg.plot(f"Forecast of {name}", caption, height, marks, along=along)


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
    table, classes = table.loc[names], told_apart(names, colours)
    y = _errors(table, classes)
    down = TALL * (1 - y.share(table))  # (models, places), px
    moved = nudged(down)
    if any(moved):
        pushed = ", ".join(name for name, shift in zip(names, moved, strict=True) if shift)
        caption += f"{'' if caption.endswith('.') else '.'} Drawn beside the line that it lies on: {pushed}."
    return Chart(title, caption, (("", _lines(table, title, caption, classes, y, down + np.array(moved)[:, None])),))


def nudged(down: np.ndarray) -> list[int]:
    """Pixels by which each line is moved so that none lies on another for half of its way. down: (models, places)."""
    moved: list[int] = []
    for i, line in enumerate(down):
        others = [other + shift for other, shift in zip(down[:i], moved, strict=True)]
        steps = (side * NUDGE * n for n in range(len(down) + 1) for side in (1, -1))
        moved.append(next(step for step in steps if not any(_covers(line + step, other) for other in others)))
    return moved


def _covers(line: np.ndarray, other: np.ndarray) -> bool:
    both = np.isfinite(line) & np.isfinite(other)
    return bool(both.any()) and bool(np.mean(np.abs(line - other)[both] < NUDGE - 1) >= 0.5)


def _lines(table: pd.DataFrame, title: str, caption: str, classes: Sequence[str], y: Axis, down: np.ndarray) -> Markup:
    height, places = TALL, list(table.columns)
    x = axes.steps(places)
    across = x.share(np.arange(len(places)))
    ends = [float(np.clip(row[np.isfinite(row)][-1], 0, height)) for row in down]
    # A line that leaves the plot at the top says so beside its name.
    names = [short(name) + " ▴" * (end == 0) for name, end in zip(table.index, ends, strict=True)]
    paths, labels = [], []
    for i, (model, place, kind) in enumerate(zip(table.index, svg.apart(ends, LABEL, height), classes, strict=True)):
        said = svg.said(str(model), axes.readable(table.iloc[i], y.low, y.high))
        paths.append(svg.line(across, down[i], f"line {kind}", **said, data_model=model))
        tie = svg.element("line", x1=1, x2=6, y1=0, y2=f"{place - ends[i]:.1f}", class_=f"tie {kind}")
        labels.append(svg.pinned(1, ends[i], tie, data_model=model))
        labels.append(svg.text(names[i], "100%", place + 4, dx=9, class_=f"name {kind}", data_model=model))
    marks = [*svg.level_lines(y, height), svg.stretched(height, *paths), *labels, *svg.ticks_below(x, height)]
    along = svg.Along(across, [f"{v:g}" if isinstance(v, int | float | np.number) else str(v) for v in places])
    return svg.plot(title, caption, height, marks, right=svg.margin(names) + 3, along=along)


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
    """Classes of lines of which no two look alike, in colour or without: each is dashed in its own way.

    The first network is a whole line, the first baseline has the dashes of the style; the others follow in turn.
    """
    classes, seen, dash = [], set(), 0
    for name in names:
        colour = colours.get(name, "cx")
        kind = "baseline" in colour
        dash += kind in seen
        classes.append(f"{colour} dash{dash}" if kind in seen else colour)
        seen.add(kind)
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
        charts.append(Chart(str(name), "", (("", drawing),), colour=colours.get(name, "cx"), model=str(name)))
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
    epochs = np.sort(rows["epoch"].unique())
    epochs = epochs[np.unique(np.linspace(0, len(epochs) - 1, READ).round().astype(int))]
    for seed, run in rows.groupby("seed", sort=False):
        for best in run.nsmallest(1, "val_loss").itertuples():  # none where all are missing
            tip = f"{name}, seed {seed}: least val loss {significant(best.val_loss)} in epoch {best.epoch}"
            dots.append(_least(float(x.share(best.epoch)), best.val_loss, y, height, tip))
        read = run.drop_duplicates("epoch").set_index("epoch").reindex(epochs)
        val, train = (axes.readable(read[column], y.low, y.high) for column in ("val_loss", "loss"))
        said = [f"{a}, train {b}" if {a, b} != {"–"} else "–" for a, b in zip(val, train, strict=True)]
        run = run.sort_values("epoch").iloc[np.unique(np.linspace(0, len(run) - 1, CURVE).round().astype(int))]
        for column, class_ in (("loss", "line faint"), ("val_loss", "line")):
            own = svg.said(f"seed {seed}: val", said) if column == "val_loss" else {}
            paths.append(svg.line(x.share(run["epoch"]), height * (1 - y.share(run[column])), class_, **own))
    marks = [*svg.level_lines(y, height), svg.stretched(height, *paths), *dots, *svg.ticks_below(x, height)]
    along = svg.Along(x.share(epochs), [f"epoch {epoch:g}" for epoch in epochs])
    return svg.plot(f"Learning curves of {name}", caption, height, marks, along=along)


def _least(across: float, loss: float, y: Axis, height: int, tip: str) -> Markup:
    """A dot, or where it is beyond the axis an arrow at the edge."""
    side = y.outside(loss)
    if not side:
        return svg.dot(across, height * (1 - float(y.share(loss))), tip, 3, "")
    mark, place = ("▴", 8) if side > 0 else ("▾", height)
    return svg.text(mark, svg.percent(across), place, svg.element("title", tip), class_="arrow mid")

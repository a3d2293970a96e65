"""Charts of dots: skill by seed, error by series, cost against accuracy. Frames in, figures out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from lookback.report import axes, labels, svg
from lookback.report.axes import Axis, number, short
from lookback.report.charts import Chart, Colours, drawn, left_out
from lookback.report.formatting import significant

SERIES = 30  # rows of the chart by series
ROW = 24  # px, a row of a chart whose rows are names
BRIEF = 1e-3  # s; what is faster is drawn here
DOT = 4.5  # px, radius of a point whose name is beside it


def seeds(frame: pd.DataFrame, colours: Colours) -> Chart:
    """Skill of every seed, a row per model, the best mean first.

    Args:
        frame: columns model, seed, skill.
    """
    rows = frame.dropna(subset=["skill"])
    means = rows.groupby("model", sort=False)["skill"].mean().sort_values(ascending=False)
    network = rows["model"].map(lambda name: "baseline" not in colours.get(name, ""))
    core = rows["skill"][network & (rows["skill"] > -1)]
    x = axes.within([*core, 0.0], rows["skill"])
    height = ROW * len(means)
    marks = [*svg.upright_lines(x, height), *_zero(x, height)]
    for i, (name, mean) in enumerate(means.items()):
        middle = ROW * (i + 0.5)
        kind = colours.get(str(name), "cx")
        own = rows[rows["model"] == name]
        marks += [
            _placed(x, value, middle, f"{name}, seed {seed}: skill {number(value, 3)}", kind, str(name))
            for seed, value in zip(own["seed"], own["skill"], strict=True)
        ]
        marks += _mean(x, mean, middle, str(name)) if len(own) > 1 else []
        marks.append(svg.text(short(name), "-10", middle + 4, class_="name end", data_model=name))
    caption = "A dot per seed, an upright stroke at their mean; 0 is the reference, further right is better."
    left = svg.margin([short(name) for name in means.index])
    return Chart(
        "Skill of every seed", caption, (("", svg.plot("Skill of every seed", caption, height, marks, left=left)),)
    )


def _mean(x: Axis, mean: float, middle: float, model: str) -> list[Markup]:
    if x.outside(mean):
        return []
    place = svg.percent(float(x.share(mean)))
    ends = {"x1": place, "x2": place, "y1": middle - 8, "y2": middle + 8}
    return [svg.element("line", **ends, class_="mean", data_model=model)]


def _placed(x: Axis, value: float, middle: float, tip: str, class_: str, model: str) -> Markup:
    """A mark, or where the value is beyond the axis an arrow at its end with the value."""
    side = x.outside(value)
    if not side:
        return svg.mark(float(x.share(value)), middle, tip, class_, data_model=model)
    label = f"◂ {number(value, 2)}" if side < 0 else f"{number(value, 2)} ▸"
    place, kind = ("0", "tick") if side < 0 else ("100%", "tick end")
    return svg.text(label, place, middle + 4, svg.element("title", tip), class_=kind, data_model=model)


def _zero(x: Axis, height: float) -> list[Markup]:
    place = svg.percent(float(x.share(0.0)))
    return [svg.element("line", x1=place, x2=place, y1=0, y2=height, class_="zero")]


def series(frame: pd.DataFrame, metric: str, colours: Colours, first: Sequence[str] = ()) -> Chart:
    """A row per series, a dot per model.

    Args:
        frame: columns series, model, value.
        first: who must be drawn; of the others there is room for the best few.
    """
    errors = frame.groupby("model", sort=False)["value"].mean()
    shown = drawn(errors, first)
    names = list(dict.fromkeys(frame["series"]))
    rows = frame[frame["series"].isin(names[:SERIES]) & frame["model"].isin(shown)].dropna(subset=["value"])
    x, height = axes.linear(rows["value"], 5), ROW * len(names[:SERIES])
    classes = {name: colours.get(name, "cx") for name in shown}
    marks = svg.upright_lines(x, height)
    for i, name in enumerate(names[:SERIES]):
        middle = ROW * (i + 0.5)
        marks.append(svg.text(short(name), "-10", middle + 4, class_="name end"))
        for line in rows[rows["series"] == name].itertuples():
            tip = f"{name}, {line.model}: {metric} {significant(line.value)}"
            marks.append(svg.mark(float(x.share(line.value)), middle, tip, classes[line.model], data_model=line.model))
    caption = f"{metric} of every series" if len(names) <= SERIES else f"{metric}: {SERIES} of {len(names)} series"
    caption += left_out([name for name in errors.index if name not in shown]) or "."
    plot = svg.plot("Error by series", caption, height, marks, left=svg.margin([short(n) for n in names[:SERIES]]))
    return Chart("Error by series", caption, (("", plot),), tuple((svg.sign(classes[name]), name) for name in shown))


def cost(table: pd.DataFrame, metric: str, unit: str, colours: Colours) -> Chart | None:
    """Mean score over CPU seconds, every point with its name and number of parameters. None for fewer than two.

    Args:
        table: columns model, network, mean, cpu_seconds, parameters.
    """
    rows = table[np.isfinite(table["mean"]) & np.isfinite(table["cpu_seconds"])]
    if len(rows) < 2:
        return None
    y = _scores(rows)
    off = [f"{line.model} {significant(line.mean)}" for line in rows.itertuples() if y.outside(line.mean)]
    rows = rows[[not y.outside(mean) for mean in rows["mean"]]]
    times, height = rows["cpu_seconds"].clip(lower=BRIEF), 240
    x = axes.logarithmic(times)
    across, down = x.share(times), height * (1 - y.share(rows["mean"]))
    shifts = labels.spread(across, down, height)
    named, below = _named(rows, across, down, height, shifts)
    marks = [*svg.level_lines(y, height), *svg.ticks_below(x, height), *(label.tie() for label in named)]
    marks += [*_points(rows, across, down, shifts, metric, colours), *(label.drawn() for label in named)]
    caption = f"{metric}, {unit}, over CPU seconds (log scale); lower left is better."
    caption += (
        " A mark that would cover another one stands beside it, tied to its place." if any(map(any, shifts)) else ""
    )
    caption += "" if below else " Beside each name its parameters."
    caption += f" Beyond the scale: {', '.join(off)}." if off else ""
    plot = svg.plot("Cost and accuracy", caption, height, marks)
    return Chart("Cost and accuracy", caption, (("", plot),), below=below)


def _points(
    rows: pd.DataFrame,
    across: np.ndarray,
    down: np.ndarray,
    shifts: Sequence[tuple[float, float]],
    metric: str,
    colours: Colours,
) -> list[Markup]:
    ties, marks = [], []
    for line, a, d, shift in zip(rows.itertuples(), across, down, shifts, strict=True):
        tip = f"{line.model}: {metric} {significant(line.mean)}, {', '.join(_told(line))}"
        kind, own = colours.get(line.model, "cx"), {"data_model": line.model}
        if any(shift):
            end = svg.element("line", x2=f"{shift[0]:.1f}", y2=f"{shift[1]:.1f}", class_="tie")
            ties.append(svg.pinned(float(a), float(d), end, **own))
        marks.append(svg.mark(float(a), float(d), tip, kind, DOT, shift, **own))
    return [*ties, *marks]


def _scores(rows: pd.DataFrame) -> Axis:
    """Networks and the best baseline are on it, and what is not far from them."""
    means, networks = rows["mean"], rows["network"].astype(bool)
    core = means[networks & (means <= 4 * abs(means.min()))]
    return axes.within([*core, means.min(), *means[~networks].nsmallest(1)], means)


def _parameters(count: float) -> str:
    if not np.isfinite(count):
        return ""
    return number(count) if count < 10_000 else f"{count / 1000:,.0f}k"


def _told(line: Any) -> list[str]:
    """CPU seconds, and parameters where they are known."""
    took = f"{significant(line.cpu_seconds, 3)} s" if line.cpu_seconds >= BRIEF else f"<{BRIEF:g} s"
    return [took, *([f"{number(line.parameters)} parameters"] if np.isfinite(line.parameters) else [])]


def _named(
    rows: pd.DataFrame, across: np.ndarray, down: np.ndarray, height: int, shifts: Sequence[tuple[float, float]]
) -> tuple[list[labels.Label], tuple[tuple[str, str], ...]]:
    """Names beside the points where there is room for all of them, else numbers, and the names listed below."""
    names = [" · ".join(filter(None, [short(r.model, 16), _parameters(r.parameters)])) for r in rows.itertuples()]
    models = list(rows["model"])
    if placed := labels.placed(across, down, names, height, False, shifts, models):
        return placed, ()
    numbers = [str(i) for i in range(1, len(rows) + 1)]
    below = tuple((r.model, " · ".join([r.model, *_told(r)])) for r in rows.itertuples())
    return labels.placed(across, down, numbers, height, True, shifts, models), below

"""Charts of dots: skill by seed, error by series, cost against accuracy. Frames in, figures out."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from lookback.report import axes, svg
from lookback.report.axes import LETTER, Axis, number, short
from lookback.report.charts import Chart, Colours

SERIES = 30  # rows of the chart by series
ROW = 24  # px, a row of a chart whose rows are names
BRIEF = 1e-3  # s; what is faster is drawn here
NARROW = 230  # px, the least width of a plot: labels that stand apart there do so on every wider one


def seeds(frame: pd.DataFrame, colours: Colours) -> Chart:
    """Skill of every seed, a row per contestant, the best mean first.

    Args:
        frame: columns contestant, seed, skill.
    """
    rows = frame.dropna(subset=["skill"])
    means = rows.groupby("contestant", sort=False)["skill"].mean().sort_values(ascending=False)
    network = rows["contestant"].map(lambda name: "floor" not in colours.get(name, ""))
    core = rows["skill"][network & (rows["skill"] > -1)]
    x = axes.within([*core, 0.0], rows["skill"])
    height = ROW * len(means)
    marks = [*svg.upright_lines(x, height), *_zero(x, height)]
    for i, (name, mean) in enumerate(means.items()):
        middle = ROW * (i + 0.5)
        kind = f"dot {colours.get(name, 'cx')}"
        own = rows[rows["contestant"] == name]
        marks += [
            _placed(x, value, middle, f"{name}, seed {seed}: skill {number(value, 3)}", kind)
            for seed, value in zip(own["seed"], own["skill"], strict=True)
        ]
        marks += _mean(x, mean, middle) if len(own) > 1 else []
        marks.append(svg.text(short(name), "-10", middle + 4, class_="name end"))
    told = "A dot per seed, an upright stroke at their mean; 0 is the yardstick, further right is better."
    left = svg.margin([short(name) for name in means.index])
    return Chart("Skill of every seed", told, (("", svg.plot("Skill of every seed", told, height, marks, left=left)),))


def _mean(x: Axis, mean: float, middle: float) -> list[Markup]:
    if x.outside(mean):
        return []
    place = svg.percent(float(x.share(mean)))
    return [svg.element("line", x1=place, x2=place, y1=middle - 8, y2=middle + 8, class_="mean")]


def _placed(x: Axis, value: float, middle: float, tip: str, class_: str) -> Markup:
    """A dot, or where the value is beyond the axis an arrow at its end with the value."""
    side = x.outside(value)
    if not side:
        return svg.dot(float(x.share(value)), middle, tip, class_=class_)
    label = f"◂ {number(value, 2)}" if side < 0 else f"{number(value, 2)} ▸"
    return svg.text(label, "0" if side < 0 else "100%", middle + 4, class_="tick" if side < 0 else "tick end")


def _zero(x: Axis, height: float) -> list[Markup]:
    place = svg.percent(float(x.share(0.0)))
    return [svg.element("line", x1=place, x2=place, y1=0, y2=height, class_="zero")]


def series(frame: pd.DataFrame, metric: str, colours: Colours) -> Chart:
    """A row per series, a dot per contestant.

    Args:
        frame: columns series, contestant, value.
    """
    names = list(dict.fromkeys(frame["series"]))
    rows = frame[frame["series"].isin(names[:SERIES])].dropna(subset=["value"])
    x, height = axes.linear(rows["value"], 5), ROW * len(names[:SERIES])
    marks = svg.upright_lines(x, height)
    for i, name in enumerate(names[:SERIES]):
        middle = ROW * (i + 0.5)
        marks.append(svg.text(short(name), "-10", middle + 4, class_="name end"))
        for line in rows[rows["series"] == name].itertuples():
            tip = f"{name}, {line.contestant}: {metric} {line.value:.4g}"
            kind = f"dot {colours.get(line.contestant, 'cx')}"
            marks.append(svg.dot(float(x.share(line.value)), middle, tip, class_=kind))
    told = f"{metric} of every series." if len(names) <= SERIES else f"{metric}: {SERIES} of {len(names)} series."
    keys = tuple((colours.get(name, "cx"), name) for name in dict.fromkeys(rows["contestant"]))
    drawn = svg.plot("Error by series", told, height, marks, left=svg.margin([short(n) for n in names[:SERIES]]))
    return Chart("Error by series", told, (("", drawn),), keys)


def cost(table: pd.DataFrame, metric: str, unit: str, colours: Colours) -> Chart | None:
    """Mean score over seconds, every point with its name and number of parameters. None for fewer than two.

    Args:
        table: columns contestant, network, mean, seconds, parameters.
    """
    rows = table[np.isfinite(table["mean"]) & np.isfinite(table["seconds"])]
    if len(rows) < 2:
        return None
    y = _scores(rows)
    off = [f"{line.contestant} {line.mean:.4g}" for line in rows.itertuples() if y.outside(line.mean)]
    rows = rows[[not y.outside(mean) for mean in rows["mean"]]]
    x, height = axes.logarithmic(rows["seconds"].clip(lower=BRIEF)), 240
    across = x.share(rows["seconds"].clip(lower=BRIEF))
    down = height * (1 - y.share(rows["mean"]))
    marks = [*svg.level_lines(y, height), *svg.ticks_below(x, height)]
    for a, b, line in zip(across, down, rows.itertuples(), strict=True):
        tip = f"{line.contestant}: {metric} {line.mean:.4g}, {line.seconds:.3g} s, {_parameters(line.parameters)}"
        marks.append(svg.dot(float(a), float(b), tip, 4.5, f"dot {colours.get(line.contestant, 'cx')}"))
    names = [" · ".join(filter(None, [short(r.contestant, 16), _parameters(r.parameters)])) for r in rows.itertuples()]
    marks += _labels(across, down, names, height)
    told = f"{metric}, {unit}, over seconds (log scale); lower left is better. Beside each name its parameters."
    told += f" Beyond the scale: {', '.join(off)}." if off else ""
    return Chart("Cost and accuracy", told, (("", svg.plot("Cost and accuracy", told, height, marks)),))


def _scores(rows: pd.DataFrame) -> Axis:
    """Networks and the best floor are on it, and what is not far from them."""
    means, networks = rows["mean"], rows["network"].astype(bool)
    core = means[networks & (means <= 4 * abs(means.min()))]
    return axes.within([*core, means.min(), *means[~networks].nsmallest(1)], means)


def _parameters(count: float) -> str:
    if not np.isfinite(count):
        return ""
    return number(count) if count < 10_000 else f"{count / 1000:,.0f}k"


def _labels(across: np.ndarray, down: np.ndarray, labels: list[str], height: int) -> list[Markup]:
    """Each label right, left, above or below its point: where it covers least of what is there."""
    taken = [_box(a * NARROW, b, 6, 5) for a, b in zip(across, down, strict=True)]
    marks = []
    for a, b, label in zip(across, down, labels, strict=True):
        half = len(label) * LETTER / 2
        places = [
            (*side, 4 + shift) for shift in (0, -13, 13, -26, 26) for side in (("", half + 9), ("end", -half - 9))
        ]
        places += [("mid", 0, -9), ("mid", 0, 17)]
        boxes = [_box(a * NARROW + aside, b + below - 4, half, 6) for _, aside, below in places]
        best = min(range(len(places)), key=lambda i: _covered(boxes[i], taken, height) + 0.1 * i)
        anchor, _, below = places[best]
        taken.append(boxes[best])
        shift = {"": 9, "end": -9, "mid": 0}[anchor]
        marks.append(svg.text(label, svg.percent(a), b + below, dx=shift, class_=f"note {anchor}".strip()))
    return marks


def _box(x: float, y: float, half_width: float, half_height: float) -> tuple[float, float, float, float]:
    return x - half_width, x + half_width, y - half_height, y + half_height


def _covered(box: tuple[float, ...], taken: list[tuple[float, float, float, float]], height: int) -> float:
    """Square pixels under the box that are taken, or outside the plot."""
    area = sum(
        max(min(box[1], other[1]) - max(box[0], other[0]), 0) * max(min(box[3], other[3]) - max(box[2], other[2]), 0)
        for other in taken
    )
    beyond = max(-box[0] - 30, 0) + max(box[1] - NARROW - 12, 0)
    above = max(-box[2], 0) + max(box[3] - height, 0)
    return area + 20 * beyond + 20 * above

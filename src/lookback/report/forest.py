"""Drawings in the lines of a table: intervals of differences, and bars of skill."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from lookback.report import axes, svg
from lookback.report.axes import Axis, number

LINE = 28  # px, the height of a line of the table
STRIP = 18  # px, the height of a picture in a line of text


@dataclass(frozen=True)
class Forest:
    """A cell for every line of a table, all on one scale, and the scale itself."""

    head: Markup
    cells: list[Markup]
    scale: Markup


def forest(table: pd.DataFrame) -> Forest | None:
    """Each difference with its interval; left of 0 is better. None where no difference is known.

    Args:
        table: columns model, network, mean, difference, difference_low, difference_high, mark.
    """
    ends = table[["difference", "difference_low", "difference_high"]]
    if ends["difference"].isna().all():
        return None
    x = _scale(ends, table["network"].to_numpy(bool), table["mean"][~table["network"].astype(bool)].min())
    ticks = [
        svg.text(
            label,
            svg.percent(float(x.share(tick))),
            12,
            class_="tick mid alt" if i % 2 and len(x.ticks) > 4 else "tick mid",
        )
        for i, (tick, label) in enumerate(x.ticks)
    ]
    zero = svg.percent(float(x.share(0.0)))
    sides = [
        svg.text("◂ better", zero, 12, dx=-8, class_="tick end"),
        svg.text("worse ▸", zero, 12, dx=8, class_="tick"),
    ]
    cells = [_interval(line, x) for line in table.itertuples()]
    return Forest(_cell("Left of 0 is better", 16, sides), cells, _cell("Scale", 16, ticks))


def strip(title: str, value: float, low: float, high: float, kind: str) -> Markup:
    """One difference with its interval and 0, as a small picture in a line of text.

    Args:
        kind: better, worse or same.
    """
    ends = np.array([value, low, high, 0.0])
    x = axes.linear(ends[np.isfinite(ends)], pad=0.05)
    zero = svg.percent(float(x.share(0.0)))
    marks = [svg.element("line", x1=zero, x2=zero, y1=0, y2=STRIP, class_="zero")]
    if np.isfinite([low, high]).all():
        left, right = (svg.percent(float(share)) for share in x.share([low, high]))
        marks.append(svg.element("line", x1=left, x2=right, y1=STRIP / 2, y2=STRIP / 2, class_=f"whisker {kind}"))
    marks.append(svg.dot(float(x.share(value)), STRIP / 2, title, class_=f"dot {kind}"))
    return _cell(title, STRIP, marks)


def _scale(ends: pd.DataFrame, network: np.ndarray, baseline: float) -> Axis:
    """From the networks' intervals and what is near them; a difference above the baseline's own score is far."""
    core = ends[network].to_numpy(float)
    about = axes.within([*core[core < baseline], 0.0], ends["difference"].dropna())
    near = ends[(ends["difference"] >= about.low) & (ends["difference"] <= about.high)]
    x = axes.linear(np.r_[near.to_numpy(float).ravel(), 0.0])
    # Room for the words on either side of 0.
    return replace(x, low=min(x.low, -0.35 * x.high), high=max(x.high, -0.35 * x.low))


def _interval(line: Any, x: Axis) -> Markup:
    value, low, high = line.difference, line.difference_low, line.difference_high
    zero = svg.percent(float(x.share(0.0)))
    marks = [svg.element("line", x1=zero, x2=zero, y1=0, y2=LINE, class_="zero")]
    label = f"{line.model}: {number(value, 3)}"
    kind = line.mark or "same"
    if np.isfinite([low, high]).all():
        label += f", {number(low, 3)} to {number(high, 3)}"
        left, right = np.clip(x.share([low, high]), 0, 1)
        place = {"x1": svg.percent(left), "x2": svg.percent(right), "y1": LINE / 2, "y2": LINE / 2}
        marks.append(svg.element("line", **place, class_=f"whisker {kind}"))
        marks += [_arrow(side, kind) for side in {x.outside(low), x.outside(high)} - {0}]
    if x.outside(value):
        marks.append(_arrow(x.outside(value), kind))
    elif np.isfinite(value):
        marks.append(svg.dot(float(x.share(value)), LINE / 2, label, class_=f"dot {kind}"))
    return _cell(label, LINE, marks)


def _arrow(side: int, kind: str) -> Markup:
    """At the end of the scale: it goes on."""
    return svg.text("▸" if side > 0 else "◂", "100%" if side > 0 else "0", LINE / 2 + 5, class_=f"arrow mid {kind}")


def _cell(title: str, height: int, marks: list[Markup]) -> Markup:
    return svg.element("svg", svg.element("title", title), *marks, role="img", width="100%", height=height)


def bar(skill: float, zero: float) -> Markup:
    """Skill as a thin bar; 0 is at the share `zero` of the cell, 1 at its end, and what does not fit is cut."""
    if not np.isfinite(skill):
        return Markup("")
    first, last = sorted((zero, float(np.clip(zero + (1 - zero) * skill, 0, 1))))
    place = {"x": svg.percent(first), "width": svg.percent(last - first)}
    piece = svg.element("rect", **place, y=1, height=4, class_="gain" if skill > 0 else "loss")
    origin = svg.element("line", x1=svg.percent(zero), x2=svg.percent(zero), y1=0, y2=6, class_="zero")
    return _cell(f"skill {number(skill, 3)}", 6, [piece, origin])

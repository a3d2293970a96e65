"""Drawing: escaped SVG elements, axes with round ticks, and a plot whose text keeps its size at any width.

A plot is an SVG without a viewBox: x is a share of its width in percent, y is pixels. Lines and bands need a path, so
they sit in an inner SVG that is stretched while its strokes are not. Colours come from classes of the page's style.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from lookback.report.axes import LETTER, Axis

FINE = 4000, 10  # units of the inner SVG: over the whole width, and per pixel of the height
OUTLINES = (  # of marks of radius 1; the first is a circle
    "",
    "M-.9-.9h1.8v1.8h-1.8z",
    "M0-1.3 1.2 0 0 1.3-1.2 0z",
    "M0-1.2 1.2.95h-2.4z",
    "M0 1.2 1.2-.95h-2.4z",
    "M-.45-1.2h.9v.75h.75v.9h-.75v.75h-.9v-.75h-.75v-.9h.75z",
)


@dataclass(frozen=True)
class Along:
    """The places along a plot where its lines have values: shares of the width, and what each is called.

    The values themselves stand in the attributes of each line, as `said` makes them.
    """

    shares: np.ndarray
    labels: Sequence[str]
    zoom: bool = False  # whether the reader may look at a part of them

    def attributes(self) -> dict[str, object]:
        """For the script of the page."""
        places = " ".join(f"{100 * share:.2f}" for share in self.shares)
        return {"data_places": places, "data_labels": _listed(self.labels), "data_zoom": "" if self.zoom else None}


def said(name: str, values: Sequence[str]) -> dict[str, object]:
    """What the script says of a line: its name, and a value for each of the places along the plot."""
    return {"data_name": name, "data_values": _listed(values)}


def _listed(texts: Sequence[str]) -> str:
    # One in a line of an attribute: escaped like any other text, and nothing has to be parsed but the ends of lines.
    return "\n".join(" ".join(text.split()) for text in texts)


def element(name: str, *children: object, **attributes: object) -> Markup:
    """An element; every text and attribute is escaped unless it is Markup. class_ -> class, x_y -> x-y."""
    pairs = (
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    body = Markup("").join(child if isinstance(child, Markup) else escape(child) for child in children)
    return Markup(f"<{name}{''.join(pairs)}>{body}</{name}>")


def percent(share: float) -> str:
    """A place as an attribute."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"


def line(x: np.ndarray, y: np.ndarray, class_: str, **attributes: object) -> Markup:
    """A polyline. x: shares of the width (n,), y: pixels (n,); it breaks where a value is missing."""
    return element("path", d=_path(x, y), class_=class_, **attributes)


def band(x: np.ndarray, low: np.ndarray, high: np.ndarray, class_: str, **attributes: object) -> Markup:
    """The area between two lines, all (n,)."""
    there = np.isfinite(low) & np.isfinite(high) & np.isfinite(x)
    borders = np.flatnonzero(np.diff(np.r_[0, there, 0]))
    runs = [slice(first, stop) for first, stop in zip(borders[::2], borders[1::2], strict=True)]
    areas = (_path(np.r_[x[r], x[r][::-1]], np.r_[high[r], low[r][::-1]]) + "z" for r in runs)
    return element("path", d="".join(areas), class_=class_, **attributes)


def _path(x: np.ndarray, y: np.ndarray) -> str:
    # Whole numbers relative to the point before: the shortest text that a path can be, without drift.
    parts, pen = [], None
    for point in zip(x * FINE[0], y * FINE[1], strict=True):
        if not np.isfinite(point).all():
            pen = None
            continue
        across, down = (round(float(np.clip(v, -1e5, 1e5))) for v in point)
        parts.append(f"M{across} {down}l0 0" if pen is None else f" {across - pen[0]} {down - pen[1]}")
        pen = across, down
    return "".join(parts).replace(" -", "-")


def points(x: np.ndarray, y: np.ndarray, class_: str) -> Markup:
    """Points as strokes without length, in round caps: a tenth of the text that circles would be."""
    places = zip(x * FINE[0], y * FINE[1], strict=True)
    return element(
        "path", d="".join(f"M{a:.0f} {b:.0f}h0" for a, b in places if np.isfinite([a, b]).all()), class_=class_
    )


def stretched(height: int, *paths: Markup) -> Markup:
    """The inner SVG of lines and bands."""
    box = f"0 0 {FINE[0]} {FINE[1] * height}"
    return element("svg", *paths, viewBox=box, preserveAspectRatio="none", width="100%", height=height)


def text(label: object, x: str, y: float, *tips: Markup, **attributes: object) -> Markup:
    """A label, perhaps with a title as its tip; y is its baseline in pixels."""
    return element("text", *tips, label, x=x, y=f"{y:.1f}".removesuffix(".0"), **attributes)


def dot(x: float, y: float, tip: str, radius: float = 4, class_: str = "dot") -> Markup:
    """A point with what it is as its tip. x: share of the width, y: pixels."""
    return element("circle", element("title", tip), cx=percent(x), cy=f"{y:.1f}", r=radius, class_=class_)


def mark(
    x: float, y: float, tip: str, class_: str, radius: float = 4, shift: tuple[float, float] = (0, 0), **more: object
) -> Markup:
    """A point of a model: its shape goes with its colour, so that colour is never alone in telling two apart.

    Args:
        x: share of the width.
        y: pixels.
        class_: the model's colour, c0 to c9 or cx, and perhaps "baseline".
        shift: pixels that it stands off its place.
    """
    title, outline = element("title", tip), _outline(class_)
    if not outline and shift == (0, 0):
        return element("circle", title, cx=percent(x), cy=f"{y:.1f}", r=radius, class_=f"dot {class_}", **more)
    return pinned(x, y, _shape(outline, radius, class_, title, shift), **more)


def sign(class_: str) -> Markup:
    """The mark of a model as a small picture beside its name."""
    return element("svg", _shape(_outline(class_), 4, class_, Markup(""), (7, 7)), class_="sign", aria_hidden="true")


def pinned(x: float, y: float, *children: Markup, **attributes: object) -> Markup:
    """What is drawn in pixels around a place: x is a share of the width, y pixels."""
    return element("svg", *children, x=percent(x), y=f"{y:.1f}", width=1, height=1, class_="open", **attributes)


def _outline(class_: str) -> str:
    """Of the last number in the classes: "c3 baseline" has the fourth one, "cx baseline m1" the second."""
    numbers = re.findall(r"\b[cm](\d+)", class_)
    return OUTLINES[int(numbers[-1]) % len(OUTLINES)] if numbers else OUTLINES[0]


def _shape(outline: str, radius: float, class_: str, title: Markup, shift: tuple[float, float]) -> Markup:
    dx, dy = shift
    if not outline:
        return element("circle", title, cx=f"{dx:.1f}", cy=f"{dy:.1f}", r=radius, class_=f"dot {class_}")
    place = f"translate({dx:.1f} {dy:.1f}) scale({radius})"
    return element("path", title, d=outline, transform=place, class_=f"dot {class_}")


def apart(places: Sequence[float], gap: float, high: float) -> list[float]:
    """Labels pushed apart until none covers the next, in their order along the axis, none beyond `high`."""
    order = np.argsort(places, kind="stable")
    moved = [float(places[i]) for i in order]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    if moved and moved[-1] > high:
        moved[-1] = high
    for i in range(len(moved) - 2, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - gap)
    return [moved[i] for i in np.argsort(order, kind="stable")]


def level_lines(y: Axis, height: int) -> list[Markup]:
    """A hairline and a label at every tick of an upright axis."""
    marks = []
    for tick, label in y.ticks:
        down = height * (1 - float(y.share(tick)))
        marks.append(element("line", x1=0, x2="100%", y1=f"{down:.1f}", y2=f"{down:.1f}", class_="grid"))
        marks.append(text(label, "-8", down + 4, class_="tick end"))
    return marks


def upright_lines(x: Axis, height: int) -> list[Markup]:
    """The same for a level axis, for charts whose rows are names."""
    places = [(percent(float(x.share(tick))), label) for tick, label in x.ticks]
    lines = [element("line", x1=p, x2=p, y1=0, y2=height, class_="grid") for p, _ in places]
    return [*lines, *ticks_below(x, height)]


def ticks_below(x: Axis, height: int) -> list[Markup]:
    """The labels of a level axis; every second one goes where the plot is narrow."""
    return [
        text(
            label,
            percent(float(x.share(tick))),
            height + 16,
            class_="tick mid alt" if i % 2 and len(x.ticks) > 4 else "tick mid",
        )
        for i, (tick, label) in enumerate(x.ticks)
    ]


def plot(
    title: str,
    caption: str,
    height: int,
    marks: Iterable[Markup],
    left: float = 42,
    right: float = 14,
    along: "Along | None" = None,
) -> Markup:
    """The marks in a frame that leaves room for labels: `left` and `right` in pixels.

    Args:
        along: what the script says of its lines; None where each mark says it itself.
    """
    svg = element(
        "svg", element("title", title), element("desc", caption), *marks, role="img", width="100%", height=height
    )
    room = f"padding-left:{left:.0f}px;padding-right:{right:.0f}px"
    return element("div", svg, class_="plot", style=room, **(along.attributes() if along else {}))


def margin(names: Iterable[str]) -> float:
    """Pixels beside a plot for these labels."""
    return max((len(name) for name in names), default=0) * LETTER + 16

"""Pictures of what is inside a network: a map of its embedding, the path of its state, the heat of one unit.

Shapes in comments: n points, t steps, u units.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, StrictUndefined
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Okabe & Ito's blue and vermilion (2008), which colour-blind readers tell apart, and white for 0.
LOW, ZERO, HIGH = (0, 114, 178), (255, 255, 255), (213, 94, 0)
INK = (28, 32, 37)
SEEN = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍", "": "∅"}  # what would not be seen
COLUMNS, LINES = 80, 45  # characters in a line of the heat picture, and its lines


def visible(token: str) -> str:
    """A token as a label: blanks and line ends get a sign."""
    return SEEN.get(token, token)


# --- maps ----------------------------------------------------------------------------------------------


def flat(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two principal components: (n, u) -> (n, 2), and the share of the variance that each of them holds, (2,).

    Pearson, Philosophical Magazine 2 (1901) 559. Of each axis the largest weight is positive.
    """
    centred = rows - rows.mean(axis=0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2][np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    shares = lengths[:2] ** 2 / max((lengths**2).sum(), np.finfo(float).tiny)
    missing = 2 - len(axes)
    return np.pad(centred @ axes.T, [(0, 0), (0, missing)]), np.pad(shares, (0, missing))


def embedding(rows: np.ndarray, labels: Sequence[str], title: str) -> Figure:
    """Every token where its numbers put it, seen from the side on which they differ most: rows (n, u)."""
    points, shares = flat(rows)
    figure, axes = _map(title, shares)
    axes.scatter(*points.T, s=5, color="#bbbbbb", lw=0, zorder=1)
    _label(figure, axes, points, labels, 9)
    return figure


def path(states: np.ndarray, labels: Sequence[str], title: str) -> Figure:
    """Where the state goes while a text is read, from dark to light: states (t, u), a label a step."""
    points, shares = flat(states)
    figure, axes = _map(title, shares)
    axes.plot(*points.T, color="#999999", lw=0.8, alpha=0.6 if len(points) < 40 else 0.25, zorder=1)
    dots = axes.scatter(*points.T, c=np.arange(1, len(points) + 1), cmap="viridis", s=16, lw=0, zorder=2)
    figure.colorbar(dots, ax=axes, label="step", shrink=0.5, aspect=30, ticks=MaxNLocator(integer=True))
    _label(figure, axes, points, labels, 8)
    return figure


def _map(title: str, shares: np.ndarray) -> tuple[Figure, Any]:
    figure = Figure(figsize=(9, 8), layout="constrained")
    FigureCanvasAgg(figure)  # labels are measured before anything is saved
    axes = figure.subplots()
    axes.set_title(title, loc="left", parse_math=False)
    axes.set_xlabel(f"first component, {shares[0]:.0%} of the variance")
    axes.set_ylabel(f"second component, {shares[1]:.0%}")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _label(figure: Figure, axes: Any, points: np.ndarray, labels: Sequence[str], size: int) -> None:
    """Write the labels that cover no other one; those that come first have the choice."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    taken: list[Any] = []
    for point, label in zip(points, labels, strict=True):
        shift = {"xytext": (3, 3), "textcoords": "offset points", "fontsize": size, "parse_math": False}
        text = axes.annotate(visible(label), point, color="#222222", zorder=3, annotation_clip=False, **shift)
        box = text.get_window_extent(renderer)
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)


# --- heat ----------------------------------------------------------------------------------------------


class Cell(NamedTuple):
    """A token on its colour: hexadecimal ground and ink."""

    token: str
    value: float
    ground: str
    ink: str


def cells(tokens: Sequence[str], values: np.ndarray) -> list[Cell]:
    """The tokens with the colours of their values, (t,), from blue over white at 0 to orange."""
    largest = float(np.abs(values).max()) or 1.0
    return [Cell(token, float(v), *shade(float(v) / largest)) for token, v in zip(tokens, values, strict=True)]


def shade(share: float) -> tuple[str, str]:
    """The colour of a value between -1 and 1, and the ink that reads best on it."""
    end = np.array(HIGH if share > 0 else LOW)
    ground = np.round(np.array(ZERO) + abs(share) * (end - np.array(ZERO))).astype(int)
    best = max((INK, ZERO), key=lambda ink: contrast(ink, ground))
    return _hex(ground), _hex(best)


def contrast(a: Any, b: Any) -> float:
    """Contrast of two colours of 0 .. 255, 1 to 21 (Web Content Accessibility Guidelines 2.2, W3C 2023)."""
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Any) -> float:
    parts = np.asarray(colour) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _hex(colour: Any) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in colour)


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 90ch; padding: 32px 24px; background: #fff; color: #1c2025;
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, Arial, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; overflow-wrap: anywhere; }
p { margin: 0 0 20px; color: #5c636c; }
.scale span { display: inline-block; min-width: 6ch; padding: 2px 4px; text-align: center; font-size: 12px; }
.text { font: 16px/1.75 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.text span { padding: 2px 0; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<p>{{ note }} Rest the pointer on a token to read its value.</p>
<p class="scale">{% for cell in scale %}<span style="background:{{ cell.ground }};color:{{ cell.ink }}">
{{- "%+.2f" % cell.value }}</span>{% endfor %}</p>
<div class="text">
{%- for cell in cells %}<span title="{{ "%+.3f" % cell.value }}"
{{- " " }}style="background:{{ cell.ground }};color:{{ cell.ink }}">
{{- "⏎\n" if cell.token == "\n" else cell.token }}</span>{{ between }}{% endfor -%}
</div>
</body>
</html>
"""


def heat_page(tokens: Sequence[str], values: np.ndarray, title: str, note: str, between: str) -> str:
    """One HTML page: every token on the colour of its value, (t,). All that is written is escaped.

    Args:
        between: what stands between two tokens.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    largest = float(np.abs(values).max())
    scale = cells([""] * 9, np.linspace(-largest, largest, 9))
    page = environment.from_string(PAGE)
    return page.render(title=title, note=note, scale=scale, cells=cells(tokens, values), between=between)


def heat(tokens: Sequence[str], values: np.ndarray, title: str, between: str) -> Figure:
    """The same as a picture; of a long text its first lines."""
    placed = [p for p in _placed(cells(tokens, values), len(between)) if p[0] < LINES]
    lines = placed[-1][0] + 1
    figure = Figure(figsize=(11, 0.8 + 0.25 * lines), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, COLUMNS), ylim=(lines, 0), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    corners = [_corners(line, column, len(visible(cell.token))) for line, column, cell in placed]
    axes.add_collection(PolyCollection(corners, facecolors=[cell.ground for *_, cell in placed]))
    for line, column, cell in placed:
        style: dict[str, Any] = {"color": cell.ink, "family": "DejaVu Sans Mono", "fontsize": 10.5, "parse_math": False}
        at = column + len(visible(cell.token)) / 2, line + 0.52
        text = axes.text(*at, visible(cell.token), ha="center", va="center", **style)
        text.set_in_layout(False)  # it lies on its ground: thousands of them need not be measured
    _scale(figure, axes, float(np.abs(values).max()) or 1.0)
    axes.set_title(title, loc="left", fontsize=11, parse_math=False)
    return figure


def _corners(line: int, column: int, width: int) -> list[tuple[float, float]]:
    left, right, top, bottom = column, column + width, line + 0.04, line + 0.96
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _placed(found: list[Cell], gap: int) -> Iterator[tuple[int, int, Cell]]:
    """Line and column of every token, in lines of `COLUMNS`; one that is longer than a line is cut."""
    line = column = 0
    for cell in found:
        cell = cell._replace(token=cell.token[:COLUMNS])
        width = len(visible(cell.token))
        if column + width > COLUMNS:
            line, column = line + 1, 0
        yield line, column, cell
        line, column = (line + 1, 0) if cell.token == "\n" else (line, column + width + gap)


def _scale(figure: Figure, axes: Any, largest: float) -> None:
    from matplotlib.cm import ScalarMappable

    ramp = LinearSegmentedColormap.from_list("heat", [_hex(LOW), _hex(ZERO), _hex(HIGH)])
    ends = ScalarMappable(Normalize(-largest, largest), ramp)
    bar = figure.colorbar(ends, ax=axes, orientation="horizontal", shrink=0.3, aspect=25, pad=0.02, anchor=(0, 1))
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.tick_params(labelsize=8, length=0)

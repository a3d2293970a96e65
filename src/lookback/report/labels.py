"""Labels beside points, placed so that none covers another one or a point, however wide the plot is.

Points move apart as a plot grows wider, and a label keeps its distance in pixels. So labels are placed in the narrowest
plot, and none may stand on the far side of a point or label that it would meet again in a wider one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup

from lookback.report import svg
from lookback.report.axes import LETTER

NARROW = 230  # px, the least width of a plot
ROOM = 12  # px right of a plot
HALF = 6.5  # px, half the height of a label
POINT = 5.0  # px, half of a point
COVERED = 3.0  # px; of points that are closer than twice this, one covers most of the other
CLOSE = 8  # px; a label further off its point is tied to it by a line


@dataclass(frozen=True)
class Box:
    """What is taken in the narrowest plot, in pixels, and the place in shares of the width that it moves with."""

    across: float
    x: float
    y: float
    half_width: float
    half_height: float

    def meets(self, other: "Box") -> bool:
        """Whether the two cover each other in the narrowest plot, or would in a wider one."""
        if abs(self.y - other.y) >= self.half_height + other.half_height:
            return False
        crossed = (self.across - other.across) * (self.x - other.x) < 0
        return crossed or abs(self.x - other.x) < self.half_width + other.half_width


@dataclass(frozen=True)
class Label:
    """A text whose middle is `dx`, `dy` pixels from a place, which is at a share of the width and a height in px.

    Its point stands at that place, or `shift` pixels off it.
    """

    text: str
    across: float
    down: float
    dx: float
    dy: float
    shift: tuple[float, float] = (0, 0)
    model: str | None = None

    @property
    def box(self) -> Box:
        """What it takes."""
        half_width = len(self.text) * LETTER / 2 + 1
        return Box(self.across, self.across * NARROW + self.dx, self.down + self.dy, half_width, HALF)

    def drawn(self) -> Markup:
        """The text."""
        return svg.text(
            self.text,
            svg.percent(self.across),
            self.down + self.dy + 4,
            dx=f"{self.dx:.1f}",
            class_="note mid",
            data_model=self.model,
        )

    def tie(self) -> Markup:
        """A line from its point to the nearest place of its box; nothing where the two are close."""
        half_width, (x0, y0) = self.box.half_width, self.shift
        x = float(np.clip(x0, self.dx - half_width, self.dx + half_width))
        y = float(np.clip(y0, self.dy - HALF, self.dy + HALF))
        if np.hypot(x - x0, y - y0) <= CLOSE:
            return Markup("")
        line = svg.element("line", x1=f"{x0:.1f}", y1=f"{y0:.1f}", x2=f"{x:.1f}", y2=f"{y:.1f}", class_="tie")
        return svg.pinned(self.across, self.down, line, data_model=self.model)


def spread(across: np.ndarray, down: np.ndarray, height: int) -> list[tuple[float, float]]:
    """Pixels by which each point stands off its place, so that none covers more than half of another one.

    Args:
        across, down: places, shares of the width and pixels, (n,).
    """
    boxes = [Box(float(a), float(a) * NARROW, float(d), COVERED, COVERED) for a, d in zip(across, down, strict=True)]
    stays = [not any(box.meets(other) for other in boxes[:i]) for i, box in enumerate(boxes)]
    taken = [replace(box, half_width=POINT, half_height=POINT) for box, stay in zip(boxes, stays, strict=True) if stay]
    shifts = []
    for box, stay in zip(boxes, stays, strict=True):
        shift = (0.0, 0.0)
        if not stay:
            places = ((s, replace(box, x=box.x + s[0], y=box.y + s[1])) for s in _round(12, 160, 10, 16))
            free = (
                s for s, moved in places if _fits(replace(moved, half_width=POINT, half_height=POINT), taken, height)
            )
            shift = next(free, shift)
            taken.append(replace(box, x=box.x + shift[0], y=box.y + shift[1], half_width=POINT, half_height=POINT))
        shifts.append(shift)
    return shifts


def placed(
    across: np.ndarray,
    down: np.ndarray,
    texts: Sequence[str],
    height: int,
    far: bool,
    shifts: Sequence[tuple[float, float]] | None = None,
    models: Sequence[str | None] | None = None,
) -> list[Label]:
    """A label for every point, or none at all where one finds no room.

    Args:
        across, down: places, shares of the width and pixels, (n,).
        far: whether labels may stand off their points; then only those are missing that find no room even so.
        shifts: pixels by which each point stands off its place.
        models: whose points they are.
    """
    shifts = shifts or [(0.0, 0.0)] * len(across)
    points = list(zip(across, down, texts, shifts, models or [None] * len(across), strict=True))
    taken = [Box(a, a * NARROW + sx, d + sy, POINT, POINT) for a, d, _, (sx, sy), _ in points]
    found: list[Label] = []
    for a, d, text, (sx, sy), model in points:
        places = (
            Label(text, float(a), float(d), dx + sx, dy + sy, (sx, sy), model)
            for dx, dy in _offsets(len(text) * LETTER / 2, far)
        )
        label = next((label for label in places if _fits(label.box, taken, height)), None)
        if label:
            found.append(label)
            taken.append(label.box)
        elif not far:
            return []
    return found


def _offsets(half_width: float, far: bool) -> Iterator[tuple[float, float]]:
    """Right, left, above and below, the better places first; then, where that is allowed, further and further off."""
    for dy in (0, -13, 13):
        yield half_width + 8, dy
        yield -half_width - 8, dy
    yield from ((0, -13), (0, 13))
    if far:
        yield from _round(20, 160, 8, 23)


def _round(first: int, last: int, step: int, count: int) -> Iterator[tuple[float, float]]:
    """Places on wider and wider circles."""
    for distance in range(first, last, step):
        angles = np.arange(count) * 2 * np.pi / count
        yield from ((float(distance * np.cos(angle)), float(distance * np.sin(angle))) for angle in angles)


def _fits(box: Box, taken: Sequence[Box], height: int) -> bool:
    inside = box.half_width <= box.x <= NARROW + ROOM - box.half_width
    inside = inside and box.half_height <= box.y <= height - box.half_height
    return inside and not any(box.meets(other) for other in taken)

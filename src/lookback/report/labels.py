"""Labels beside points, placed so that none covers another one or a point, however wide the plot is.

Points move apart as a plot grows wider, and a label keeps its distance in pixels. So labels are placed in the narrowest
plot, and none may stand on the far side of a point or label that it would meet again in a wider one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from lookback.report import svg
from lookback.report.axes import LETTER

NARROW = 230  # px, the least width of a plot
ROOM = 12  # px right of a plot
HALF = 6.5  # px, half the height of a label
POINT = 5.0  # px, half of a point
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
    """A text whose middle is `dx`, `dy` pixels from its point, which is at a share of the width and a height in px."""

    text: str
    across: float
    down: float
    dx: float
    dy: float

    @property
    def box(self) -> Box:
        """What it takes."""
        half_width = len(self.text) * LETTER / 2 + 1
        return Box(self.across, self.across * NARROW + self.dx, self.down + self.dy, half_width, HALF)

    def drawn(self) -> Markup:
        """The text."""
        return svg.text(
            self.text, svg.percent(self.across), self.down + self.dy + 4, dx=f"{self.dx:.1f}", class_="note mid"
        )

    def tie(self) -> Markup:
        """A line from its point to the nearest place of its box; nothing where the two are close."""
        half_width = self.box.half_width
        x, y = (float(np.clip(0, d - half, d + half)) for d, half in ((self.dx, half_width), (self.dy, HALF)))
        if np.hypot(x, y) <= CLOSE:
            return Markup("")
        line = svg.element("line", x2=f"{x:.1f}", y2=f"{y:.1f}", class_="tie")
        place = {"x": svg.percent(self.across), "y": f"{self.down:.1f}", "width": 1, "height": 1}
        return svg.element("svg", line, **place, class_="open")


def placed(across: np.ndarray, down: np.ndarray, texts: Sequence[str], height: int, far: bool) -> list[Label]:
    """A label for every point, or none at all where one finds no room.

    Args:
        across, down: points, shares of the width and pixels, (n,).
        far: whether labels may stand off their points; then only those are missing that find no room even so.
    """
    taken = [Box(a, a * NARROW, d, POINT, POINT) for a, d in zip(across, down, strict=True)]
    found: list[Label] = []
    for a, d, text in zip(across, down, texts, strict=True):
        places = (Label(text, float(a), float(d), dx, dy) for dx, dy in _offsets(len(text) * LETTER / 2, far))
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
    for distance in range(20, 160, 8) if far else ():
        yield from (
            (distance * np.cos(angle), distance * np.sin(angle)) for angle in np.linspace(0, 2 * np.pi, 24)[:-1]
        )


def _fits(box: Box, taken: Sequence[Box], height: int) -> bool:
    inside = box.half_width <= box.x <= NARROW + ROOM - box.half_width
    inside = inside and box.half_height <= box.y <= height - box.half_height
    return inside and not any(box.meets(other) for other in taken)

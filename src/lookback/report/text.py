"""Tables as plain text: for a terminal of any width, where nothing is ever cut off, and for Markdown."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

MARGIN = 2  # before every line, and what a folded name is set in by
NARROW = 5  # no head is folded to less
GAPS = 3, 2  # between columns: the wider one where all of them have room
SEAMS = r"\S+\s*", r"[^_,=/]+[_,=/]*|[_,=/]+", r"."  # where a long text is folded: better ones first


@dataclass(frozen=True)
class Column:
    """A head, and a cell for each line."""

    head: str
    cells: list[str]


def wide(text: str) -> int:
    """Places of a terminal that a text takes: two for a Chinese character, none for an accent of its own."""
    places = {"W": 2, "F": 2}
    return sum(0 if unicodedata.combining(c) else places.get(unicodedata.east_asian_width(c), 1) for c in text)


def folded(text: str, width: int, seams: Sequence[str] = SEAMS) -> list[str]:
    """The text in lines of this width; they lose nothing but blanks. A piece without a seam stays whole."""
    if wide(text.rstrip()) <= width or not seams:
        return [text]
    lines = [""]
    for piece in re.findall(seams[0], text):
        if lines[-1] and wide((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        first, *others = folded(piece, width, seams[1:])
        lines[-1] += first
        lines += others
    return [line.rstrip() for line in lines]


def fitted(columns: Sequence[Column], width: int) -> tuple[str, list[str]]:
    """A table no wider than this, and the heads of the columns that found no room.

    Args:
        columns: the names of the lines, then what is said of them, the most important first. The names and the first
            of the others are there at any width.
    """
    blocks = [_block(column, width, i) for i, column in enumerate(columns)]
    kept = list(range(min(len(columns), 2)))
    for i in range(2, len(columns)):
        if _width([blocks[k] for k in [*kept, i]], GAPS[1]) <= width:
            kept.append(i)
    shown = [blocks[i] for i in kept]
    gap = GAPS[0] if _width(shown, GAPS[0]) <= width else GAPS[1]
    return _drawn(shown, gap), [column.head for i, column in enumerate(columns) if i not in kept]


def _block(column: Column, width: int, place: int) -> list[list[str]]:
    """The lines of the head and of every cell: names are folded, and heads that are wider than what they head."""
    if place == 0:
        return [folded(column.head, width), *_names(column.cells, width)]
    inside = max(map(wide, column.cells), default=0)
    return [folded(column.head, max(inside, NARROW), SEAMS[:2]), *([cell] for cell in column.cells)]


def _names(names: Sequence[str], width: int) -> list[list[str]]:
    longest = max((wide(word) for name in names for word in name.split()), default=0)
    room = max(width // 4, min(longest, width // 3))
    return [_name(name, room) for name in names]


def _name(name: str, room: int) -> list[str]:
    if wide(name) <= room:
        return [name]
    first, *others = folded(name, room - MARGIN)
    return [first, *(" " * MARGIN + line for line in others)]


def _width(blocks: Sequence[list[list[str]]], gap: int) -> int:
    return MARGIN + sum(map(_widest, blocks)) + gap * (len(blocks) - 1)


def _widest(block: list[list[str]]) -> int:
    return max(wide(line) for cell in block for line in cell)


def _drawn(blocks: Sequence[list[list[str]]], gap: int) -> str:
    widths = [_widest(block) for block in blocks]
    rows = [_row(cells, widths, gap, i == 0) for i, cells in enumerate(zip(*blocks, strict=True))]
    rule = " " * MARGIN + "─" * (_width(blocks, gap) - MARGIN)
    return "\n".join([rows[0], rule, *rows[1:]])


def _row(cells: Sequence[list[str]], widths: Sequence[int], gap: int, head: bool) -> str:
    """One line of the table, of several lines of text where a cell is: heads stand at the foot, others at the top."""
    height = max(map(len, cells))
    padded = [[""] * (height - len(cell)) + cell for cell in cells] if head else cells
    lines = [(" " * gap).join(map(_set, line, widths, range(len(line)))) for line in zip_longest(*padded, fillvalue="")]
    return "\n".join((" " * MARGIN + line).rstrip() for line in lines)


def _set(text: str, width: int, place: int) -> str:
    """Names to the left, all else to the right."""
    blank = " " * (width - wide(text))
    return text + blank if place == 0 else blank + text


def markdown(columns: Sequence[Column]) -> str:
    """A Markdown table; numbers to the right."""
    head, rule = [column.head for column in columns], ["---"] + ["---:"] * (len(columns) - 1)
    lines = [head, rule, *zip(*(column.cells for column in columns), strict=True)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def filled(items: Sequence[str], width: int, between: str = " ") -> str:
    """Items one after the other, folded between them and nowhere else; lines that go on are set in."""
    lines = [items[0]]
    for item in items[1:]:
        if wide(lines[-1] + between + item) > width:
            lines[-1] += between.rstrip()
            lines.append(" " * MARGIN + item)
        else:
            lines[-1] += between + item
    return "\n".join(lines)

"""Text tables: columns aligned in terminal cells, Chinese included.

Rules of this file: pure. A width is counted in terminal cells, never in characters. Every cell passes through
``visible``: a name cannot move the cursor or hide another column.
"""

import unicodedata
from collections.abc import Iterable, Sequence

from rules.visible import visible

GAP = "  "


def width(text: str) -> int:
    """Return the number of terminal cells of *text*: two for wide and full-width characters, none for combining."""
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def pad(text: str, cells: int) -> str:
    """Return *text*, padded with spaces to *cells* cells."""
    return text + " " * (cells - width(text))


def lines(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a heading and rows as lines; ``None`` and ``""`` are shown as ``-``: every column has a cell."""
    cells = [list(heading), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return [GAP.join(map(pad, row, widths)).rstrip() for row in cells]


def _cell(cell: object) -> str:
    if cell is None or cell == "":
        return "-"
    if isinstance(cell, list | tuple):
        return visible(", ".join(map(str, cell))) or "-"
    return visible(str(cell))

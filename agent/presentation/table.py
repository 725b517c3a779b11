"""Columns that line up, Chinese included.

Rules of this file: pure. A width is counted in terminal cells, never in characters; every cell has gone through
``visible``, so a name cannot move the cursor or hide another column.
"""

import unicodedata
from collections.abc import Iterable, Sequence

from rules.visible import visible

GAP = "  "


def width(text: str) -> int:
    """Return how many terminal cells *text* takes: two for wide and full-width characters, none for combining ones."""
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def pad(text: str, cells: int) -> str:
    """Return *text* with spaces up to *cells* cells."""
    return text + " " * (cells - width(text))


def lines(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a heading and rows as lines; ``None`` and ``""`` are shown as ``-``, so that every column has a cell."""
    cells = [list(heading), *([_shown(value) for value in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return [GAP.join(map(pad, row, widths)).rstrip() for row in cells]


def _shown(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, list | tuple):
        return visible(", ".join(map(str, value))) or "-"
    return visible(str(value))

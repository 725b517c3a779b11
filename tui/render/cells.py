"""Styled text in terminal cells: the only way a value reaches the screen (contract C9).

Rules of this file:
- every string goes through :func:`rules.visible.visible`, and none is ever parsed as markup: a file called
  ``[@click=app.quit]`` or one with ESC in its name is shown by that name and has no effect;
- a width is counted in terminal cells, Chinese included, never in characters;
- a tone is never the only signal: what is ``bad`` also has a word or a glyph.
"""

import re
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from agent.language.catalogue import localized
from rules.text import Language, Message, Sentence, Text
from rules.visible import visible

Tone = Literal["plain", "dim", "good", "warning", "bad", "strong"]

# Narrow in every terminal: no emoji, nothing with a variation selector.
GLYPHS: dict[str, str] = {"good": "✓", "warning": "!", "bad": "✗", "serious": "✗", "plain": "·"}
STYLES: dict[Tone, str] = {
    "plain": "",
    "dim": "$text-muted",
    "good": "$success",
    "warning": "bold $warning",
    "bad": "bold $error",
    "strong": "bold",
}


@dataclass(frozen=True, slots=True)
class Toned:
    """Text with a tone."""

    text: "Sentence | str"
    tone: Tone


Piece = Sentence | str | Toned | None  # a part of a cell or a sentence; None is nothing
NOTHING = "-"
_SIGNS = 4  # characters of a name examined for each cell, at most: several may share one
_WORD = re.compile(r" +|[^\u2e80-\uffef ]+|[\u2e80-\uffef][，。；：、）》」！？]?")


def words_of(piece: object, language: Language) -> str:
    """Return *piece* as one printable line without any control character."""
    if isinstance(piece, Toned):
        piece = piece.text
    if isinstance(piece, Message | Text):
        return visible(localized(piece, language))
    if piece is None or piece == "":
        return NOTHING
    if isinstance(piece, list | tuple):
        return visible(", ".join(map(str, piece))) or NOTHING
    return visible(piece if isinstance(piece, str) else str(piece))


def tone_of(piece: object) -> Tone:
    """Return the tone of *piece*."""
    return piece.tone if isinstance(piece, Toned) else "plain"


def content(language: Language, *pieces: Piece) -> Content:
    """Return *pieces* one after the other; ``"\\n"`` alone is a new line. Empty pieces leave no trace."""
    parts = [
        "\n" if piece == "\n" else (words_of(piece, language), STYLES[tone_of(piece)])
        for piece in pieces
        if (piece.text if isinstance(piece, Toned) else piece) not in (None, "")
    ]
    return Content.assemble(*parts)


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """Return *text* in exactly *cells* cells: padded with spaces, or cut with ``…`` as its last character."""
    width = len(text) if text.isascii() else cell_len(text)
    if width > cells:
        return set_cell_size(text, cells - 1) + "…" if cells > 0 else ""
    return " " * (cells - width) + text if right else text + " " * (cells - width)


def fit_path(path: str, cells: int) -> str:
    """Return *path* in exactly *cells* cells: its beginning is cut, because readers look for its end.

    Whole folders are cut first (``…/图纸/叶片.txt``). A name that is too long itself keeps both its ends.
    """
    if cell_len(path) <= cells:
        return fit(path, cells)
    shortened, slash = "", path.rstrip("/").rfind("/")
    while slash >= 0 and cell_len(f"…{path[slash:]}") <= cells:  # from the end: a path may be very long
        shortened, slash = f"…{path[slash:]}", path.rfind("/", 0, slash)
    return fit(shortened or _both_ends(path.rstrip("/").rpartition("/")[2] or path, cells), cells)


def _both_ends(name: str, cells: int) -> str:
    """Return *name* in at most *cells* cells; its end is the longer part, it has the suffix and the number."""
    if cell_len(name) <= cells:
        return name
    for head_cells in range(
        max(cells - 1, 0) // 2, -1, -1
    ):  # a character of two cells may not fit where one of one cell does
        head = set_cell_size(name, head_cells).rstrip()
        for begin in range(max(len(head), len(name) - _SIGNS * cells), len(name)):
            cut = f"{head}…{name[begin:]}"
            if cell_len(cut) <= cells:
                return cut
    return "…"


def wrap(text: str, cells: int) -> list[str]:
    """Return *text* in lines of at most *cells* cells, broken at spaces and between any Chinese characters."""
    lines, line, width = [], "", 0
    for token in _WORD.findall(text):
        wide = cell_len(token)
        if width + wide > cells and line:
            lines.append(line.rstrip())
            line, width = "", 0
            if not token.strip():
                continue
        while wide > cells:  # a path, say
            head = set_cell_size(token, cells).rstrip()
            lines.append(head)
            token = token[len(head) :]
            wide = cell_len(token)
        line, width = line + token, width + wide
    return [*lines, line.rstrip()]


def number(count: int) -> str:
    """Return a count as people read it: ``1,204,331``."""
    return f"{count:,}"

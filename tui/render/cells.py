"""The one way anything becomes something on the screen (contract C9).

Rules of this file:
- every string goes through :func:`rules.visible.visible`, and none is ever parsed as markup: a file called
  ``[@click=app.quit]`` or one with ESC in it is shown as that name and does nothing;
- a width is counted in terminal cells, Chinese included, never in characters;
- a tone is never the only sign: what is ``bad`` also says so in a word or a glyph.
"""

import re
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from rules.text import Language, Text
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
    """Words with a tone."""

    words: "Text | str"
    tone: Tone


Piece = Text | str | Toned | None  # what a cell or a sentence is made of; None is nothing
NOTHING = "-"
_SIGNS = 4  # of a name, at most, that are looked at for each cell there is: several may share one
_WORD = re.compile(r" +|[^\u2e80-\uffef ]+|[\u2e80-\uffef][，。；：、）》」！？]?")


def words_of(piece: object, language: Language) -> str:
    """Return *piece* as one printable line; whatever it was, nothing in it acts on the terminal."""
    if isinstance(piece, Toned):
        piece = piece.words
    if isinstance(piece, Text):
        return visible(piece.say(language))
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
        if (piece.words if isinstance(piece, Toned) else piece) not in (None, "")
    ]
    return Content.assemble(*parts)


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """Return *text* in exactly *cells* cells: filled with spaces, or cut with ``…`` as its last sign."""
    width = len(text) if text.isascii() else cell_len(text)
    if width > cells:
        return set_cell_size(text, cells - 1) + "…" if cells > 0 else ""
    return " " * (cells - width) + text if right else text + " " * (cells - width)


def fit_path(path: str, cells: int) -> str:
    """Return *path* in exactly *cells* cells: what is cut is its beginning, because its end is what one looks for.

    Whole folders go first (``…/图纸/叶片.txt``). A name for which there is no room keeps both its ends.
    """
    if cell_len(path) <= cells:
        return fit(path, cells)
    shown, slash = "", path.rstrip("/").rfind("/")
    while slash >= 0 and cell_len(f"…{path[slash:]}") <= cells:  # from the end on: a path may be very long
        shown, slash = f"…{path[slash:]}", path.rfind("/", 0, slash)
    return fit(shown or _both_ends(path.rstrip("/").rpartition("/")[2] or path, cells), cells)


def _both_ends(name: str, cells: int) -> str:
    """Return *name* in at most *cells* cells; the end is the longer one, it has the kind of file and the number."""
    if cell_len(name) <= cells:
        return name
    for left in range(max(cells - 1, 0) // 2, -1, -1):  # a sign of two cells may not fit where one does
        head = set_cell_size(name, left).rstrip()
        for begin in range(max(len(head), len(name) - _SIGNS * cells), len(name)):
            cut = f"{head}…{name[begin:]}"
            if cell_len(cut) <= cells:
                return cut
    return "…"


def wrap(text: str, cells: int) -> list[str]:
    """Return *text* in lines of at most *cells* cells: broken at spaces, and between Chinese characters anywhere."""
    lines, line, width = [], "", 0
    for word in _WORD.findall(text):
        wide = cell_len(word)
        if width + wide > cells and line:
            lines.append(line.rstrip())
            line, width = "", 0
            if not word.strip():
                continue
        while wide > cells:  # a path, say
            head = set_cell_size(word, cells).rstrip()
            lines.append(head)
            word = word[len(head) :]
            wide = cell_len(word)
        line, width = line + word, width + wide
    return [*lines, line.rstrip()]


def number(value: int) -> str:
    """Return a count as people read it: ``1,204,331``."""
    return f"{value:,}"

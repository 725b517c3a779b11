"""The language of the screens, and the widget that shows a sentence in it.

Rules of this file: a widget keeps a sentence, never the finished string, and renders it when it is drawn: switching the
language only draws again. Texts that are not drawn from a sentence (a placeholder, a border title) are set again in
``on_language``, which is called on every widget that has it.
"""

from typing import Protocol, cast

from textual.content import Content
from textual.dom import DOMNode
from textual.widget import Widget

from rules.text import Language
from tui.render.cells import Piece, content


class HasLanguage(Protocol):
    """The interface of the program that a widget needs."""

    language: Language


def language_of(node: DOMNode) -> Language:
    """Return the language of *node*."""
    return cast("HasLanguage", node.app).language


class LocalizedText(Widget):
    """One sentence or several lines, in the language that is set when it is drawn."""

    DEFAULT_CSS = "LocalizedText { width: 1fr; height: auto; }"

    def __init__(self, *pieces: Piece, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, markup=False)
        self._pieces = pieces

    def update(self, *pieces: Piece) -> None:
        """Replace the content."""
        self._pieces = pieces
        # A new layout draws the whole screen again; a line of fixed height does not need one.
        self.refresh(layout=self.styles.height is None or self.styles.height.is_auto)

    def render(self) -> Content:
        """Return the content."""
        return content(language_of(self), *self._pieces)

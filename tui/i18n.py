"""Which language the screens speak, and the widget that says a sentence in it.

Rules of this file: a widget keeps a :class:`Text`, never the finished string, and says it when it is drawn. So
switching the language is drawing again. Whatever cannot be drawn from a ``Text`` (a placeholder, a border title) is set
again in ``on_language``, which every widget that has it is called with.
"""

from typing import Protocol, cast

from textual.content import Content
from textual.dom import DOMNode
from textual.widget import Widget

from rules.text import Language, Text
from tui.render.cells import Piece, content


class Speaking(Protocol):
    """What a widget needs of the program it is part of."""

    language: Language


def language_of(node: DOMNode) -> Language:
    """Return the language *node* is to speak."""
    return cast("Speaking", node.app).language


class LocalizedText(Widget):
    """One sentence or several lines, in whichever language is spoken when it is drawn."""

    DEFAULT_CSS = "LocalizedText { width: 1fr; height: auto; }"

    def __init__(self, *pieces: Piece, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, markup=False)
        self._pieces = pieces

    def say(self, *pieces: Piece) -> None:
        """Say something else from now on."""
        self._pieces = pieces
        # A new layout draws the whole screen again; a line of fixed height does not need one.
        self.refresh(layout=self.styles.height is None or self.styles.height.is_auto)

    def render(self) -> Content:
        """Return what is said now."""
        return content(language_of(self), *self._pieces)


def text_of(wire: object) -> Text:
    """Return a sentence the agent sent as ``{"en", "zh"}``; anything else is foreign, and shown as it is."""
    if isinstance(wire, dict) and {"en", "zh"} <= wire.keys():
        return Text(str(wire["en"]), str(wire["zh"]))
    return Text(str(wire), str(wire))

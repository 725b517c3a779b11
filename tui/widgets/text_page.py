"""Page of scrollable text, for details and documents."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from tui.i18n import LocalizedText
from tui.render.cells import Piece


class TextPage(VerticalScroll, can_focus=True):
    """Pieces of any length."""

    DEFAULT_CSS = """
    TextPage { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", show=False, id="page.up"),
        Binding("j", "scroll_down", show=False, id="page.down"),
        Binding("space", "page_down", show=False, id="page.next"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._pieces: tuple[Piece, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield LocalizedText()

    def show(self, *pieces: Piece, stay: bool = False) -> None:
        """Show *pieces* from their beginning; with *stay* keep the position of the reader."""
        if pieces != self._pieces:
            self._pieces = pieces
            self.query_one(LocalizedText).update(*pieces)
        if not stay:
            self.scroll_home(animate=False)

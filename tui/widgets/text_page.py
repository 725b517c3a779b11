"""A text to read and to scroll: the detail of something."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from tui.i18n import LocalizedText
from tui.render.cells import Piece


class TextPage(VerticalScroll, can_focus=True):
    """Pieces, as long as they like."""

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
        self._shown: tuple[Piece, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield LocalizedText()

    def show(self, *pieces: Piece, stay: bool = False) -> None:
        """Show *pieces* from now on, from their beginning; with *stay* from where the reader is in them."""
        if pieces != self._shown:
            self._shown = pieces
            self.query_one(LocalizedText).say(*pieces)
        if not stay:
            self.scroll_home(animate=False)

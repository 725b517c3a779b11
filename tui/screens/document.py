"""A paper to be read: a receipt, a report. Over the screen, scrolled with the keys of a page."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from rules.text import Text
from rules.visible import visible
from tui.i18n import LocalizedText, language_of, text_of
from tui.interface import program_of
from tui.render.cells import Piece, Toned, wrap
from tui.widgets.text_page import TextPage

_WIDEST, _BAR = 110, 1  # cells; what the scroll bar takes


class DocumentScreen(ModalScreen[None]):
    """Shows *text*, line by line, in the language that is spoken; *name* is what a copy of it is called."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", show=False),
        Binding("y", "copy", show=False),
    ]
    DEFAULT_CSS = """
    DocumentScreen { align: center middle; }
    DocumentScreen > Vertical { width: 100%; max-width: 110; height: 100%; background: $surface; }
    DocumentScreen TextPage { padding: 0; border-top: solid $primary; border-bottom: solid $primary; }
    DocumentScreen .title { text-style: bold; }
    """

    def __init__(self, title: Text, text: Text, name: str) -> None:
        super().__init__()
        self._heading, self._text, self._file = title, text, name

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield LocalizedText(self._heading, classes="title")
            yield TextPage()
            keys = Text("PgUp PgDn: turn the page. y: copy. Esc: close.", "PgUp/PgDn：翻页。y：复制。Esc：关闭。")
            yield LocalizedText(Toned(keys, "dim"))

    def on_mount(self) -> None:
        """Let it be read at once."""
        self.query_one(TextPage).focus()

    def on_resize(self) -> None:
        """Show it as wide as it can be."""
        width = min(self.app.size.width, _WIDEST) - _BAR
        self.query_one(TextPage).show(*_lines(self._text.say(language_of(self)), width))

    def action_copy(self) -> None:
        """Copy it."""
        program_of(self).copy(self._text.say(language_of(self)), self._file)


def receipt(found: Mapping[str, Any]) -> DocumentScreen:
    """Return the paper of ``case.receipt``'s or ``hold.receipt``'s answer."""
    name = visible(found["case"])
    return DocumentScreen(
        Text(f"receipt of {name}", f"{name} 的撤权回执"), text_of(found["page"]), f"{found['case']}.txt"
    )


def _lines(text: str, width: int) -> Iterator[Piece]:
    """Yield the lines; one that is too long goes on below, Chinese broken anywhere."""
    for line in text.splitlines():
        for part in [line] if cell_len(line) <= width else wrap(line, width):
            yield from (part, "\n")

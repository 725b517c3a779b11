"""A document over the screen: a receipt or a report, scrolled with the keys of a page."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from rules.text import Message, Sentence, Text
from tui.i18n import LocalizedText, language_of
from tui.interface import program_of
from tui.render.cells import Piece, Toned, wrap
from tui.widgets.text_page import TextPage

_WIDEST, _BAR = 110, 1  # cells; width of the scroll bar


class DocumentScreen(ModalScreen[None]):
    """Shows *text* line by line in the language of the terminal; *name* is the file name of a copy.

    The line breaks of *text* remain, and a copy has it as it is: a sentence would be one printable line.
    """

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

    def __init__(self, title: Sentence, text: Text, name: str) -> None:
        super().__init__()
        self._heading, self._text, self._file = title, text, name

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield LocalizedText(self._heading, classes="title")
            yield TextPage()
            keys = Message("tui.document-keys")
            yield LocalizedText(Toned(keys, "dim"))

    def on_mount(self) -> None:
        """Focus the page."""
        self.query_one(TextPage).focus()

    def on_resize(self) -> None:
        """Wrap the text to the width of the screen."""
        width = min(self.app.size.width, _WIDEST) - _BAR
        self.query_one(TextPage).show(*_lines(self._in_language(), width))

    def action_copy(self) -> None:
        """Copy the text."""
        program_of(self).copy(self._in_language(), self._file)

    def _in_language(self) -> str:
        return self._text.zh if language_of(self) == "zh" else self._text.en


def receipt(answer: Mapping[str, Any]) -> DocumentScreen:
    """Return the screen of the answer of ``case.receipt`` or ``hold.receipt``."""
    return DocumentScreen(
        Message("tui.receipt-of-case", case=answer["case"]), Text(**answer["page"]), f"{answer['case']}.txt"
    )


def _lines(text: str, width: int) -> Iterator[Piece]:
    """Yield the lines, long ones wrapped."""
    for line in text.splitlines():
        for part in [line] if cell_len(line) <= width else wrap(line, width):
            yield from (part, "\n")

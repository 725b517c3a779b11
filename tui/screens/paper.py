"""A paper to be read: a receipt, a report. Over the screen, scrolled with the keys of a page."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from rules.text import Text
from rules.visible import visible
from tui.cells import Piece, Toned
from tui.program import program_of
from tui.widgets.page import Page
from tui.words import Sentence, language_of, text_of


class Paper(ModalScreen[None]):
    """Shows *text*, line by line, in the language that is spoken; *name* is what a copy of it is called."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", show=False),
        Binding("y", "copy", show=False),
    ]
    DEFAULT_CSS = """
    Paper { align: center middle; }
    Paper > Vertical { width: 100%; max-width: 110; height: 100%; background: $surface; }
    Paper Page { padding: 0; border-top: solid $primary; border-bottom: solid $primary; }
    Paper .title { text-style: bold; }
    """

    def __init__(self, title: Text, text: Text, name: str) -> None:
        super().__init__()
        self._heading, self._text, self._file = title, text, name

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield Sentence(self._heading, classes="title")
            yield Page()
            yield Sentence(Toned(Text("y: copy. Esc: close.", "y：复制。Esc：关闭。"), "dim"))

    def on_mount(self) -> None:
        """Show it."""
        page = self.query_one(Page)
        page.show(*_lines(self._text.say(language_of(self))))
        page.focus()

    def action_copy(self) -> None:
        """Copy it."""
        program_of(self).copy(self._text.say(language_of(self)), self._file)


def receipt(found: Mapping[str, Any]) -> Paper:
    """Return the paper of ``case.receipt``'s or ``hold.receipt``'s answer."""
    name = visible(found["case"])
    return Paper(Text(f"receipt of {name}", f"{name} 的撤权回执"), text_of(found["page"]), f"{found['case']}.txt")


def _lines(text: str) -> Iterator[Piece]:
    for line in text.splitlines():
        yield from (line, "\n")

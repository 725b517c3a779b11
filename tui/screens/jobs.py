"""What was started and goes on."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from rules.text import Text
from tui.i18n import LocalizedText
from tui.interface import program_of
from tui.render.cells import Piece, Toned

_OFTEN = 0.5  # seconds between two looks


class JobsScreen(ModalScreen[None]):
    """A list of what is under way. Closing it ends nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,f4", "dismiss", show=False)]
    DEFAULT_CSS = """
    JobsScreen { align: center middle; }
    JobsScreen > Vertical { width: 80%; height: auto; padding: 0 1; border: round $primary; background: $surface; }
    """

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield LocalizedText(id="works")
            yield LocalizedText("\n", Text("Esc: back; work goes on.", "Esc：返回，工作继续。"))

    def on_mount(self) -> None:
        """Show it, and keep it right."""
        self._show()
        self.set_interval(_OFTEN, self._show)

    def _show(self) -> None:
        works = program_of(self).works.going
        pieces: list[Piece] = []
        for work in works:
            pieces += [work.title, "  ", Toned(work.far, "strong"), "\n"]
        self.query_one("#works", LocalizedText).say(*(pieces or [Text("nothing is under way", "没有进行中的工作")]))

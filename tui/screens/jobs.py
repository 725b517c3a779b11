"""The list of running jobs."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from rules.text import Message
from tui.i18n import LocalizedText
from tui.interface import program_of
from tui.render.cells import Piece, Toned

_OFTEN = 0.5  # seconds between two updates


class JobsScreen(ModalScreen[None]):
    """The running jobs. Closing the list ends none of them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,f4", "dismiss", show=False)]
    DEFAULT_CSS = """
    JobsScreen { align: center middle; }
    JobsScreen > Vertical { width: 80%; height: auto; padding: 0 1; border: round $primary; background: $surface; }
    """

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield LocalizedText(id="jobs")
            yield LocalizedText("\n", Message("tui.jobs-keys"))

    def on_mount(self) -> None:
        """Show the list, and keep it up to date."""
        self._show()
        self.set_interval(_OFTEN, self._show)

    def _show(self) -> None:
        jobs = program_of(self).jobs.running
        pieces: list[Piece] = []
        for job in jobs:
            pieces += [job.title, "  ", Toned(job.progress, "strong"), "\n"]
        self.query_one("#jobs", LocalizedText).update(*(pieces or [Message("tui.no-running-jobs")]))

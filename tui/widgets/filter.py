"""Input line, opened by a key and closed after Enter: filters, times, paths.

Rules of this file: Enter submits the typed text, ``esc`` cancels without any change. Errors are shown beside the line,
which stays open.
"""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message as PostedMessage
from textual.widgets import Input

from agent.errors import ShoumiError
from agent.language.errors import error_lines
from rules.text import Sentence
from tui.i18n import LocalizedText, language_of
from tui.render.cells import Toned


class FilterBar(Horizontal):
    """The line. It is hidden until :meth:`ask`."""

    DEFAULT_CSS = """
    FilterBar { height: 1; display: none; background: $boost; }
    FilterBar.asking { display: block; }
    FilterBar LocalizedText { width: auto; padding: 0 1; }
    FilterBar Input { width: 1fr; background: $boost; }
    """

    class Entered(PostedMessage):
        """Text was submitted with Enter. ``purpose`` is that of :meth:`FilterBar.ask`."""

        def __init__(self, purpose: str, typed: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.typed = typed

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._purpose = ""

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield LocalizedText(id="prompt")
        yield Input(compact=True)
        yield LocalizedText(id="wrong")

    def ask(self, purpose: str, prompt: Sentence, typed: str = "") -> None:
        """Open the line with *prompt* before it and *typed* in it."""
        self._purpose = purpose
        self.query_one("#prompt", LocalizedText).update(prompt)
        self.query_one("#wrong", LocalizedText).update("")
        self.add_class("asking")
        field = self.query_one(Input)
        field.value = typed
        field.cursor_position = len(typed)
        field.focus()

    def wrong(self, error: ShoumiError) -> None:
        """Show the error, and stay open."""
        text = " · ".join(error_lines(error, language_of(self)))
        self.query_one("#wrong", LocalizedText).update(Toned(f"✗ {text}", "bad"))

    def close(self) -> bool:
        """Close the line; return whether it was open."""
        if not self.has_class("asking"):
            return False
        self.remove_class("asking")
        self.query_one(Input).blur()
        return True

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Submit the typed text."""
        event.stop()
        self.post_message(self.Entered(self._purpose, event.value.strip()))

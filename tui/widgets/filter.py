"""One line to type in, opened by a key and gone when it is done: filters, places to go to.

Rules of this file: Enter hands over what was typed, ``esc`` hands over nothing and changes nothing. What is wrong with
it is said beside it, and it stays open.
"""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from agent.errors import ShoumiError
from rules.text import Text
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

    class Entered(Message):
        """Something was typed and Enter pressed. ``what`` is what :meth:`FilterBar.ask` was called with."""

        def __init__(self, what: str, typed: str) -> None:
            super().__init__()
            self.what = what
            self.typed = typed

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._what = ""

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield LocalizedText(id="prompt")
        yield Input(compact=True)
        yield LocalizedText(id="wrong")

    def ask(self, what: str, prompt: Text, typed: str = "") -> None:
        """Open it with *prompt* before and *typed* in it."""
        self._what = what
        self.query_one("#prompt", LocalizedText).say(prompt)
        self.query_one("#wrong", LocalizedText).say("")
        self.add_class("asking")
        field = self.query_one(Input)
        field.value = typed
        field.cursor_position = len(typed)
        field.focus()

    def wrong(self, error: ShoumiError) -> None:
        """Say what is wrong, and stay open."""
        said = " · ".join(error.lines(language_of(self)))
        self.query_one("#wrong", LocalizedText).say(Toned(f"✗ {said}", "bad"))

    def close(self) -> bool:
        """Close it; return whether it was open."""
        if not self.has_class("asking"):
            return False
        self.remove_class("asking")
        self.query_one(Input).blur()
        return True

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand over what was typed."""
        event.stop()
        self.post_message(self.Entered(self._what, event.value.strip()))

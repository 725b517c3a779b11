"""Screens of the second factor: before an act that grants or cuts access, and to unlock an idle terminal.

Rules of this file: the typed factor is never shown and never stored. A locked terminal shows nothing of the site, and
only the keys of the field work.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from agent.api.operations import TABLE
from agent.errors import ShoumiError
from rules.text import Message
from tui.i18n import LocalizedText
from tui.interface import program_of
from tui.render.cells import Toned

_CSS = """
{0} {{ align: center middle; }}
{0} > Vertical {{ width: 60; height: auto; border: round $primary; background: $surface; padding: 0 1; }}
"""


class FactorScreen(ModalScreen[str | None]):
    """Asks for the second factor for the act *op*; answers it, ``None`` when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]
    DEFAULT_CSS = _CSS.format("FactorScreen")

    def __init__(self, op: str) -> None:
        super().__init__()
        self._act_help = TABLE[op].help

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield LocalizedText(Message("tui.enter-second-factor"), classes="title")
            yield LocalizedText(self._act_help)
            yield Input(password=True, compact=True)
            yield LocalizedText(Toned(Message("tui.factor-keys"), "dim"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer the typed factor."""
        self.dismiss(event.value or None)


class LockScreen(ModalScreen[None]):
    """Covers every screen until the user has entered their second factor."""

    DEFAULT_CSS = _CSS.format("LockScreen") + "LockScreen { background: $background; }"

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield LocalizedText(Message("tui.terminal-locked"), classes="title")
            yield Input(password=True, compact=True)
            yield LocalizedText(Toned(Message("tui.lock-keys"), "dim"))
            yield LocalizedText(id="wrong")

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Check the typed factor."""
        self.run_worker(self._try(event.value), group="unlock", exclusive=True)

    async def _try(self, secret: str) -> None:
        self.query_one(Input).clear()
        try:
            await program_of(self).agent.give(secret)
        except ShoumiError as error:
            self.query_one("#wrong", LocalizedText).update(Toned(error.text, "bad"))
        else:
            self.dismiss()

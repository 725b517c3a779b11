"""The second factor: asked for before an act that gives or cuts, and to unlock a terminal nobody has touched.

Rules of this file: what is typed is never shown and never kept. A locked terminal shows nothing of the site, and every
key but those of the field does nothing.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from agent.api.operations import TABLE
from agent.errors import ShoumiError
from rules.text import Text
from tui.i18n import LocalizedText
from tui.interface import program_of
from tui.render.cells import Toned

_CSS = """
{0} {{ align: center middle; }}
{0} > Vertical {{ width: 60; height: auto; border: round $primary; background: $surface; padding: 0 1; }}
"""


class FactorScreen(ModalScreen[str | None]):
    """Asks for the second factor for the act *op*; answers it, ``None`` when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]
    DEFAULT_CSS = _CSS.format("FactorScreen")

    def __init__(self, op: str) -> None:
        super().__init__()
        self._what = TABLE[op].help

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield LocalizedText(Text("your second factor", "二次认证"), classes="title")
            yield LocalizedText(self._what)
            yield Input(password=True, compact=True)
            yield LocalizedText(
                Toned(Text("Enter: go on. Esc: nothing happens.", "回车：继续。Esc：不作更改。"), "dim")
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it."""
        self.dismiss(event.value or None)


class LockScreen(ModalScreen[None]):
    """Stands before everything until whoever sits here has given their second factor."""

    DEFAULT_CSS = _CSS.format("LockScreen") + "LockScreen { background: $background; }"

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield LocalizedText(Text("locked: your second factor", "已锁定：请输入二次认证"), classes="title")
            yield Input(password=True, compact=True)
            yield LocalizedText(
                Toned(
                    Text(
                        "Enter: unlock. To end it instead, close this terminal.",
                        "回车：解锁。如需结束，请关闭本终端。",
                    ),
                    "dim",
                )
            )
            yield LocalizedText(id="wrong")

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Try it."""
        self.run_worker(self._try(event.value), group="unlock", exclusive=True)

    async def _try(self, secret: str) -> None:
        field = self.query_one(Input)
        field.value = ""
        try:
            await program_of(self).agent.give(secret)
        except ShoumiError as error:
            self.query_one("#wrong", LocalizedText).say(Toned(error.text, "bad"))
        else:
            self.dismiss()

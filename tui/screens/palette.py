"""Command palette (``:`` and ``ctrl+p``): every place and action by name, in either language.

Rules of this file: an action that cannot be used now is listed with the reason; choosing it only shows the reason
again. The search covers id, title and help in both languages, so that one language is enough.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from agent.language.catalogue import both
from rules.text import Message
from tui.actions import key_of
from tui.i18n import LocalizedText
from tui.interface import program_of
from tui.keys.shape import KeyAction
from tui.render.cells import Toned
from tui.widgets.table import Table
from tui.widgets.virtual_list import Column


class Palette(ModalScreen[str | None]):
    """Answers the id of the action chosen, or ``None``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("pageup", "move(-8)", show=False, priority=True),
        Binding("pagedown", "move(8)", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    Palette { align: center top; }
    Palette > Vertical { width: 100%; max-width: 100; height: 20; padding: 0 1;
                         border: round $primary; background: $surface; }
    Palette Input { background: $boost; }
    """

    def __init__(self, actions: Sequence[KeyAction]) -> None:
        super().__init__()
        self._actions = [action for action in actions if action.id != "everywhere.jump"]

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield LocalizedText(Message("tui.palette-keys"))
            yield Input(id="words", compact=True)
            table = Table(
                (
                    Column(Message("tui.key"), lambda row: row["key"], 8),
                    Column(Message("common.object-name"), lambda row: row["title"], 18),
                    Column(Message("tui.column-help"), lambda row: row["about"]),
                ),
                "id",
                empty=Message("tui.no-match"),
            )
            table.can_focus = False
            yield table

    def on_mount(self) -> None:
        """List every action, places first."""
        program = program_of(self)
        rows = []
        for action in sorted(self._actions, key=lambda action: not action.method.startswith("do_go_")):
            reason = program.why_not(action)
            about = action.help if reason is None else Toned(Message("common.aside", text=reason), "dim")
            search_text = " ".join((action.id, *both(action.title), *both(action.help)))
            rows.append(
                {"id": action.id, "key": key_of(action, program.keymap), "title": action.title, "about": about}
                | {"words": search_text}
            )
        self.query_one(Table).show(rows)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the matches."""
        table = self.query_one(Table)
        table.filter(event.value)
        table.go_to(0)

    def on_input_submitted(self) -> None:
        """Answer the highlighted action."""
        row = self.query_one(Table).current()
        if row:
            self.dismiss(row["id"])

    def action_move(self, by: int) -> None:
        """Highlight another line while typing."""
        self.query_one(Table).action_move(by)

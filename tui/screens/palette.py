"""``:`` and ``ctrl+p``: everything that can be gone to or done, by name, in either language.

Rules of this file: what cannot be done now is listed too, with the reason; choosing it does nothing else than say it
again. It finds by id, by title and by help, so that somebody who knows one language of the two gets along.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from rules.text import Text
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
            yield LocalizedText(
                Text("Where to, or what? Enter: do it. Esc: back.", "去哪里或做什么？回车：执行。Esc：返回。")
            )
            yield Input(id="words", compact=True)
            table = Table(
                (
                    Column(Text("key", "按键"), lambda row: row["key"], 8),
                    Column(Text("name", "名称"), lambda row: row["title"], 18),
                    Column(Text("what it does", "作用"), lambda row: row["about"]),
                ),
                "id",
                empty=Text("nothing is called like that", "没有这样的名称"),
            )
            table.can_focus = False
            yield table

    def on_mount(self) -> None:
        """List everything, places first."""
        program = program_of(self)
        rows = []
        for action in sorted(self._actions, key=lambda action: not action.method.startswith("do_go_")):
            why = program.why_not(action)
            about = action.help if why is None else Toned(Text(f"({why.en})", f"（{why.zh}）"), "dim")
            words = " ".join((action.id, *action.title, *action.help))
            rows.append(
                {"id": action.id, "key": key_of(action, program.keymap), "title": action.title, "about": about}
                | {"words": words}
            )
        self.query_one(Table).show(rows)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        table = self.query_one(Table)
        table.filter(event.value)
        table.go_to(0)

    def on_input_submitted(self) -> None:
        """Take what is highlighted."""
        row = self.query_one(Table).current()
        if row:
            self.dismiss(row["id"])

    def action_move(self, by: int) -> None:
        """Highlight another line while typing."""
        self.query_one(Table).action_move(by)

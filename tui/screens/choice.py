"""Choice of one from several: a small list over the screen."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from rules.text import Message, Sentence, Text
from tui.i18n import LocalizedText
from tui.render.cells import Toned
from tui.widgets.table import Table
from tui.widgets.virtual_list import Column


class ChoiceScreen(ModalScreen[int | None]):
    """Asks for one of *choices*; answers its index, ``None`` when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("enter", "take", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    ChoiceScreen { align: center middle; }
    ChoiceScreen > Vertical { width: 90%; max-width: 90; height: auto; max-height: 80%; padding: 0 1;
                          border: round $primary; background: $surface; }
    ChoiceScreen .title { text-style: bold; }
    ChoiceScreen Table { height: auto; max-height: 14; min-height: 3; }
    """

    def __init__(self, title: Sentence, choices: Sequence[Sentence]) -> None:
        super().__init__()
        self._heading = title
        self._rows = [{"place": place, "label": label} for place, label in enumerate(choices)]

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield LocalizedText(self._heading, classes="title")
            yield Table([Column(Text("", ""), lambda row: row["label"])], "place")
            yield LocalizedText(Toned(Message("tui.choice-keys"), "dim"))

    def on_mount(self) -> None:
        """Show the choices."""
        table = self.query_one(Table)
        table.show(self._rows)
        table.styles.height = min(14, len(self._rows) + 1)
        table.focus()

    def action_take(self) -> None:
        """Answer the highlighted choice."""
        row = self.query_one(Table).current()
        self.dismiss(row["place"] if row else None)

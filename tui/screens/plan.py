"""The screen of a plan to agree to, or of a result: see :mod:`tui.render.plan`."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from rules.text import Message, Sentence
from rules.visible import visible
from tui.i18n import LocalizedText
from tui.render.cells import GLYPHS, NOTHING, Toned
from tui.render.plan import PlanPage, pieces
from tui.widgets.scroll import ScrollArea


class PlanScreen(ModalScreen[bool]):
    """Shows a :class:`PlanPage`; answers whether the user agreed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", show=False),
        Binding("pageup", "scroll(-1)", show=False, priority=True),
        Binding("pagedown", "scroll(1)", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    PlanScreen { align: center middle; }
    PlanScreen > Vertical { width: 90%; max-width: 100; height: auto; max-height: 100%; padding: 0 1;
                            border: round $primary; background: $surface; }
    PlanScreen Input { background: $boost; }
    PlanScreen .title { text-style: bold; margin-bottom: 1; }
    PlanScreen .below { margin-top: 1; }
    """

    def __init__(self, plan: PlanPage) -> None:
        super().__init__()
        self._plan = plan

    def compose(self) -> ComposeResult:
        """Lay it out."""
        plan = self._plan
        with Vertical():
            yield LocalizedText(plan.title, classes="title")
            with ScrollArea(can_focus=not plan.name):
                yield LocalizedText(*pieces(plan.lines))
            if plan.warning:
                yield LocalizedText(
                    Toned(GLYPHS["warning"] + " ", "warning"), Toned(plan.warning, "warning"), classes="below"
                )
            if plan.name:
                yield LocalizedText(_type_the_name(plan.name, plan.typed), classes="below")
                yield Input(id="name", compact=True)
                yield LocalizedText("", id="wrong")
            else:
                yield LocalizedText(Message("tui.esc-close"), classes="below")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Agree if the typed name matches."""
        if event.value.strip() == visible(self._plan.name):
            self.dismiss(True)
        else:
            text = Message("tui.name-does-not-match", typed=event.value or NOTHING)
            self.query_one("#wrong", LocalizedText).update(Toned(text, "bad"))

    def action_scroll(self, by: int) -> None:
        """Scroll a long plan while the name is being typed."""
        self.query_one(ScrollArea).scroll_relative(y=by * 8, animate=False)


def _type_the_name(name: str, description: Sentence | None) -> Message:
    return (
        Message("tui.type-name-with-meaning", name=name, meaning=description)
        if description
        else Message("tui.type-name", name=name)
    )

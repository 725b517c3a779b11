"""A plan to be agreed to, or a result to be read: see :mod:`tui.render.plan`."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from rules.text import Text
from rules.visible import visible
from tui.i18n import LocalizedText
from tui.render.cells import GLYPHS, NOTHING, Toned
from tui.render.plan import PlanPage, pieces
from tui.widgets.scroll import ScrollArea


class PlanScreen(ModalScreen[bool]):
    """Shows a :class:`PlanPage`; answers whether it was agreed to."""

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
                said = visible(plan.name)
                what = (f" ({plan.typed.en})", f"（{plan.typed.zh}）") if plan.typed else ("", "")
                yield LocalizedText(
                    Text(f"To go on, type `{said}`{what[0]} and press Enter. Esc: nothing happens.",
                         f"若要继续，请输入 `{said}`{what[1]} 并按回车。Esc：不作任何更改。"),
                    classes="below",
                )  # fmt: skip
                yield Input(id="name", compact=True)
                yield LocalizedText("", id="wrong")
            else:
                yield LocalizedText(Text("Esc: close", "Esc：关闭"), classes="below")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Agree, when the name is right."""
        if event.value.strip() == visible(self._plan.name):
            self.dismiss(True)
        else:
            said = visible(event.value) or NOTHING
            text = Text(f"`{said}` is not the name above", f"`{said}` 与上面的名称不符")
            self.query_one("#wrong", LocalizedText).say(Toned(text, "bad"))

    def action_scroll(self, by: int) -> None:
        """Page through a long plan while the name is being typed."""
        self.query_one(ScrollArea).scroll_relative(y=by * 8, animate=False)

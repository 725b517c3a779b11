"""``?``: what can be done here, made from the registry."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from rules.text import Text
from tui.actions import key_of
from tui.i18n import LocalizedText, language_of
from tui.interface import program_of
from tui.keys import PLACES, actions_of
from tui.keys.shape import EVERYWHERE, KeyAction
from tui.render.cells import Piece, Tone, Toned, fit, wrap

_HABITS = (
    Text(
        "Arrows or j k move, Page Up and Page Down turn pages, Home and End go to the ends, Tab to the other list.",
        "方向键或 j k 移动，PgUp/PgDn 翻页，Home/End 到两端，Tab 切换列表。",
    ),
    Text(
        "A key in brackets cannot be used now; pressing it says why.",
        "括号中的按键当前不可用，按下会说明原因。",
    ),
    Text(
        "To mark text with the mouse, hold Shift; started with --no-mouse, it is marked as everywhere.",
        "用鼠标选取文字时请按住 Shift；以 --no-mouse 启动则可直接选取。",
    ),
)
_KEY_CELLS = 8
_TITLE_CELLS = 14
_WIDEST, _FRAME = 100, 6


class HelpScreen(ModalScreen[None]):
    """Help for one place."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter,f1", "dismiss", show=False)]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > Vertical { width: 100%; max-width: 100; height: auto; max-height: 100%; padding: 0 1;
                            border: round $primary; background: $surface; }
    HelpScreen VerticalScroll { height: auto; max-height: 1fr; }
    """

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(), VerticalScroll():
            yield LocalizedText(*self._pieces())

    def on_resize(self) -> None:
        """Measure the columns again."""
        self.on_language()

    def on_language(self) -> None:
        """Measure the columns again."""
        self.query_one(LocalizedText).say(*self._pieces())

    def _pieces(self) -> list[Piece]:
        place = PLACES[self._place]
        everywhere = actions_of(EVERYWHERE)
        found: list[Piece] = [Toned(place.title, "strong"), "  ", place.help, "\n", "\n"]
        for action in actions_of(self._place):
            found += self._line(action)
        found += ["\n", Toned(Text("everywhere", "所有屏幕"), "strong"), "\n"]
        for action in everywhere:
            found += self._line(action)
        found.append("\n")
        for habit in _HABITS:
            found += [habit, "\n"]
        return found[:-1]

    def _line(self, action: KeyAction) -> list[Piece]:
        program, language = program_of(self), language_of(self)
        key, title = fit(key_of(action, program.keymap), _KEY_CELLS), fit(action.title.say(language), _TITLE_CELLS)
        lines: list[tuple[str, Tone]] = [(line, "plain") for line in self._wrapped(action.help)]
        if why := program.why_not(action):
            lines += [(line, "warning") for line in self._wrapped(why)]
        pieces: list[Piece] = [Toned(key, "strong"), title]
        for number, (line, tone) in enumerate(lines):
            pieces += ["\n", " " * (_KEY_CELLS + _TITLE_CELLS)] if number else []
            pieces.append(Toned(line, tone))
        return [*pieces, "\n"]

    def _wrapped(self, text: Text) -> list[str]:
        room = min(self.app.size.width, _WIDEST) - _FRAME - _KEY_CELLS - _TITLE_CELLS
        return wrap(text.say(language_of(self)), room)

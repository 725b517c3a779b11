"""Help screen (``?``): the keys of a place, made from the registry."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from agent.language.catalogue import localized
from rules.text import Message, Sentence
from tui.actions import key_of
from tui.i18n import LocalizedText, language_of
from tui.interface import program_of
from tui.keys import PLACES, actions_of
from tui.keys.shape import EVERYWHERE, KeyAction
from tui.render.cells import Piece, Tone, Toned, fit, wrap

_HABITS = (
    Message("tui.help-moving"),
    Message("tui.help-unavailable-keys"),
    Message("tui.help-selecting-text"),
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
        self.query_one(LocalizedText).update(*self._pieces())

    def _pieces(self) -> list[Piece]:
        place = PLACES[self._place]
        everywhere = actions_of(EVERYWHERE)
        pieces: list[Piece] = [Toned(place.title, "strong"), "  ", place.help, "\n", "\n"]
        for action in actions_of(self._place):
            pieces += self._line(action)
        pieces += ["\n", Toned(Message("tui.everywhere"), "strong"), "\n"]
        for action in everywhere:
            pieces += self._line(action)
        pieces.append("\n")
        for habit in _HABITS:
            pieces += [habit, "\n"]
        return pieces[:-1]

    def _line(self, action: KeyAction) -> list[Piece]:
        program, language = program_of(self), language_of(self)
        key, title = (
            fit(key_of(action, program.keymap), _KEY_CELLS),
            fit(localized(action.title, language), _TITLE_CELLS),
        )
        lines: list[tuple[str, Tone]] = [(line, "plain") for line in self._wrapped(action.help)]
        if reason := program.why_not(action):
            lines += [(line, "warning") for line in self._wrapped(reason)]
        pieces: list[Piece] = [Toned(key, "strong"), title]
        for number, (line, tone) in enumerate(lines):
            pieces += ["\n", " " * (_KEY_CELLS + _TITLE_CELLS)] if number else []
            pieces.append(Toned(line, tone))
        return [*pieces, "\n"]

    def _wrapped(self, text: Sentence) -> list[str]:
        room = min(self.app.size.width, _WIDEST) - _FRAME - _KEY_CELLS - _TITLE_CELLS
        return wrap(localized(text, language_of(self)), room)

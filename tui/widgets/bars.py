"""The first and the last line of every screen: place, state of the agent, and keys.

Rules of this file: both are one line at any width. The loss of the agent stands first in the top line. A key that
cannot be used now stays in its position, in brackets, so that users find it again.
"""

from textual.content import Content
from textual.widget import Widget

from agent.language.catalogue import localized
from rules.text import Message
from tui.actions import key_of
from tui.i18n import language_of
from tui.interface import program_of
from tui.keys import PLACES, actions_at
from tui.render.cells import STYLES, Tone, words_of

_LOST = Message("tui.agent-lost")
_OLD = Message("tui.data-outdated-reconnecting")
_NO_ROLE = Message("tui.role-none")
_FIRST = ("everywhere.help", "everywhere.jump")  # shown whatever the width
_GAP = "  "


class Bar(Widget):
    """One line about *place*."""

    DEFAULT_CSS = "Bar { height: 1; background: $panel; }"

    def __init__(self, place: str) -> None:
        super().__init__(markup=False)
        self._place = place
        self._drawn = ""

    def redraw_if_changed(self) -> None:
        """Draw the line again if its text has changed: every drawn line costs bytes."""
        if self.line().plain != self._drawn:
            self.refresh()

    def render(self) -> Content:
        """Return the line."""
        line = self.line()
        self._drawn = line.plain
        return line

    def line(self) -> Content:
        """Return the current text."""
        raise NotImplementedError


class TopBar(Bar):
    """Place, agent and role."""

    def line(self) -> Content:
        """Return the line."""
        program, language = program_of(self), language_of(self)
        agent = program.agent
        parts: list[tuple[str, Tone]] = [
            (localized(Message("tui.brand", place=PLACES[self._place].title), language), "strong")
        ]
        if agent.trouble:
            parts.append((f"{localized(_LOST, language)}: {words_of(agent.trouble.text, language)}", "bad"))
            parts.append((localized(_OLD, language), "bad"))
        elif agent.standing:
            role = agent.standing.role
            parts.append((localized(role.text if role else _NO_ROLE, language), "plain" if role else "warning"))
        if count := len(program.jobs.running):
            parts.append((localized(Message("tui.jobs-running", count=count), language), "plain"))
        return _line(parts, " │ ", self.size.width)


class KeyBar(Bar):
    """The keys of the place, as many as fit, and always those that lead to the others."""

    def line(self) -> Content:
        """Return the line."""
        program, language = program_of(self), language_of(self)
        parts: list[tuple[str, Tone]] = []
        for action in sorted(actions_at(self._place), key=lambda action: action.id not in _FIRST):
            if not action.footer:
                continue
            label = f"{key_of(action, program.keymap)} {words_of(action.title, language)}"
            may = program.why_not(action) is None
            parts.append((label, "plain") if may else (f"({label})", "dim"))
        return _line(parts, _GAP, self.size.width)


def _line(parts: list[tuple[str, Tone]], gap: str, width: int) -> Content:
    """Return as many *parts* as fit; the first one is cut when it does not fit either."""
    line = Content(" ")
    for number, (text, tone) in enumerate(parts):
        part = Content.assemble(gap if number else "", (text, STYLES[tone]))
        if line.cell_length + part.cell_length > width and number:
            if tone == "bad":
                line = line + part
            break
        line = line + part
    return line.truncate(width, ellipsis=True)

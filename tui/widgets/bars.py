"""The first and the last line of every screen: where one is, how the agent is, and which keys there are.

Rules of this file: both are one line at any width. The agent's absence stands in the first line before anything else.
A key that cannot be used now stays in its place, in brackets, so that hands find it again.
"""

from textual.content import Content
from textual.widget import Widget

from rules.text import Text
from tui.actions import key_of
from tui.i18n import language_of
from tui.interface import program_of
from tui.keys import PLACES, here
from tui.render.cells import STYLES, Tone, words_of

_LOST = Text("✗ AGENT LOST", "✗ 代理失联")
_OLD = Text("below is old; trying again", "以下为旧数据，正在重连")
_NO_ROLE = Text("no role", "无角色")
_FIRST = ("everywhere.help", "everywhere.jump")  # whatever else there is no room for
_GAP = "  "


class Bar(Widget):
    """One line about *place*."""

    DEFAULT_CSS = "Bar { height: 1; background: $panel; }"

    def __init__(self, place: str) -> None:
        super().__init__(markup=False)
        self._place = place
        self._drawn = ""

    def look(self) -> None:
        """Draw it again if it says something else now: every line drawn is bytes."""
        if self.line().plain != self._drawn:
            self.refresh()

    def render(self) -> Content:
        """Return the line."""
        line = self.line()
        self._drawn = line.plain
        return line

    def line(self) -> Content:
        """Return what it says now."""
        raise NotImplementedError


class TopBar(Bar):
    """Place, agent and role."""

    def line(self) -> Content:
        """Return the line."""
        program, language = program_of(self), language_of(self)
        agent = program.agent
        parts: list[tuple[str, Tone]] = [(f"守密 {words_of(PLACES[self._place].title, language)}", "strong")]
        if agent.trouble:
            parts.append((f"{_LOST.say(language)}: {words_of(agent.trouble.text, language)}", "bad"))
            parts.append((_OLD.say(language), "bad"))
        elif agent.standing:
            role = agent.standing.role
            parts.append((role.text.say(language) if role else _NO_ROLE.say(language), "plain" if role else "warning"))
        if program.works.going:
            count = len(program.works.going)
            parts.append((Text(f"{count} running", f"{count} 项进行中").say(language), "plain"))
        return _line(parts, " │ ", self.size.width)


class KeyBar(Bar):
    """The keys of the place, as many as there is room for, and always those that lead to the rest."""

    def line(self) -> Content:
        """Return the line."""
        program, language = program_of(self), language_of(self)
        parts: list[tuple[str, Tone]] = []
        for action in sorted(here(self._place), key=lambda action: action.id not in _FIRST):
            if not action.footer:
                continue
            said = f"{key_of(action, program.keymap)} {words_of(action.title, language)}"
            may = program.why_not(action) is None
            parts.append((said, "plain") if may else (f"({said})", "dim"))
        return _line(parts, _GAP, self.size.width)


def _line(parts: list[tuple[str, Tone]], gap: str, width: int) -> Content:
    """Return as many *parts* as fit; the first one is cut when even that does not."""
    line = Content(" ")
    for number, (words, tone) in enumerate(parts):
        part = Content.assemble(gap if number else "", (words, STYLES[tone]))
        if line.cell_length + part.cell_length > width and number:
            if tone == "bad":
                line = line + part
            break
        line = line + part
    return line.truncate(width, ellipsis=True)

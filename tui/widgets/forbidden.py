"""Notice in a place that the role may not use: the reason, and nothing else of the place."""

from textual.content import Content
from textual.widget import Widget

from rules.text import Message
from tui.i18n import language_of
from tui.interface import program_of
from tui.render.cells import Toned, content


class ForbiddenNotice(Widget):
    """One line with the reason; empty when there is none."""

    DEFAULT_CSS = "ForbiddenNotice { height: auto; padding: 0 1; }"

    def __init__(self, ops: tuple[str, ...]) -> None:
        super().__init__(markup=False)
        self._ops = ops

    def render(self) -> Content:
        """Return the reason."""
        agent = program_of(self).agent
        reason = agent.not_mine(*self._ops)
        if reason is None:
            return Content()
        return content(language_of(self), Toned(Message("tui.place-not-permitted", reason=reason), "warning"))

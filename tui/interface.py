"""What screens and widgets may expect of the program they are part of.

Rules of this file: an interface, so that no screen imports the application and the application can load screens late.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from textual.dom import DOMNode

from agent.errors import ShoumiError
from rules.text import Language, Text
from tui.agent import AgentSession
from tui.jobs import JobList, LongWork
from tui.keys.shape import KeyAction
from tui.render.cells import Tone
from tui.render.plan import PlanPage


class TerminalProgram(Protocol):
    """The running terminal."""

    language: Language
    agent: AgentSession
    keymap: Mapping[str, str]
    works: JobList
    verified: int  # the number up to which this terminal had the log verified; 0: not yet

    def why_not(self, action: KeyAction) -> Text | None:
        """Return why *action* cannot be done now."""

    def tell(self, text: Text, tone: Tone = "plain") -> None:
        """Show a sentence for a few seconds."""

    def tell_error(self, error: ShoumiError) -> None:
        """Show an error and its hint."""

    def begin(self, title: Text, work: LongWork) -> None:
        """Do something that may take long and goes on when the screen is left; see :data:`tui.jobs.LongWork`."""

    def go(self, place: str, **how: Any) -> None:
        """Show a place; ``how`` is handed to its screen's ``arrive``."""

    async def agreed(self, plan: PlanPage) -> bool:
        """Show a plan, ask for the name to be typed, and return whether it was. Only in a worker."""

    def copy(self, text: str, name: str) -> None:
        """Send *text* to the terminal's clipboard; a long one also goes to a file called like *name*."""

    def folder(self) -> Path:
        """Return the folder for what the user takes away (exports, long copies)."""


def program_of(node: DOMNode) -> TerminalProgram:
    """Return the program *node* is part of."""
    return cast("TerminalProgram", node.app)

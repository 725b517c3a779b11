"""The interface of the program for its screens and widgets.

Rules of this file: an interface only, so that no screen imports the application and the application loads screens late.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from textual.dom import DOMNode

from agent.errors import ShoumiError
from rules.text import Language, Sentence
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
    jobs: JobList
    verified: int  # the number up to which this terminal had the log verified; 0: not yet

    def why_not(self, action: KeyAction) -> Sentence | None:
        """Return why *action* cannot be used now; ``None`` when it can."""

    def tell(self, text: Sentence, tone: Tone = "plain") -> None:
        """Show a notification for a few seconds."""

    def tell_error(self, error: ShoumiError) -> None:
        """Show an error and its hint."""

    def begin(self, title: Sentence, work: LongWork) -> None:
        """Start a job that continues when the user leaves the screen; see :data:`tui.jobs.LongWork`."""

    def go(self, place: str, **options: Any) -> None:
        """Show a place; *options* are passed to ``on_navigate`` of its screen."""

    async def agreed(self, plan: PlanPage) -> bool:
        """Show a plan, ask for its name, and return whether the user typed it. Only in a worker."""

    def copy(self, text: str, name: str) -> None:
        """Send *text* to the terminal's clipboard; a long one also goes to a file named after *name*."""

    def folder(self) -> Path:
        """Return the folder for exports and long copies."""


def program_of(node: DOMNode) -> TerminalProgram:
    """Return the program of *node*."""
    return cast("TerminalProgram", node.app)

"""What every place has: the two bars, a way to load, a way back.

Rules of this file: a screen's own state changes only in its own methods, on the event loop; what comes from the agent
is awaited there. A screen that is not shown asks for nothing.
"""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.worker import Worker

from agent.api.proposed import ProposedError
from agent.errors import ShoumiError, UnreachableError
from rules.text import Text
from tui.actions import bindings
from tui.agent import AgentSession
from tui.interface import TerminalProgram, program_of
from tui.keys import ACTIONS, PLACES
from tui.widgets.bars import Bar, KeyBar, TopBar


class BaseScreen(Screen[None]):
    """A place. A subclass names it in ``PLACE``, makes :meth:`body`, and has a ``do_…`` for each of its actions."""

    PLACE: ClassVar[str]
    EVERY: ClassVar[float] = 0.0  # seconds between two loads while it is shown; 0: only when asked

    def __init_subclass__(cls, **how: Any) -> None:
        """Bind the keys of the place."""
        if "PLACE" in cls.__dict__:
            cls.BINDINGS = [*bindings(cls.PLACE), *cls.__dict__.get("BINDINGS", [])]
        super().__init_subclass__(**how)

    # For subclasses ---------------------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """Make what stands between the bars."""
        raise NotImplementedError

    async def load(self) -> None:
        """Ask the agent for what is shown, and show it. Errors may pass: they are told."""

    def arrive(self, **how: Any) -> None:
        """Somebody comes here; ``how`` is what :meth:`tui.interface.TerminalProgram.go` was given."""

    async def leave(self) -> bool:
        """Go back inside the screen (close a filter, a pane); return whether there was anything to go back from."""
        return False

    def why_not(self, action: str) -> Text | None:
        """Return why the action of this id cannot be done now, beyond what the role allows."""
        return None

    def agent_changed(self) -> None:
        """The agent is lost, or back, or the role is another: load again when it can answer."""
        if self.agent.trouble is None and self.is_current:
            self.start(self.load)

    # Shared -----------------------------------------------------------------------------------------------------------

    @property
    def program(self) -> TerminalProgram:
        """The program."""
        return program_of(self)

    @property
    def agent(self) -> AgentSession:
        """The agent."""
        return self.program.agent

    def start(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any, group: str = "load") -> None:
        """Do ``work(*args)`` beside the keys; a newer one of the same group takes its place. What it raises is told."""
        _: Worker[None] = self.run_worker(partial(self._told, work, *args), group=group, exclusive=True)

    def refresh_bars(self) -> None:
        """Draw the bars again, where they say something else now."""
        for bar in self.query(Bar):
            with suppress(NoMatches):  # another screen is being laid out at this moment, and draws its own
                bar.look()

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield TopBar(self.PLACE)
        if ops := PLACES[self.PLACE].ops:
            from tui.widgets.forbidden import ForbiddenNotice

            yield ForbiddenNotice(ops)
        yield from self.body()
        yield KeyBar(self.PLACE)

    def on_mount(self) -> None:
        """Load, and again as often as the place wants."""
        if self.agent.trouble:
            self.agent_changed()  # when it was lost there was nothing yet to say it on
        if self.EVERY:
            self.set_interval(self.EVERY, self._again)

    def on_screen_resume(self) -> None:
        """Load what is shown."""
        self.start(self.load)

    async def on_lines_opened(self) -> None:
        """Do what Enter does here."""
        ident = f"{self.PLACE}.open"
        if ident in ACTIONS:
            await self.run_action(f"app.act('{ident}')")

    def _again(self) -> None:
        loading = any(one.node is self and one.group == "load" and not one.is_finished for one in self.workers)
        if self.is_current and self.agent.trouble is None and not loading:  # a slow answer is waited for
            self.start(self.load)

    async def _told(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        try:
            await work(*args)
        except NoMatches:
            if self.is_attached and self.app.is_running:  # a program that ends takes its screens down piece by piece
                raise
            return  # the program was left while the agent was answering
        except ProposedError as waits:
            self.program.tell(waits.text, "warning")
        except UnreachableError as error:
            if self.agent.trouble is None:  # else the first line says so already
                self.program.tell_error(error)
        except ShoumiError as error:
            self.program.tell_error(error)
        self.refresh_bars()

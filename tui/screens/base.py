"""Base of every screen: the two bars, loading, and going back.

Rules of this file: the state of a screen changes only in its own methods, on the event loop; answers of the agent are
awaited there. A screen that is not shown calls nothing.
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
from rules.text import Sentence
from tui.actions import bindings
from tui.agent import AgentSession
from tui.interface import TerminalProgram, program_of
from tui.keys import ACTIONS, PLACES
from tui.widgets.bars import Bar, KeyBar, TopBar


class BaseScreen(Screen[None]):
    """A place. A subclass names it in ``PLACE``, implements :meth:`body`, and has a ``do_…`` for each action."""

    PLACE: ClassVar[str]
    EVERY: ClassVar[float] = 0.0  # seconds between two loads while it is shown; 0: only on request

    def __init_subclass__(cls, **options: Any) -> None:
        """Bind the keys of the place."""
        if "PLACE" in cls.__dict__:
            cls.BINDINGS = [*bindings(cls.PLACE), *cls.__dict__.get("BINDINGS", [])]
        super().__init_subclass__(**options)

    # For subclasses ---------------------------------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """Yield the widgets between the bars."""
        raise NotImplementedError

    async def load(self) -> None:
        """Fetch the content from the agent and show it. Errors may propagate: they are reported."""

    def on_navigate(self, **options: Any) -> None:
        """Handle navigation to this place with the *options* of :meth:`tui.interface.TerminalProgram.go`."""

    async def leave(self) -> bool:
        """Go back inside the screen (close a filter, a pane); return whether anything was closed."""
        return False

    def why_not(self, action: str) -> Sentence | None:
        """Return why the action of this id cannot be used now, apart from the role; ``None`` when it can."""
        return None

    def agent_changed(self) -> None:
        """Load again after the agent was lost or reached, or the role changed, if it can answer."""
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
        """Run ``work(*args)`` in a worker, in place of an older one of the same *group*; its errors are reported."""
        _: Worker[None] = self.run_worker(partial(self._report_errors, work, *args), group=group, exclusive=True)

    def refresh_bars(self) -> None:
        """Draw the bars again where their text has changed."""
        for bar in self.query(Bar):
            with suppress(NoMatches):  # another screen is being composed at this moment, and draws its own bars
                bar.redraw_if_changed()

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield TopBar(self.PLACE)
        if ops := PLACES[self.PLACE].ops:
            from tui.widgets.forbidden import ForbiddenNotice

            yield ForbiddenNotice(ops)
        yield from self.body()
        yield KeyBar(self.PLACE)

    def on_mount(self) -> None:
        """Load, and repeat as often as the place requires."""
        if self.agent.trouble:
            self.agent_changed()  # when it was lost no widget existed yet to show it
        if self.EVERY:
            self.set_interval(self.EVERY, self._reload)

    def on_screen_resume(self) -> None:
        """Load the content."""
        self.start(self.load)

    async def on_lines_opened(self) -> None:
        """Execute the action of Enter."""
        ident = f"{self.PLACE}.open"
        if ident in ACTIONS:
            await self.run_action(f"app.act('{ident}')")

    def _reload(self) -> None:
        loading = any(
            worker.node is self and worker.group == "load" and not worker.is_finished for worker in self.workers
        )
        if self.is_current and self.agent.trouble is None and not loading:  # a slow answer is awaited
            self.start(self.load)

    async def _report_errors(self, work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        try:
            await work(*args)
        except NoMatches:
            if self.is_attached and self.app.is_running:  # a program that exits removes its widgets one by one
                raise
            return  # the user quit while the agent was answering
        except ProposedError as waits:
            self.program.tell(waits.text, "warning")
        except UnreachableError as error:
            if self.agent.trouble is None:  # else the top bar says so already
                self.program.tell_error(error)
        except ShoumiError as error:
            self.program.tell_error(error)
        self.refresh_bars()

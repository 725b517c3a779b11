"""The terminal application: one program that shows one place at a time.

Rules of this file: it holds what all screens share (the agent, the language, the keys, running jobs) and imports none
of them: a place is loaded when the user goes there. Every action of a key passes :func:`tui.actions.perform`.
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Event, InputEvent
from textual.reactive import reactive
from textual.screen import Screen
from textual.worker import Worker

from agent.errors import ShoumiError
from agent.language.catalogue import localized
from agent.language.errors import error_lines
from agent.runtime.home import Home
from rules.text import Language, Message, Sentence, foreign, labelled
from tui import actions, clipboard
from tui.agent import AgentSession
from tui.jobs import JobList, LongWork
from tui.keys import PLACE_ACTIONS, PLACES, actions_at
from tui.keys.shape import EVERYWHERE, KeyAction
from tui.render.cells import Tone, words_of
from tui.render.plan import PlanPage
from tui.screens.base import BaseScreen
from tui.settings import THEMES, Settings

_SEVERITY: dict[Tone, Any] = {"bad": "error", "warning": "warning"}
_IDLE_CHECK = 10.0  # seconds between two checks for idleness
_LIFE = 5.0  # seconds a notification is shown; an error twice as long


class Terminal(App[None]):
    """The administration terminal of the site at *home*."""

    ENABLE_COMMAND_PALETTE = False  # ours is made from the registry and shows why an action cannot be used
    INLINE_PADDING = 0
    BINDINGS: ClassVar[list[BindingType]] = [
        *actions.bindings(EVERYWHERE),
        Binding("ctrl+c", "help_quit", show=False, system=True),
    ]
    CSS = """
    Screen { layout: vertical; }
    ToastRack { margin-bottom: 1; }
    Toast { max-width: 76; }
    """

    language: reactive[Language] = reactive[Language]("en", init=False)

    def __init__(self, home: Home, language: Language, settings: Settings | None = None, place: str = "home") -> None:
        self.settings = settings = settings or Settings.at(home)
        super().__init__(ansi_color=True if settings.colourless else None)  # otherwise Textual still draws greys
        self.animation_level = "none"  # every frame of an animation is bytes over ssh
        self.set_reactive(Terminal.language, language)
        self._trouble = settings.trouble
        self.keymap: Mapping[str, str] = settings.keys
        self.theme = settings.theme
        self.agent = AgentSession(home, self._agent_changed, self._ask_factor)
        self.touched_at = time.monotonic()
        self.locked = False
        self.jobs = JobList(self._bars)
        self.verified = 0
        self._first = place
        self._screens: dict[str, BaseScreen] = {}

    # Starting and ending ----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show the first place, and start to watch the agent. A terminating signal restores the terminal first."""
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self.exit, None, 128 + number)
        self.push_screen(self._screen(self._first))
        self.set_keymap(self.keymap)
        _: Worker[None] = self.run_worker(self.agent.watch, group="watch")
        if self._trouble:
            self.tell(self._trouble, "warning")
        if self.settings.lock_minutes:
            self.set_interval(_IDLE_CHECK, self.lock_when_idle)

    async def on_event(self, event: Event) -> None:
        """Record the time of the last key or mouse event."""
        if isinstance(event, InputEvent):
            self.touched_at = time.monotonic()
        await super().on_event(event)

    def lock_when_idle(self) -> None:
        """Lock when the user has been idle for as long as the settings say; quit where there is no second factor."""
        if self.locked or time.monotonic() - self.touched_at < self.settings.lock_minutes * 60:
            return
        if self.agent.factor:
            from tui.screens.lock import LockScreen

            self.locked = True
            self.push_screen(LockScreen(), self._unlocked)
        else:
            self.exit(message=localized(Message("tui.closed-when-idle"), self.language))

    def _unlocked(self, _answer: None) -> None:
        self.locked, self.touched_at = False, time.monotonic()

    async def _ask_factor(self, op: str) -> str | None:
        from tui.screens.lock import FactorScreen

        return await self.push_screen_wait(FactorScreen(op))

    def on_unmount(self) -> None:
        """Close the connections to the agent."""
        self.agent.close()

    # Actions ----------------------------------------------------------------------------------------------------------

    async def action_act(self, ident: str) -> None:
        """Execute the action of this id. Every binding of the terminal leads here."""
        await actions.perform(self, ident)

    def target(self, action: KeyAction) -> object:
        """Return the object whose method executes *action*."""
        return self if action.place == EVERYWHERE else self.screen

    def why_not(self, action: KeyAction) -> Sentence | None:
        """Return why *action* cannot be used now. A place can be shown even while the agent is unreachable."""
        if action.id in PLACE_ACTIONS:
            return self.agent.not_mine(*action.ops)
        if action.ops and (reason := self.agent.why_not(*action.ops)):
            return reason
        screen = self.screen
        return screen.why_not(action.id) if isinstance(screen, BaseScreen) else None

    def refuse(self, action: KeyAction, reason: Sentence) -> None:
        """Show why *action* cannot be used."""
        self.tell(labelled(action.title, reason), "warning")

    async def do_help(self) -> None:
        """Show the keys of this place."""
        from tui.screens.help import HelpScreen

        await self.push_screen(HelpScreen(self._place()))

    async def do_jump(self) -> None:
        """Show every place and action of this screen; execute the chosen one."""
        from tui.screens.palette import Palette

        def chosen(ident: str | None) -> None:
            if ident:
                _: Worker[bool] = self.run_worker(partial(actions.perform, self, ident))

        await self.push_screen(Palette(actions_at(self._place())), chosen)

    async def do_back(self) -> None:
        """Go one level up; on the first screen do nothing."""
        screen = self.screen
        if isinstance(screen, BaseScreen) and await screen.leave():
            return
        if self._place() != "home":
            self.go("home")

    async def do_refresh(self) -> None:
        """Load the screen again."""
        if isinstance(self.screen, BaseScreen):
            self.screen.start(self.screen.load)

    def do_language(self) -> None:
        """Switch to the other language."""
        self.language = "en" if self.language == "zh" else "zh"

    def do_colours(self) -> None:
        """Switch to the next theme."""
        self.theme = THEMES[(THEMES.index(self.theme) + 1) % len(THEMES)] if self.theme in THEMES else THEMES[0]
        self.tell(Message("tui.theme-is", theme=self.theme))

    async def do_running(self) -> None:
        """Show the running jobs."""
        from tui.screens.jobs import JobsScreen

        await self.push_screen(JobsScreen())

    def do_quit(self) -> None:
        """Quit."""
        self.exit()

    def action_help_quit(self) -> None:
        """Show how to quit: ``ctrl+c`` does nothing else."""
        self.tell(Message("tui.press-ctrl-q-to-quit"))

    # For screens ------------------------------------------------------------------------------------------------------

    def go(self, place: str, **options: Any) -> None:
        """Show a place in the state it was left in."""
        screen = self._screen(place)
        if screen is not self.screen:
            self.switch_screen(screen)
        screen.call_after_refresh(screen.on_navigate, **options)

    def tell(self, text: Sentence, tone: Tone = "plain") -> None:
        """Show a notification for a few seconds; none while the terminal is locked."""
        if self.locked:
            return
        severity = _SEVERITY.get(tone, "information")
        life = _LIFE * 2 if tone == "bad" else _LIFE
        self.notify(words_of(text, self.language), severity=severity, timeout=life, markup=False)

    def tell_error(self, error: ShoumiError) -> None:
        """Show an error and its hint."""
        if self.locked:
            return
        lines = error_lines(error, self.language)
        self.notify("\n".join(lines), severity="error", timeout=_LIFE * 2, markup=False)

    def begin(self, title: Sentence, work: LongWork) -> None:
        """Start a job that continues when the user leaves the screen."""

        async def run() -> None:
            job = self.jobs.begin(title)
            try:
                if outcome := await work(job):
                    self.tell(outcome)
            except ShoumiError as error:
                self.tell_error(error)
            finally:
                self.jobs.end(job)

        _: Worker[None] = self.run_worker(run, group="works")

    async def agreed(self, plan: PlanPage) -> bool:
        """Show a plan, ask for its name, and return whether the user typed it."""
        from tui.screens.plan import PlanScreen

        screen: Screen[Any] = PlanScreen(plan)
        return bool(await self.push_screen_wait(screen))

    def copy(self, text: str, name: str) -> None:
        """Send *text* to the terminal's clipboard."""
        path = None
        if len(text.encode("utf-8", "surrogateescape")) > clipboard.LONG:
            try:
                path = clipboard.write(self.folder(), name, text.encode("utf-8", "surrogateescape"))
            except OSError as error:
                self.tell(foreign(str(error)), "bad")
        if self._driver:
            self._driver.write(clipboard.sequence(text))
        self.tell(clipboard.sent_message(path))

    def folder(self) -> Path:
        """Return the folder for exports and long copies."""
        return clipboard.folder(os.environ)

    # Inside -----------------------------------------------------------------------------------------------------------

    def watch_language(self) -> None:
        """Draw every screen in the other language."""
        for screen in {*self._screens.values(), *self.screen_stack}:
            for node in (screen, *screen.query("*")):
                spoken = getattr(node, "on_language", None)
                if spoken:
                    spoken()
                node.refresh(layout=True)

    def _screen(self, place: str) -> BaseScreen:
        if place not in self._screens:
            module, _, name = PLACES[place].screen.partition(":")
            screen = self._screens[place] = getattr(import_module(module), name)()
            self.install_screen(screen, place)  # it stays when another one is shown
        return self._screens[place]

    def _place(self) -> str:
        return self.screen.PLACE if isinstance(self.screen, BaseScreen) else "home"

    def _agent_changed(self) -> None:
        self._bars()
        for screen in self._screens.values():
            if screen.is_mounted:  # a new one loads on its own
                screen.agent_changed()

    def _bars(self) -> None:
        for screen in self._screens.values():
            screen.refresh_bars()

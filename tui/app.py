"""The terminal: one program, a place at a time.

Rules of this file: it holds what all screens share (the agent, the language, the keys, running work) and knows none of
them: a place is loaded when somebody goes there. Everything a key can do passes :func:`tui.actions.perform`.
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
from agent.runtime.home import Home
from rules.text import Language, Text
from tui import actions, clipboard
from tui.agent import AgentSession
from tui.jobs import JobList, LongWork
from tui.keys import PLACES, WAYS, here
from tui.keys.shape import EVERYWHERE, KeyAction
from tui.render.cells import Tone, words_of
from tui.render.plan import PlanPage
from tui.screens.base import BaseScreen
from tui.settings import THEMES, Settings

_SEVERITY: dict[Tone, Any] = {"bad": "error", "warning": "warning"}
_LOOK = 10.0  # seconds between two looks whether anybody is still there
_LIFE = 5.0  # seconds a sentence is shown; an error twice as long


class Terminal(App[None]):
    """The administration terminal of the site at *home*."""

    ENABLE_COMMAND_PALETTE = False  # ours is made from the registry and says why something cannot be done
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
        super().__init__(ansi_color=True if settings.colourless else None)  # only so are there no greys either
        self.animation_level = "none"  # every frame of an animation is bytes over ssh
        self.set_reactive(Terminal.language, language)
        self._trouble = settings.trouble
        self.keymap: Mapping[str, str] = settings.keys
        self.theme = settings.theme
        self.agent = AgentSession(home, self._agent_changed, self._ask_factor)
        self.touched_at = time.monotonic()
        self.locked = False
        self.works = JobList(self._bars)
        self.verified = 0
        self._first = place
        self._screens: dict[str, BaseScreen] = {}

    # Starting and ending ----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show the first place, and begin to watch the agent. A signal that ends us gives the terminal back first."""
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self.exit, None, 128 + number)
        self.push_screen(self._screen(self._first))
        self.set_keymap(self.keymap)
        _: Worker[None] = self.run_worker(self.agent.watch, group="watch")
        if self._trouble:
            self.tell(self._trouble, "warning")
        if self.settings.lock_minutes:
            self.set_interval(_LOOK, self.lock_when_idle)

    async def on_event(self, event: Event) -> None:
        """Take note of whoever touches a key or the mouse."""
        if isinstance(event, InputEvent):
            self.touched_at = time.monotonic()
        await super().on_event(event)

    def lock_when_idle(self) -> None:
        """Lock when nobody has touched anything for as long as the settings say; without a second factor, leave."""
        if self.locked or time.monotonic() - self.touched_at < self.settings.lock_minutes * 60:
            return
        if self.agent.factor:
            from tui.screens.lock import LockScreen

            self.locked = True
            self.push_screen(LockScreen(), self._unlocked)
        else:
            self.exit(message=Text("left: nobody has pressed a key", "无人操作，已退出").say(self.language))

    def _unlocked(self, _answer: None) -> None:
        self.locked, self.touched_at = False, time.monotonic()

    async def _ask_factor(self, op: str) -> str | None:
        from tui.screens.lock import FactorScreen

        return await self.push_screen_wait(FactorScreen(op))

    def on_unmount(self) -> None:
        """Let go of the agent."""
        self.agent.close()

    # Actions ----------------------------------------------------------------------------------------------------------

    async def action_act(self, ident: str) -> None:
        """Do the action of this id. Every binding of the terminal leads here."""
        await actions.perform(self, ident)

    def target(self, action: KeyAction) -> object:
        """Return whose method does *action*."""
        return self if action.place == EVERYWHERE else self.screen

    def why_not(self, action: KeyAction) -> Text | None:
        """Return why *action* cannot be done now. One may always go and look at what was there before."""
        if action.id in WAYS:
            return self.agent.not_mine(*action.ops)
        if action.ops and (why := self.agent.why_not(*action.ops)):
            return why
        screen = self.screen
        return screen.why_not(action.id) if isinstance(screen, BaseScreen) else None

    def refuse(self, action: KeyAction, why: Text) -> None:
        """Say that *action* cannot be done."""
        title = action.title
        self.tell(Text(f"{title.en}: {why.en}", f"{title.zh}：{why.zh}"), "warning")

    async def do_help(self) -> None:
        """Show what can be done here."""
        from tui.screens.help import HelpScreen

        await self.push_screen(HelpScreen(self._place()))

    async def do_jump(self) -> None:
        """Show everything that can be gone to or done; do what is chosen."""
        from tui.screens.palette import Palette

        def chosen(ident: str | None) -> None:
            if ident:
                _: Worker[bool] = self.run_worker(partial(actions.perform, self, ident))

        await self.push_screen(Palette(here(self._place())), chosen)

    async def do_back(self) -> None:
        """Go one level up; from the first screen nowhere."""
        screen = self.screen
        if isinstance(screen, BaseScreen) and await screen.leave():
            return
        if self._place() != "home":
            self.go("home")

    async def do_refresh(self) -> None:
        """Ask the agent again."""
        if isinstance(self.screen, BaseScreen):
            self.screen.start(self.screen.load)

    def do_language(self) -> None:
        """Speak the other language from now on."""
        self.language = "en" if self.language == "zh" else "zh"

    def do_colours(self) -> None:
        """Take the next set of colours."""
        self.theme = THEMES[(THEMES.index(self.theme) + 1) % len(THEMES)] if self.theme in THEMES else THEMES[0]
        self.tell(Text(f"colours: {self.theme}", f"配色：{self.theme}"))

    async def do_running(self) -> None:
        """Show what is under way."""
        from tui.screens.jobs import JobsScreen

        await self.push_screen(JobsScreen())

    def do_quit(self) -> None:
        """Leave."""
        self.exit()

    def action_help_quit(self) -> None:
        """``ctrl+c`` does nothing but say how to leave."""
        self.tell(Text("ctrl+q leaves the terminal", "按 ctrl+q 退出"))

    # What screens ask for ---------------------------------------------------------------------------------------------

    def go(self, place: str, **how: Any) -> None:
        """Show a place; what it showed before is still there."""
        screen = self._screen(place)
        if screen is not self.screen:
            self.switch_screen(screen)
        screen.call_after_refresh(screen.arrive, **how)

    def tell(self, text: Text, tone: Tone = "plain") -> None:
        """Show a sentence for a few seconds; of a locked terminal nothing is shown."""
        if self.locked:
            return
        severity = _SEVERITY.get(tone, "information")
        life = _LIFE * 2 if tone == "bad" else _LIFE
        self.notify(words_of(text, self.language), severity=severity, timeout=life, markup=False)

    def tell_error(self, error: ShoumiError) -> None:
        """Show an error and its hint."""
        if self.locked:
            return
        lines = [words_of(line, self.language) for line in error.lines(self.language)]
        self.notify("\n".join(lines), severity="error", timeout=_LIFE * 2, markup=False)

    def begin(self, title: Text, work: LongWork) -> None:
        """Do something that goes on when the screen is left."""

        async def going() -> None:
            taken = self.works.begin(title)
            try:
                if said := await work(taken):
                    self.tell(said)
            except ShoumiError as error:
                self.tell_error(error)
            finally:
                self.works.end(taken)

        _: Worker[None] = self.run_worker(going, group="works")

    async def agreed(self, plan: PlanPage) -> bool:
        """Show a plan, ask for the name, and return whether it was typed."""
        from tui.screens.plan import PlanScreen

        shown: Screen[Any] = PlanScreen(plan)
        return bool(await self.push_screen_wait(shown))

    def copy(self, text: str, name: str) -> None:
        """Send *text* to the terminal's clipboard."""
        path = None
        if len(text.encode("utf-8", "surrogateescape")) > clipboard.LONG:
            try:
                path = clipboard.write(self.folder(), name, text.encode("utf-8", "surrogateescape"))
            except OSError as error:
                self.tell(Text(str(error), str(error)), "bad")
        if self._driver:
            self._driver.write(clipboard.sequence(text))
        self.tell(clipboard.said(path))

    def folder(self) -> Path:
        """Return the folder for what the user takes away."""
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
            if screen.is_mounted:  # one that comes loads by itself
                screen.agent_changed()

    def _bars(self) -> None:
        for screen in self._screens.values():
            screen.refresh_bars()

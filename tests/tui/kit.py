"""Walking through the terminal as a person does: keys in, lines out, a real agent behind it.

Rules of this file: nothing waits for a time. A walk waits until the screen says something, and fails with the whole
screen when it never does. Textual's private compositor is touched in :func:`strips` and nowhere else.
"""

import asyncio
import os
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import unified_diff
from importlib import import_module
from pathlib import Path

from textual.events import Paste
from textual.message import Message
from textual.notifications import Notify
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip

import tui
from rules.text import Language
from tests.control.site import Site
from tui.app import Terminal
from tui.keys import PLACES
from tui.settings import Settings

PATIENCE = 30.0  # seconds until the screen must have said what is waited for
NARROW, WIDE = (80, 24), (120, 40)
GOLDEN = Path(__file__).with_name("golden")
_FOR_EVER = {"watch", "new"}  # groups of work that never ends


class Walk:
    """A terminal under way."""

    def __init__(self, terminal: Terminal, pilot: Pilot[None], site: Site, told: Sequence[str] = ()) -> None:
        self.terminal = terminal
        self.pilot = pilot
        self.site = site
        self._told = told

    def text(self) -> str:
        """Return what the screen shows."""
        return "\n".join(lines(self.terminal.screen))

    def told(self) -> list[str]:
        """Return the sentences that were told in passing since the walk began, also those that are gone again."""
        return list(self._told)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other.

        Each is dealt with before the next: the program hands it from queue to queue, and a press alone returns after a
        moment, which on a busy machine is sooner.
        """
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.wait_for_scheduled_animations()  # there are none; it waits for all queues, twice

    async def paste(self, words: str) -> None:
        """Paste words into the field that has the focus."""
        focused = self.terminal.screen.focused
        assert focused
        focused.post_message(Paste(words))
        await self.pilot.pause()

    async def type(self, words: str) -> None:
        """Type words into the field that has the focus."""
        for char in words:
            await self.pilot.press(_KEYS.get(char, char))
        await self.pilot.wait_for_scheduled_animations()

    async def go(self, place: str) -> None:
        """Go to a place by its key, and wait until it shows what it has."""
        await self.press(PLACES[place].key)
        await self.until(lambda: getattr(self.terminal.screen, "PLACE", "") == place, place)
        await self.settled()

    async def sees(self, *words: str) -> None:
        """Wait until all *words* stand on the screen."""
        await self.until(lambda: all(word in self.text() for word in words), str(words))

    async def sees_no(self, words: str) -> None:
        """Wait until *words* are gone from the screen."""
        await self.until(lambda: words not in self.text(), f"no {words}")

    async def settled(self) -> None:
        """Wait until the agent has answered all that was asked."""
        await self.until(lambda: self.terminal.agent.standing, "the agent")
        await self.until(
            lambda: all(one.is_finished for one in self.terminal.workers if one.group not in _FOR_EVER), "settled"
        )
        await self.pilot.pause()

    async def looks(self, name: str) -> None:
        """Wait until the screen is the golden one of this name."""
        await self.settled()
        try:
            await self.until(lambda: not golden(name, self.text()))
        except AssertionError:
            raise AssertionError(golden(name, self.text())) from None

    async def until(self, holds: Callable[[], object], what: str = "") -> None:
        """Wait until *holds* returns something true."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    await asyncio.sleep(0.01)
                    await self.pilot.pause()
        except TimeoutError:
            raise AssertionError(f"never seen: {what}\n{self.text()}") from None


_KEYS = {
    ":": "colon", "/": "slash", " ": "space", "-": "minus", ".": "full_stop", "_": "underscore", "#": "number_sign",
}  # fmt: skip


def journey(
    site: Site,
    walk: Callable[[Walk], Awaitable[None]],
    language: Language = "en",
    size: tuple[int, int] = NARROW,
    place: str = "home",
) -> None:
    """Open the terminal of *site* and walk through it."""

    async def go() -> None:
        terminal, told = Terminal(site.home, language, Settings(), place), list[str]()

        def hear(message: Message) -> None:
            if isinstance(message, Notify):
                told.append(message.notification.message)

        async with terminal.run_test(size=size, notifications=True, message_hook=hear) as pilot:
            await walk(Walk(terminal, pilot, site, told))

    asyncio.run(go())


def strips(screen: Screen[object]) -> list[Strip]:
    """Return the lines of a screen with their styles."""
    return screen._compositor.render_strips()  # noqa: SLF001 - the one place; see above


def lines(screen: Screen[object]) -> list[str]:
    """Return the lines of a screen as a person reads them."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips(screen)]


def everything_loaded() -> None:
    """Load what screens load late: another user may not be able to read where Python lies."""
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        import_module(module.name)
    for late in ("drivers.headless_driver", "drivers.linux_driver", "widgets._toast", "widgets._tooltip"):
        import_module(f"textual.{late}")


@contextmanager
def acting_as(uid: int, gid: int) -> Iterator[None]:
    """Be somebody else, as the agent sees it: another user, in one group."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


_CHANGING = (
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "0000-00-00"),
    (re.compile(r"\b\d{2}-\d{2} \d{2}:\d{2}:\d{2}"), "00-00 00:00:00"),
    (re.compile(r"\d{2}:\d{2}:\d{2}"), "00:00:00"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "0" * 64),
    (re.compile(r"(@)[0-9a-f]{12}"), r"\g<1>" + "0" * 12),
    (re.compile(r"#\d{3}\b"), "#000"),  # what is read meanwhile is recorded too
    (re.compile(r" of #000\b|（共至 #000）"), ""),  # the verifier is a moment behind
    (re.compile(r"(of|/) \d{3}\b"), r"\1 000"),
    (re.compile(r"(?<=verified to entry )\d+|(?<=已校验至第 )\d+"), "000"),
    (re.compile(r"\b\d+(?= entries)|(?<=日志共 )\d+"), "000"),
    (re.compile(r"[\d.]+ GiB"), "0 GiB"),
    (re.compile(r"\b\d\d(?= capabilities)|(?<=权能 )\d\d"), "00"),  # of the test itself, in the holder's place
    (re.compile(r" *[▁▂▃▄▅▆▇]$", re.MULTILINE), ""),  # the scroll bar
)


def golden(name: str, text: str) -> str:
    """Return how *text* differs from the golden file, or write it (``SHOUMI_GOLDEN=write``).

    What changes by itself is masked.
    """
    for pattern, mask in _CHANGING:
        text = pattern.sub(mask, text)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("SHOUMI_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    should = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(unified_diff(should, text.splitlines(), name, "the screen", lineterm=""))

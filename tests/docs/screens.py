"""The pictures of the README: ``python -m tests.docs.screens`` writes ``docs/screens/*.svg``, where the demo can run.

Rules of this file: the demo's story on the demo's own volume and agent, and then, where the demo would open the
terminal, the same terminal and an export of what it shows. Nothing is drawn by hand. The names of this machine and of
its temporary folder are written over, sign for sign, so that nothing moves; a picture that still has one is an error.
"""

import asyncio
import html
import os
import re
from collections.abc import Awaitable, Callable
from itertools import groupby
from typing import Any

from rich.cells import cell_len

from agent.demo import cast
from agent.demo.building import DESIGN
from agent.demo.cast import DRAWINGS, WANG, ZHOU
from agent.demo.live import playing
from agent.demo.scene import perform
from agent.demo.stage import stage
from agent.demo.story import STORY
from agent.runtime.home import Home
from agent.simulator.volume_image import PREFIX
from rules.text import Language
from tests import ROOT
from tests.tui.kit import Walk
from tui.app import Terminal
from tui.screens.listing import ListScreen
from tui.settings import Settings

FOLDER = ROOT / "docs" / "screens"
SIZE = (120, 30)
_FONTS = re.compile(r"@font-face\s*\{[^}]*\}")
TEXT = re.compile(r'<text ([^>]*?)x="([\d.]+)"([^>]*?)textLength="([\d.]+)"([^>]*)>([^<]*)</text>')
_MADE = re.compile(rf"/tmp/{PREFIX}\w{{8}}/mnt")
_VOLUME = "/srv/filesystem-of-projects/vol"  # as long as what it stands for
_HOST = re.compile(rf"(?<![\w.-]){re.escape(os.uname().nodename)}(?![\w.-])")


async def home(t: Walk) -> None:
    """What the site needs, and the newest denials."""
    await t.go("home")


async def log_entry(t: Walk) -> None:
    """Why somebody was denied a drawing, beside the list."""
    await t.go("log")
    await t.press("slash")
    await t.paste(f"verdict:deny person:{WANG.id} area:{DRAWINGS.id}")
    await t.press("enter")
    await t.settled()
    await t.press("enter")
    await t.settled()


async def departure(t: Walk) -> None:
    """The departure the personnel department sent, with what ended when."""
    await t.go("departures")
    await _highlight(t, ZHOU.id, "person")
    await t.press("enter")
    await t.settled()


async def rooms(t: Walk) -> None:
    """The room in which he was when it landed."""
    await t.go("rooms")
    await _highlight(t, DESIGN.id, "name")
    await t.press("enter")
    await t.settled()


PICTURES: dict[str, Callable[[Walk], Awaitable[None]]] = {
    "home": home, "log-entry": log_entry, "departure": departure, "rooms": rooms,
}  # fmt: skip


class Quiet:
    """A narrator who only counts what did not hold."""

    def scene(self, *_: object) -> None: ...
    def step(self, *_: object) -> None: ...
    def table(self, *_: object) -> None: ...


def main() -> None:
    """Play the story, look at every picture's place, in both languages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with stage(cast.PACK) as site, playing(site) as live:
        if failures := perform(STORY, live, Quiet()):
            raise SystemExit(f"{failures} lines of the story did not hold")
        for language in ("en", "zh"):
            asyncio.run(_pictures(site.home, "zh" if language == "zh" else "en"))


async def _pictures(made: Home, language: Language) -> None:
    terminal = Terminal(made, language, Settings())
    async with terminal.run_test(size=SIZE, notifications=True) as pilot:
        nobody: Any = None  # walks of the tests also know their site
        walk = Walk(terminal, pilot, nobody)
        await walk.settled()
        for name, look in PICTURES.items():
            await look(walk)
            await walk.settled()
            picture = neutral(terminal.export_screenshot(title="shoumi tui"))
            (FOLDER / f"{name}-{language}.svg").write_text(picture, encoding="utf-8")


def neutral(picture: str) -> str:
    """Return *picture* without fonts from elsewhere and without a name of this machine; raise when one is left."""
    picture = TEXT.sub(in_columns, _FONTS.sub("", picture))
    picture = _MADE.sub(_VOLUME, picture).replace("…/mnt/", "…/vol/")
    picture = _HOST.sub(lambda found: f"fs{1:0100}"[: len(found[0])], picture)
    for left in ("/tmp", PREFIX, "/root", str(ROOT)):
        if left in picture:
            raise ValueError(f"{left} is left in a picture")
    return picture


def in_columns(found: re.Match[str]) -> str:
    """Return a text of a picture as parts that stand where their columns begin.

    The export gives every sign the width of one column, so that Chinese, which takes two, would lie over itself.
    """
    before, x, between, length, after, said = found.groups()
    signs = html.unescape(said)
    column, at, parts = float(length) / len(signs), float(x), []
    for width, run in groupby(signs, cell_len):
        text = "".join(run)
        wide = round(column * width * len(text), 1)
        shown = html.escape(text).replace(" ", "&#160;").replace("\xa0", "&#160;")
        parts.append(f'<text {before}x="{at:g}"{between}textLength="{wide:g}"{after}>{shown}</text>')
        at = round(at + wide, 1)
    return "".join(parts)


async def _highlight(t: Walk, key: str, field: str) -> None:
    screen = t.terminal.screen
    assert isinstance(screen, ListScreen)
    await t.until(lambda: any(row[field] == key for row in screen.table.rows), key)
    screen.table.go_to(next(index for index, row in enumerate(screen.table.rows) if row[field] == key))


if __name__ == "__main__":
    main()

"""The pictures of the README: ``python -m tests.docs.screens`` writes ``docs/screens/*.svg``, where the demo can run.

Rules of this file: the demo's story on the demo's own volume and agent, and then, where the demo would open the
terminal, the same terminal and an export of what it shows; of a receipt what the command line prints. Nothing is drawn
by hand. The names of this machine and of its temporary folder are written over, sign for sign, so that nothing moves; a
picture that still has one is an error.
"""

import asyncio
import html
import io
import mmap
import os
import re
import signal
from collections.abc import Awaitable, Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as RichText

from agent.demo import cast
from agent.demo.actors import acting
from agent.demo.building import DESIGN
from agent.demo.cast import DRAWINGS, SUN, WANG, ZHOU
from agent.demo.live import playing
from agent.demo.scene import Observation, SceneStep, perform
from agent.demo.site import own_session
from agent.demo.stage import DemoStage, stage
from agent.demo.story import STORY
from agent.runtime.home import Home
from agent.simulator.volume_image import PREFIX
from rules.text import Language
from tests import ROOT
from tests.sentences import en
from tests.tui.kit import Walk
from tui.app import Terminal
from tui.forms import Form
from tui.screens.listing import ListScreen
from tui.screens.plan import PlanScreen
from tui.settings import Settings

FOLDER = ROOT / "docs" / "screens"
SIZE = (120, 30)
_PAPER = 146  # columns that the longest line of a receipt takes
_LANGUAGES: tuple[Language, ...] = ("en", "zh")
_FONTS = re.compile(r"@font-face\s*\{[^}]*\}")
TEXT = re.compile(r'<text ([^>]*?)x="([\d.]+)"([^>]*?)textLength="([\d.]+)"([^>]*)>([^<]*)</text>')
_MADE = re.compile(rf"/tmp/{PREFIX}\w{{8}}/mnt")
_VOLUME = "/srv/filesystem-of-projects/vol"  # as long as what it stands for
_HOST = re.compile(rf"(?<![\w.-]){re.escape(os.uname().nodename)}(?![\w.-])")


async def home(t: Walk) -> None:
    """What the site needs, and the newest denials."""
    await t.go("home")
    await t.settled()


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


async def loss_plan(t: Walk) -> None:
    """Before a grant is ended while its holder has a file of it mapped: who loses what, and what ends with it."""
    grants = await t.terminal.agent.items("grant.list", person=SUN.id, area=DRAWINGS.id)
    await t.go("people")
    await _highlight(t, SUN.id, "id")
    t.terminal.push_screen(Form("grant.end", {"grant": grants[0]["id"]}, only=("reason",)))
    await t.settled()
    await t.paste({"en": "the project is over", "zh": "项目结束"}[t.terminal.language])
    await t.press("enter")
    await t.until(lambda: isinstance(t.terminal.screen, PlanScreen), "the plan")


PICTURES: dict[str, Callable[[Walk], Awaitable[None]]] = {
    "home": home, "log-entry": log_entry, "departure": departure, "rooms": rooms, "loss-plan": loss_plan,
}  # fmt: skip


class Quiet:
    """A narrator who only keeps what did not hold."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def step(self, step: SceneStep, seen: Observation) -> None:
        """Keep it where it is not what was expected."""
        if not step.held(seen):
            self.failed.append(f"{en(step.title)}: {en(seen.outcome.text)} {en(seen.detail)}".strip())

    def scene(self, *_: object) -> None: ...
    def table(self, *_: object) -> None: ...


def main() -> None:
    """Play the story, look at every picture's place, in both languages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with stage(cast.PACK) as site, playing(site) as live:
        told = Quiet()
        if perform(STORY, live, told):
            raise SystemExit("did not hold: " + "; ".join(told.failed))
        document = site.root / DRAWINGS.document
        with acting(live.identity(own_session(SUN)), lambda say: _maps(document, say)) as holder:
            assert holder.next().allowed
            for language in _LANGUAGES:
                asyncio.run(_pictures(site.home, language))
        for language in _LANGUAGES:
            _receipt_of_a_loss(site, language)


async def _pictures(made: Home, language: Language) -> None:
    terminal = Terminal(made, language, Settings())
    async with terminal.run_test(size=SIZE, notifications=True) as pilot:
        nobody: Any = None  # walks of the tests also know their site
        walk = Walk(terminal, pilot, nobody)
        await walk.settled()
        for name, look in PICTURES.items():
            await look(walk)  # which ends when all of it is there
            picture = neutral(terminal.export_screenshot(title="shoumi tui"))
            (FOLDER / f"{name}-{language}.svg").write_text(picture, encoding="utf-8")


def _maps(document: Path, say: Callable[[object], None]) -> None:
    """Keep *document* mapped, and nothing else of it."""
    with document.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    say(len(pages))
    signal.pause()


def _receipt_of_a_loss(site: DemoStage, language: Language) -> None:
    """Take what the command line says of the first receipt of a loss."""
    run = next(entry["case"] for entry in site.entries() if entry["kind"] == "receipt" and entry["case"][0] == "L")
    printed = site.shoumi("case", "receipt", run, language=language).stdout
    printed = printed.replace(str(site.home.root), "/var/lib/shoumi")
    console = Console(file=io.StringIO(), record=True, width=_PAPER, force_terminal=True, legacy_windows=False)
    console.print(RichText(printed.rstrip("\n")))
    picture = neutral(console.export_svg(title=f"shoumi case receipt {run}"))
    (FOLDER / f"loss-receipt-{language}.svg").write_text(picture, encoding="utf-8")


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

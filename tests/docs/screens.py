"""The pictures of the README: ``python tests/docs/screens.py`` writes ``docs/screens/*.svg``.

Rules of this file: a real control process over a site like those of the tests, and the real terminal looking at it.
Nothing is drawn by hand.
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "control"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "log"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tui"))

from control_site import Site, running
from terminal_kit import WIDE, Walk
from terminal_site import furnished

from rules.text import Language
from tui.app import Terminal
from tui.settings import Settings

_FONTS = re.compile(r"@font-face\s*\{[^}]*\}")
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screens"


def main() -> None:
    """Make the site, look at every place, in both languages."""
    with tempfile.TemporaryDirectory(prefix="shoumi-screens-") as made:
        home = furnished(Path(made) / "home", "company")
        with running(home.root) as site:
            for language in ("en", "zh"):
                asyncio.run(_pictures(site, "zh" if language == "zh" else "en"))


async def _pictures(site: Site, language: Language) -> None:
    terminal = Terminal(site.home, language, Settings())
    async with terminal.run_test(size=WIDE, notifications=True) as pilot:
        walk = Walk(terminal, pilot, site)
        await walk.settled()
        await walk.go("log")
        await walk.press("d")
        await walk.settled()
        await walk.press("enter")
        await walk.settled()
        _picture(terminal, f"entry-{language}")


def _picture(terminal: Terminal, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture = terminal.export_screenshot(title="shoumi tui")
    # Without the fonts it would load from elsewhere: a page of ours asks nobody for anything.
    (FOLDER / f"{name}.svg").write_text(_FONTS.sub("", picture), encoding="utf-8")


if __name__ == "__main__":
    main()

"""A terminal nobody touches locks, shows nothing of the site, and opens with the second factor; an act asks for it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.control.site import Site, running
from tests.control.test_second_factor import RIGHT, pam_service
from tests.tui.kit import WIDE, Walk, everything_loaded, journey
from tests.tui.site import furnished

pytestmark = needs.root


@pytest.fixture
def guarded(zone: None) -> Iterator[Site]:
    root = Path(tempfile.mkdtemp(prefix="shoumi-test-"))
    root.chmod(0o755)
    try:
        home = furnished(root / "home")
        home.config.write_text(f'second_factor = "{pam_service(root)}"\n{home.config.read_text()}')
        with running(root / "home") as site:
            everything_loaded()
            yield site
    finally:
        shutil.rmtree(root)


def test_it_locks_when_nobody_touches_it_and_opens_with_the_second_factor(guarded: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("people")
        await t.sees("张三")
        t.terminal.lock_when_idle()
        await t.sees("张三")
        t.terminal.touched_at -= 3600
        t.terminal.lock_when_idle()
        await t.sees("locked")
        assert "张三" not in t.text()
        await t.press("escape", "1", "ctrl+q")
        await t.sees("locked")
        await t.press("backspace")
        await t.type("wrong")
        await t.press("enter")
        await t.sees("the second factor is wrong", "locked")
        await t.type(RIGHT)
        await t.press("enter")
        await t.sees("张三")

    journey(guarded, walk, size=WIDE)


def test_an_act_that_cuts_asks_for_it_and_goes_on(guarded: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("people")
        await t.press("g")
        await t.type("plans")
        await t.press("tab")
        await t.type("x")
        await t.press("enter")
        await t.sees("enter your second factor")
        await t.type(RIGHT)
        await t.press("enter")
        await t.until(lambda: any("done" in said for said in t.told()), "the grant")

    journey(guarded, walk, size=WIDE)

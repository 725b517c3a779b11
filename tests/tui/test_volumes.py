"""Walks through what the screen of the system does with volumes: a real agent, a real disk, and keys."""

from pathlib import Path
from typing import cast

import pytest

from agent.demo.actors import attempt, reading
from tests.control.site import Site
from tests.enforcement.scene import CLEARED, TOO_LOW, Scene, dead_man, scene, until
from tests.tui.kit import WIDE, Walk, journey

pytestmark = pytest.mark.kernel


def go(site: Scene, walk: object) -> None:
    journey(cast("Site", site.site), walk, size=WIDE, place="system")  # type: ignore[arg-type]


def test_a_volume_is_listed_hidden_by_its_place_and_published_again() -> None:
    with scene() as site, dead_man(site.site):
        point, document = str(site.site.root), site.plans / "doc.txt"

        async def walk(t: Walk) -> None:
            await t.settled()
            await t.press("v")
            await t.sees(point, "guarded: ", "plans", "guard last seen")
            await t.press("escape", "H")
            await t.sees("choose a volume", point)
            await t.press("enter")
            await t.sees("no one reaches these areas any more: plans", f"type `{point}`")
            await t.paste(point)
            await t.press("enter")
            await t.sees(f"✓ `{point}`: hidden")
            assert attempt(CLEARED, reading(document)).error in ("ENOENT", "EACCES")
            await t.press("P")
            await t.sees("choose a volume", f"{point} (", "hidden")
            await t.press("enter")
            await t.sees(f"✓ `{point}`: guarded")

        go(site, walk)
        until(lambda: attempt(CLEARED, reading(document)).allowed)
        assert attempt(TOO_LOW, reading(document)).error == "EPERM"


def test_what_cannot_be_attached_is_told_and_a_registry_that_is_right_has_nothing_to_accept(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with scene() as site, dead_man(site.site):

        async def walk(t: Walk) -> None:
            await t.settled()
            await t.press("A")
            await t.sees("block device or image file")
            await t.paste(str(tmp_path / "nothing"))
            await t.press("tab")
            await t.paste(str(tmp_path / "there"))
            await t.press("enter")
            await t.until(lambda: any(f"`{tmp_path}/there`: " in said for said in t.told()), "why not")
            await t.press("G")
            await t.sees("the registry contains every act in the log")

        go(site, walk)
        assert [entry["state"] for entry in site.site.entries() if entry.get("path") == f"{tmp_path}/there"] == [
            "failed"
        ]

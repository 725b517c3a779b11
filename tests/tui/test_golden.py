"""What every place looks like, at two sizes and in both languages, of a site nobody has changed."""

import pytest

from rules.text import Language
from tests.control.site import Site
from tests.tui.kit import NARROW, WIDE, Walk, journey
from tui.keys import PLACES


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_place_looks_as_it_should(shared: Site, language: Language, size: tuple[int, int]) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        await t.sees("已校验至" if language == "zh" else "verified to")
        await t.sees_no("尚未校验" if language == "zh" else "not been verified")  # the findings are asked less often
        await t.sees_no("共至" if language == "zh" else " of #")  # while the verifier is behind, lines break elsewhere
        for place in PLACES:
            await t.go(place)
            if place == "log":
                await t.press("g")
                await t.paste("300")
                await t.press("enter")
                await t.settled()
                await t.sees("300", "计划290")
            await t.looks(f"{place}-{language}-{size[0]}x{size[1]}")
        await t.go("log")
        await t.press("d")
        await t.sees("40 /" if language == "zh" else "of 40")
        await t.settled()
        await t.press("enter")
        await t.looks(f"log-entry-{language}-{size[0]}x{size[1]}")
        await t.press("question_mark")
        await t.looks(f"log-help-{language}-{size[0]}x{size[1]}")

    journey(shared, walk, language, size)

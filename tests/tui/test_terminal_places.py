"""Walks through people, areas, rules and the system: looking, filtering, changing."""

from control_site import Site
from terminal_kit import WIDE, Walk, journey


def test_a_person_is_found_read_given_a_record_and_stopped(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("people")
        await t.sees("张三", "Ann Lee")
        await t.press("slash")
        await t.type("E1001")
        await t.press("enter")
        await t.sees_no("Ann Lee")
        await t.press("enter")
        await t.sees("cleared for", "项目甲")
        await t.press("h")
        await t.sees("stop `E1001` at once")
        await t.type("E1001")
        await t.press("enter")
        await t.sees("why")
        await t.type("lost")
        await t.press("enter")
        await t.sees("every open is cut")
        await t.press("escape")
        await t.sees("HOLD", "lost")

    journey(site, walk, size=WIDE)


def test_a_verdict_is_explained_and_supposed(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("rules")
        await t.press("w")
        await t.sees("say whether a person may open")
        await t.type("E1001")
        await t.press("tab")
        await t.type("plans")
        await t.press("enter")
        await t.sees("ALLOW", "met")
        await t.press("escape")
        await t.press("w")
        await t.type("E1002")
        await t.press("tab")
        await t.type("plans")
        await t.press("enter")
        await t.sees("DENY", "NOT MET", "raised to `secret`")
        await t.press("escape")
        await t.press("down", "down", "enter")
        await t.settled()
        await t.press("p")
        await t.sees("utc_offset")

    journey(site, walk)


def test_an_area_is_read_and_shows_whom_enforcing_would_have_denied(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("areas")
        await t.sees("archive", "OBSERVE")
        await t.press("down", "enter")
        await t.sees("blocks nothing", "规划处", "项目甲")
        await t.press("escape")
        await t.press("E")
        await t.sees("block at `plans`", "E1002", "would have been denied")
        await t.press("escape")
        await t.sees("OBSERVE")

    journey(site, walk)


def test_what_is_wrong_stands_first_with_the_command_that_helps(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("system")
        await t.sees("SERIOUS", "no role group is set")
        assert t.text().index("SERIOUS") < t.text().index("good")
        await t.press("enter")
        await t.sees("what helps", "groupadd")
        await t.press("escape", "p")
        await t.sees("durability")

    journey(site, walk)


def test_a_quarantine_that_is_empty_says_so(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("departures")
        await t.press("Q")
        await t.sees("隔离区为空")

    journey(shared, walk, language="zh")

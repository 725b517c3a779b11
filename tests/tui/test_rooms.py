"""Walks through a room behind two OSDP readers: real processes, real Secure Channels, and keys in, lines out.

Rules of this file: one house for all walks, because its readers take seconds to get ready; every walk leaves it as it
found it: closed, empty, open to everybody and without alarms.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from rules.text import Language
from tests.rooms.kit import until
from tests.tui.house import House, house
from tests.tui.kit import WIDE, Walk, journey


@pytest.fixture(scope="module")
def home(zone: None) -> Iterator[House]:
    with house() as made:
        yield made


@pytest.fixture(autouse=True)
def tidied(home: House) -> None:
    """One walk that failed leaves nothing to the next."""
    home.tidy()


def go(home: House, walk: Any, language: Language = "en", size: tuple[int, int] = (80, 24)) -> None:
    journey(home.site, walk, language, size, place="rooms")  # type: ignore[arg-type]


async def form(t: Walk, asked: str, *words: str) -> None:
    """Fill in a form that asks for *asked*, field by field, and send it."""
    await t.sees(asked)
    for number, word in enumerate(words):
        if number:
            await t.press("tab")
        await t.type(word)
    await t.press("enter")


def test_a_forced_door_stands_in_red_words_until_somebody_says_what_it_was(home: House) -> None:
    async def walk(t: Walk) -> None:
        await t.sees("vault", "✓ 关闭")
        await t.press("enter")
        await t.sees("✓ 在线，已加密", "无人（以刷卡为准）")
        home.contact(open=True)
        until(lambda: "forced" in home.alarms(), "the alarm")
        await t.sees("! 报警 A00000", "强行打开  自", "c：确认报警")
        await t.press("escape")
        await t.sees("✗ 强行打开 · 报警 1 个")
        home.contact(open=False)
        await t.press("c")
        await form(t, "核查情况", "wind")
        await t.sees("✓ 关闭", "(c 确认报警)")
        await t.press("c")
        await t.sees("确认报警：没有待确认的报警")

    go(home, walk, "zh")
    entry = home.site.entries(act="alarm.ack")[-1]
    assert entry["args"]["note"] == "wind"


def test_a_lockdown_is_a_plan_with_a_name_to_type_and_is_lifted_for_a_reason(home: House) -> None:
    async def walk(t: Walk) -> None:
        await t.sees("vault")
        home.passes("E1")
        await t.press("enter")
        await t.sees("E1", "since")
        await t.press("L")
        await t.sees("lock down `vault`", "1 person inside may leave", "type `vault`")
        await t.type("wault")
        await t.press("enter")
        await t.sees("`wault` does not match the name above")
        await t.press("escape")
        await t.sees_no("lock down")
        assert home.site.entries(act="lockdown.on") == []
        await t.press("L")
        await t.sees("type `vault`")
        await t.type("vault")
        await t.press("enter")
        await form(t, "reason", "fire")
        await t.sees("confirmed", "no one enters `vault`")
        await t.press("escape")
        await t.sees("✗ LOCKED DOWN: `vault`", "fire")
        assert home.answer("E2")["rule"] == "lockdown"
        home.passes("E1", "out")
        await t.press("U")
        await form(t, "`vault`: fire", "it was an exercise")
        await t.sees_no("LOCKED DOWN")

    go(home, walk)
    assert home.site.entries(act="lockdown.off")[-1]["args"]["reason"] == "it was an exercise"
    home.passes("E2")
    home.passes("E2", "out")


def test_the_site_is_locked_down_with_one_word_and_every_room_says_so(home: House) -> None:
    async def walk(t: Walk) -> None:
        await t.sees("vault")
        await t.press("S")
        await t.sees("lock down the whole site", "type `SITE`")
        await t.type("SITE")
        await t.press("enter")
        await form(t, "reason", "exercise")
        await t.sees("confirmed")
        await t.press("escape")
        await t.sees("✗ LOCKED DOWN")
        await t.press("U")
        await form(t, "the whole site: exercise", "over")
        await t.sees("✓ closed")

    go(home, walk)


@pytest.mark.long
def test_a_visitor_is_registered_seen_and_leaves(home: House) -> None:
    async def walk(t: Walk) -> None:
        await t.sees("vault")
        await t.press("v")
        await form(t, "register a visit", "V1", "Guest", "E1", "E1", "audit")
        await t.sees_no("register a visit")
        await t.press("enter")
        await t.sees("visits", "V1 Guest, host E1", "audit")
        await t.press("X")
        await t.sees("choose a visit")
        await t.press("enter")
        await t.sees("end the visit of `V1`")
        await t.type("V1")
        await t.press("enter")
        await t.sees("entry denied from now on")
        await t.press("escape")
        await t.sees_no("V1 Guest")

    go(home, walk, size=WIDE)


def test_who_left_unseen_is_put_right_and_a_door_is_released_for_a_reason(home: House) -> None:
    async def walk(t: Walk) -> None:
        home.passes("E3")
        await t.sees("vault", "✓ 关闭")
        await t.press("enter")
        await t.sees("E3", "在场人员")
        await t.press("r")
        await t.sees("室内 1 人；人员留空即全部更正")
        await t.press("tab")
        await t.type("window")
        await t.press("enter")
        await t.sees("无人（以刷卡为准）")
        before = home.opened()
        await t.press("o")
        await form(t, "不刷卡放行一次", "guest")
        await t.sees("✓ `vault`：已放行")
        assert home.opened() == before + 1

    go(home, walk, "zh")


def test_who_was_inside_and_when_is_asked_of_the_log_with_its_limits(home: House) -> None:
    async def walk(t: Walk) -> None:
        await t.sees("vault")
        home.passes("E2")
        home.passes("E2", "out")
        await t.press("t")
        await t.sees("FROM..TO", "2026-10-01T08:00..")
        await t.type("then")
        await t.press("enter")
        await t.sees("`period` must be `FROM..TO`")
        await t.press(*["backspace"] * 4)
        await t.paste("2026-01-01..2099-12-31")
        await t.press("enter")
        await t.sees("people inside `vault`", "E2", "yes", "a stay records what a badge did")

    go(home, walk, size=WIDE)


@pytest.mark.long
def test_what_nobody_can_know_is_unknown_and_never_well(home: House) -> None:
    async def walk(t: Walk) -> None:
        await t.sees("✓ closed")
        home.devices.do("offline", door="vault", side="out")
        await t.sees("1 door OFFLINE")
        assert "✓ closed" not in t.text()
        await t.press("enter")
        await t.sees("✗ OFFLINE", "open or closed is UNKNOWN")
        home.devices.do("online", door="vault", side="out")
        await t.sees("closed  osdp")

    go(home, walk)

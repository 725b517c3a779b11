"""Lists of rooms and doors say codes in words: in Chinese no code stands in them, and JSON keeps it."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.presentation.terms import (
    ACTIONS,
    ALARMS,
    BADGES,
    CARDS,
    DOMAINS,
    EMPLOYMENTS,
    ENTRIES,
    HAPPENINGS,
    OUTCOMES,
    PASSBACKS,
    SIDES,
    YES_NO,
)
from agent.registry.store import Registry
from agent.rooms.panel.effects import AlarmKind
from rules.text import Text
from tests.control.site import Site
from tests.sentences import zh

Shoumi = Callable[..., Any]
_CODES = {code for table in (ALARMS, BADGES, CARDS, DOMAINS, PASSBACKS, SIDES, YES_NO) for code in table}
_ADDRESS = re.compile(r"[a-z+]+://\S+")


KINDS = {kind.value for kind in AlarmKind}  # and which no panel raises:
KINDS |= {"log-older", "signing-key", "over-budget", "disk-low", "service-program", "break-glass"}


@pytest.fixture
def furnished(site: Site, shoumi: Shoumi) -> Shoumi:
    """A site of which every list of rooms and doors has a line, with every kind of alarm."""
    board = "uhppote://127.0.0.1:9/405419896/1"
    for line in (
        "person add E1 --name 张三 --level state=secret --badge 4660 --badge 4661 --badge 4662",
        "room add 密室 --level internal --domain state --anti-passback hard",
        "grant add E1 密室 --reason 项目甲",
        f"door add 前门 --room 密室 --reader {board} --exit-reader {board}",
        "badge lost E1 4661",
        "badge remove E1 4662",
        "visitor add V1 --name 来宾 --room 密室 --host E1 --purpose 参观 --badge 777",
    ):
        assert shoumi(*line.split()).code == 0, line
    with Registry(site.home.registry) as registry, registry.note(datetime.now(UTC)) as note:
        note.presence.enter("密室", "E1", door="前门")
        note.boards.want_card("405419896", "4661", "gone")
        for kind in KINDS:
            note.alarms.add(kind, Text("told", "告知"), room="密室", door="前门", person="E1")
    return shoumi


LISTS = (
    "room list",
    "room show 密室",
    "door list",
    "door show 前门",
    "door test 前门",
    "door cards",
    "alarm list",
    "badge list --all",
    "occupancy list",
    "visitor list",
)


def test_in_chinese_no_list_of_rooms_and_doors_shows_a_code(furnished: Shoumi) -> None:
    seen = ""
    for line in LISTS:
        said = furnished(*line.split(), language="zh").out
        assert len(said.splitlines()) > 1, line
        found = re.findall(r"[A-Za-z][A-Za-z-]+", _ADDRESS.sub("", said))
        assert not _CODES.intersection(found), (line, found)
        seen += said
    for text in (BADGES["lost"], BADGES["returned"], CARDS["gone"], DOMAINS["state"], PASSBACKS["hard"], SIDES["out"]):
        assert zh(text) in seen
    assert all(zh(text) in seen for text in ALARMS.values())


def test_json_keeps_the_codes(furnished: Shoumi) -> None:
    def rows(*line: str) -> list[dict[str, Any]]:
        return [json.loads(row) for row in furnished(*line, "--json", language="zh").out.splitlines()]

    assert {row["kind"] for row in rows("alarm", "list")} == KINDS
    assert {row["state"] for row in rows("badge", "list", "--all")} >= {"active", "lost", "returned"}
    assert rows("room", "list")[0]["domain"] == "state"


def test_every_alarm_there_is_has_a_word() -> None:
    assert ALARMS.keys() == KINDS
    assert HAPPENINGS.keys() >= {f"{kind}-over" for kind in KINDS}


def test_in_chinese_the_log_and_the_lists_of_people_show_no_code(furnished: Shoumi) -> None:
    """Names of commands and of rules stay as they are typed."""
    codes = {code for table in (ACTIONS, ENTRIES, HAPPENINGS, OUTCOMES, EMPLOYMENTS, YES_NO) for code in table}
    assert furnished("room", "remove", "nowhere").code == 1
    for line in ("person list", "grant list", "log list"):
        said = furnished(*line.split(), language="zh").out
        cells = {cell for row in said.splitlines() for cell in re.split(r"\s{2,}", row.strip())}
        assert len(said.splitlines()) > 1, line
        assert not cells & codes, (line, cells & codes)
    assert {zh(OUTCOMES["done"]), zh(OUTCOMES["refused"]), zh(ENTRIES["start"])} <= cells

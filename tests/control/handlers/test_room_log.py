"""Who was inside, and what they opened meanwhile: from a real log, through the real index."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.control.handlers.room_log import during, meanwhile
from agent.errors import UsageError
from agent.log.append import Appender
from agent.log.entry import render, stamp
from agent.log.index import Indexer
from agent.log.search import Filter, query
from tests.sentences import en, zh

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Written = tuple[int, Mapping[str, object]]  # minutes after noon


def way(person: str, action: str, **more: object) -> dict[str, object]:
    entry = {"kind": "door", "action": action, "verdict": "allow", "rule": "allow", "person": person, "room": "vault"}
    return {**entry, "door": "d1", **more}


def opened(person: str, path: str, **more: object) -> dict[str, object]:
    entry = {"kind": "access", "action": "open", "verdict": "allow", "rule": "allow", "person": person, "path": path}
    return {**entry, "area": "plans", "level": "secret", **more}


def index_of(top: Path, written: Iterable[Written]) -> Path:
    folder, index = top / "log", top / "index"
    folder.mkdir(mode=0o700)
    with Appender(folder, "process") as log:
        for minutes, fields in written:
            log.append([render(log.next_seq, stamp(NOON + minutes * MINUTE), fields)])
    with Indexer(folder, index) as indexer:
        indexer.catch_up(10)
    return index


def asked(top: Path, written: Iterable[Written], since: int = 0, until: int = 60) -> dict[str, list[dict[str, Any]]]:
    items = list(meanwhile(index_of(top, written), "vault", NOON + since * MINUTE, NOON + until * MINUTE))
    return {what: [item for item in items if item["what"] == what] for what in ("stay", "access", "limit")}


def test_files_stand_beside_the_stays_they_were_opened_in(tmp_path: Path) -> None:
    found = asked(
        tmp_path,
        [
            (-30, way("E1", "enter", release="r1")),
            (-30, {"kind": "door-released", "room": "vault", "door": "d1", "release": "r1", "released": "used"}),
            (-10, opened("E1", "/srv/计划/early.txt")),
            (5, opened("E1", "/srv/计划/a.txt")),
            (6, opened("E1", "/srv/计划/a.txt")),
            (7, opened("E1", "/srv/计划/b.txt", verdict="deny", rule="level")),
            (8, opened("E2", "/srv/计划/c.txt")),  # never inside
            (9, way("E3", "enter", room="lab")),
            (20, way("E1", "exit")),
            (30, opened("E1", "/srv/计划/a.txt")),  # outside by now
            (70, opened("E1", "/srv/计划/late.txt")),
        ],
    )
    [stay] = found["stay"]
    assert (stay["person"], stay["since"], stay["until"], stay["sure"]) == (
        *("E1", "2026-03-02T11:30:00Z"),
        *("2026-03-02T12:20:00Z", True),
    )
    assert (stay["seq"], stay["seq_out"]) == (1, 9)
    rows = [(row["person"], row["path"], row["verdict"], row["times"], row["while_inside"]) for row in found["access"]]
    assert rows == [("E1", "/srv/计划/a.txt", "allow", 3, 2), ("E1", "/srv/计划/b.txt", "deny", 1, 1)]
    assert found["access"][0]["seq"] == 4
    assert {row["level"] for row in found["access"]} == {"secret"}


def test_what_the_log_cannot_know_is_said_with_every_answer(tmp_path: Path) -> None:
    found = asked(tmp_path, [(1, opened("E1", "/srv/a"))])
    assert found["stay"] == found["access"] == []
    said = " ".join(en(item["text"]) for item in found["limit"])
    for word in ("followed through", "button", "closed", "session", "2026-02-23T12:00:00Z"):
        assert word in said
    assert all(zh(item["text"]) for item in found["limit"])


def test_somebody_who_came_in_long_ago_is_among_what_is_not_known(tmp_path: Path) -> None:
    assert asked(tmp_path, [(-8 * 24 * 60, way("E1", "enter"))])["stay"] == []


def test_an_outcome_just_after_the_time_asked_about_still_counts(tmp_path: Path) -> None:
    unused = {"kind": "door-released", "room": "vault", "door": "d1", "release": "r1", "released": "unused"}
    assert asked(tmp_path, [(59, way("E1", "enter", release="r1")), (60, unused)])["stay"] == []


def test_entries_of_a_room_are_found_by_its_name_and_by_the_person(tmp_path: Path) -> None:
    index = index_of(tmp_path, [(0, way("E1", "enter")), (1, way("E2", "enter", room="lab")), (2, opened("E1", "/a"))])
    assert [row.seq for row in query(index, Filter(area="vault"))] == [1]
    assert [row.seq for row in query(index, Filter(person="E1"))] == [3, 1]


def test_a_time_is_two_moments_in_order() -> None:
    since, until = during("2026-03-02T09:00:00Z..2026-03-02T10:00:00Z")
    assert until - since == timedelta(hours=1)
    whole = during("2026-03-02..2026-03-02")
    assert whole[1] - whole[0] >= timedelta(hours=23)
    for word in ("", "..", "2026-03-02", "2026-03-03..2026-03-01", "x..y", "2026-03-02T10:00Z..2026-03-02T10:00Z"):
        with pytest.raises(UsageError):
            during(word)

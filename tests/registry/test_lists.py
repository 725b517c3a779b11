"""What an officer is shown: lists with filters, one person's dossier, what falls due."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from agent.errors import RefusedError
from agent.registry.queries.connection import Row
from agent.registry.queries.registry_queries import RegistryQueries
from agent.registry.rows.papers import columns
from agent.registry.store import Registry
from rules.model import Clearance, Level, Mode, Scope

DAY = timedelta(days=1)


def ids(rows: list[Row]) -> list[object]:
    return [row["id"] for row in rows]


def test_people_by_every_filter(site: Registry, lists: RegistryQueries, now: datetime) -> None:
    with site.change(now) as change:
        change.people.add("X3", name="王%五", department="research")
        change.people.set("E2", active=False)
        change.people.set_clearance("X3", Clearance("commercial", Level.TOP_SECRET))
    assert ids(lists.people.find()) == ["E1", "E2", "X3"]
    assert ids(lists.people.find(text="张")) == ["E1"]
    assert ids(lists.people.find(text="E")) == ["E1", "E2"]
    assert ids(lists.people.find(text="%")) == ["X3"]
    assert ids(lists.people.find(department="research")) == ["E1", "X3"]
    assert ids(lists.people.find(active=True)) == ["E1", "X3"]
    assert ids(lists.people.find(active=False)) == ["E2"]
    assert ids(lists.people.find(at_least=Level.SECRET)) == ["E1", "X3"]
    assert ids(lists.people.find(at_least=Level.SECRET, domain="state")) == ["E1"]
    assert ids(lists.people.find(limit=2)) == ["E1", "E2"]
    assert ids(lists.people.find(department="research", at_least=Level.TOP_SECRET)) == ["X3"]


def test_a_dossier_has_everything_also_what_is_over(site: Registry, lists: RegistryQueries, now: datetime) -> None:
    with site.change(now) as change:
        change.people.set("E1", projects=["甲"])
        change.holds.lift(change.holds.add("E1", reason="leave", by="E2"), by="E2", reason="back")
        change.records.void(change.records.add("E1", "exam", on=now, note="note"), reason="wrong person")
        change.grants.end(
            change.grants.add("E1", "plans", reason="甲", approver="E2", since=now - DAY), by="E2", reason="done"
        )
        change.departures.add("E1")
    at, before = "2026-11-02T01:30:00.000000Z", "2026-11-01T01:30:00.000000Z"
    assert lists.people.dossier("E1") == {
        "id": "E1",
        "name": "张三",
        "department": "research",
        "post": "",
        "employment": "regular",
        "active": True,
        "heads": "",
        "added_at": at,
        "post_changed_at": None,
        "projects": ["甲"],
        "clearances": [
            {"domain": "state", "level": "secret", "label": "", "approved_by": "", "set_at": at} | columns(None)
        ],
        "accounts": [{"uid": 61001, "person": "E1", "name": "", "on_host": False}],
        "badges": ["4660"],
        "grants": [
            {
                "id": "G000001",
                "person": "E1",
                "resource": "plans",
                "reason": "甲",
                "approver": "E2",
                "since": before,
                "until": at,
                "temporary": False,
                "added_at": at,
                "ended_at": at,
                "ended_by": "E2",
                "end_reason": "done",
            }
            | columns(None)
        ],
        "holds": [
            {
                "id": "H000001",
                "person": "E1",
                "since": at,
                "reason": "leave",
                "placed_by": "E2",
                "two_officers": False,
                "lift_asked_by": "",
                "lift_asked_at": None,
                "lifted_at": at,
                "lifted_by": "E2",
                "lift_reason": "back",
            }
        ],
        "records": [
            {
                "id": "R000001",
                "person": "E1",
                "kind": "exam",
                "on": at,
                "passed": True,
                "valid_until": None,
                "topic": "",
                "note": "note",
                "added_at": at,
                "voided_at": at,
                "void_reason": "wrong person",
            }
        ],
        "departures": [
            {
                "effective_at": None,
                "id": "D000001",
                "person": "E1",
                "stage": "notice",
                "approved_at": None,
                "cooling_off_until": None,
                "approver": "",
                "opened_at": at,
                "set_aside_at": None,
            }
        ],
        "visits": [],
        "inside": [],
    }
    with pytest.raises(RefusedError, match=r"registry.not-found.*common.person.*E9"):
        lists.people.dossier("E9")


def test_grants_by_state_person_and_place(site: Registry, lists: RegistryQueries, now: datetime) -> None:
    with site.change(now) as change:
        for person, place, since, until in (
            ("E1", "plans", -2, None),
            ("E1", "vault", -2, 1),
            ("E2", "plans", 1, 2),
            ("E2", "vault", -2, 3),
        ):
            change.grants.add(
                person,
                place,
                reason="x",
                approver="E9",
                since=now + since * DAY,
                until=None if until is None else now + until * DAY,
            )
    later = now + 1 * DAY
    assert ids(lists.grants.find(now)) == ["G000001", "G000002", "G000004"]
    assert ids(lists.grants.find(now, state="coming")) == ["G000003"]
    assert ids(lists.grants.find(now, state="over")) == []
    assert ids(lists.grants.find(later)) == ["G000001", "G000003", "G000004"]
    assert ids(lists.grants.find(later, state="over")) == ["G000002"]
    assert ids(lists.grants.find(now, person="E2", state="all")) == ["G000003", "G000004"]
    assert ids(lists.grants.find(now, person="E2", resource="vault")) == ["G000004"]
    with site.change(now) as change:
        change.rooms.remove("vault")
    assert ids(lists.grants.find(now)) == ["G000001"]
    assert ids(lists.grants.find(now, resource="vault", state="over")) == ["G000002", "G000004"]


def test_records_fall_due_at_the_earlier_end_and_only_the_last_counts(
    site: Registry, lists: RegistryQueries, now: datetime
) -> None:
    with site.change(now) as change:
        change.records.add("E1", "vetting", on=now - 400 * DAY, valid_until=now - DAY)  # R1, renewed by R2
        change.records.add("E1", "vetting", on=now - 10 * DAY, valid_until=now + 400 * DAY)
        change.records.add("E1", "training", on=now - 360 * DAY, topic="甲")  # R3: 365 days by the pack
        change.records.add("E1", "training", on=now - 360 * DAY, topic="乙", valid_until=now + DAY)  # R4: printed
        change.records.add("E1", "exam", on=now - 360 * DAY, passed=False, valid_until=now + DAY)
        change.records.add("E1", "agreement", on=now - 3600 * DAY)  # without end
        change.records.add("E2", "exam", on=now - 30 * DAY, valid_until=now - DAY)  # R7: lapsed
        change.records.void(change.records.add("E2", "oath", on=now - DAY, valid_until=now + DAY), reason="wrong")
    due = lists.records.due(now, 30, valid_days={"training": 365})
    assert [(row["id"], row["ends"]) for row in due] == [
        ("R000007", "2026-11-01T01:30:00.000000Z"),
        ("R000004", "2026-11-03T01:30:00.000000Z"),
        ("R000003", "2026-11-07T01:30:00.000000Z"),
    ]
    assert ids(lists.records.due(now, 3, valid_days={"training": 365})) == ["R000007", "R000004"]
    with site.change(now) as change:
        change.people.set("E2", active=False)
    assert ids(lists.records.due(now, 3)) == ["R000004"]
    assert ids(lists.records.find(kind="exam")) == ["R000005", "R000007"]
    assert ids(lists.records.find("E2", void=True)) == ["R000007", "R000008"]


def test_places_programs_and_the_rest(site: Registry, lists: RegistryQueries, now: datetime) -> None:
    with site.change(now) as change:
        change.areas.set("plans", scope=Scope(frozenset({"E2", "E1"}), frozenset({"hr"})), custodian="E1")
        change.areas.set_mode("plans", Mode.ENFORCE, confirm_by=now + DAY)
        change.holidays.add(date(2027, 1, 1))
        change.holidays.add(date(2027, 1, 1), name="元旦")
        change.holidays.add(now.date())
        change.holidays.remove(now.date())
        change.settings.set("site", "一号")
        change.settings.set("gone", "x")
        change.settings.set("gone", None)
        change.holds.add("E1", reason="x")
        change.services.set("backup", active=False)
    [area] = lists.areas.find()
    assert area["path"] == "/srv/vol/plans"
    assert area["scope"] == {"person": ["E1", "E2"], "department": ["hr"], "project": []}
    assert (area["level"], area["mode"], area["volume"], area["custodian"]) == ("secret", "enforce", {}, "E1")
    assert lists.areas.find("none") == []
    assert [(room["name"], room["two_person"]) for room in lists.rooms.find("vault")] == [("vault", False)]
    assert (lists.areas.to_confirm(now), lists.areas.to_confirm(now + DAY)) == ([], ["plans"])
    assert lists.services.all() == [
        {"id": "backup", "uid": 0, "executable": "/usr/bin/tar", "active": False, "lets_in": False, "sha256": ""}
        | {"areas": ["plans"]}
    ]
    assert lists.holidays.all() == [{"day": "2027-01-01", "name": "元旦"}]
    assert lists.settings.all() == {"site": "一号"}
    assert lists.accounts.find() == [{"uid": 61001, "person": "E1", "name": "", "on_host": False}]
    assert ids(lists.holds.find()) == ["H000001"]
    assert json.dumps([lists.areas.find(), lists.rooms.find(), lists.services.all()])
    with site.change(now) as change:
        change.areas.set_mode("plans", Mode.OBSERVE)
        change.areas.set("plans", custodian="", secret_until=now)
        change.services.remove("backup")
    assert lists.areas.to_confirm(now + 2 * DAY) == []
    assert lists.areas.find()[0]["custodian"] is None
    assert lists.services.all() == []


def test_a_hold_and_a_grant_are_found_by_number_also_when_they_are_over(
    site: Registry, lists: RegistryQueries, now: datetime
) -> None:
    with site.change(now) as change:
        hold = change.holds.add("E1", reason="leave", by="E2", two_officers=True)
        assert change.holds.ask_to_lift(hold, by="E2") is False
        grant = change.grants.add("E1", "plans", reason="甲", approver="E2", since=now - DAY)
        change.grants.end(grant)
    found = lists.holds.get(hold)
    assert (found["person"], found["two_officers"], found["lift_asked_by"]) == ("E1", True, "E2")
    assert (lists.grants.get(grant)["resource"], lists.grants.get(grant)["until"]) == (
        "plans",
        "2026-11-02T01:30:00.000000Z",
    )
    with pytest.raises(RefusedError, match=r"registry.not-found.*common.hold.*H000099"):
        lists.holds.get("H000099")
    with pytest.raises(RefusedError, match=r"registry.not-found.*common.grant.*G000099"):
        lists.grants.get("G000099")


def test_only_what_ended_by_itself_has_lapsed(site: Registry, lists: RegistryQueries, now: datetime) -> None:
    with site.change(now - DAY) as change:
        by_itself = change.grants.add("E1", "plans", reason="甲", approver="E2", until=now - DAY / 2)
        change.grants.end(change.grants.add("E1", "plans", reason="甲", approver="E2", until=now))
        change.grants.add("E1", "plans", reason="甲", approver="E2", until=now + DAY)
        change.grants.add("E1", "plans", reason="甲", approver="E2")
    assert ids(lists.grants.lapsed(now - DAY, now)) == [by_itself]
    assert ids(lists.grants.lapsed(now - DAY / 4, now)) == []


def test_whatever_the_tables_declare_as_true_or_false_is_listed_so(
    site: Registry, lists: RegistryQueries, path: Path, now: datetime
) -> None:
    with site.change(now) as change:
        change.grants.add("E1", "plans", reason="x", approver="E2")
        change.holds.add("E1", reason="x")
        change.records.add("E1", "exam", on=now)
        change.doors.add("d1", "vault", protocol="osdp", readers=[("r1", "in")], strike="r1")
        change.declarations.add("E1", "vault", purpose="x", until=now + DAY)
        change.pins.set("E1", "4711")
    with closing(sqlite3.connect(path)) as connection:
        question = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'case%'"  # a case is no row
        tables = " ".join(sql for (sql,) in connection.execute(question))
    declared = set(re.findall(r"CHECK \((\w+) IN \(0, 1\)\)", tables))
    rows = [
        *lists.people.find(),
        *lists.services.all(),
        *lists.accounts.find(),
        *lists.grants.find(now),
        *lists.holds.find(),
        *lists.records.find(),
        *lists.rooms.find(),
        *lists.doors.find(),
        *lists.declarations.find(),
    ]
    listed = {name: value for row in rows for name, value in row.items() if name in declared}
    assert listed.keys() == declared
    assert {name for name, value in listed.items() if not isinstance(value, bool)} == set()
    assert lists.pins.find()[0]["duress"] is False

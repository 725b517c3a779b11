"""Cases in the registry: stored wholly, one at a time, and taking from the person exactly what an approval takes."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from agent.errors import FatalError, RefusedError
from agent.registry.connect import APPLICATION
from agent.registry.facts import FactsReader
from agent.registry.queries.registry_queries import RegistryQueries
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.schema.first import FIRST
from agent.registry.store import Registry
from rules.model import Departure, DepartureStage, Level, Scope
from rules.offboarding import machine
from rules.offboarding.case import (
    Approval,
    Approver,
    CaseRemark,
    Exam,
    HandoverItem,
    OffboardingCase,
    Period,
    Restoration,
    Signature,
)
from rules.offboarding.measure import Keeper, Measure, MeasureEnd, MeasureKind, MeasureTaken
from rules.offboarding.vocabulary import CaseKind
from rules.text import Text

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)  # the instant of the fixtures
DAY = timedelta(days=1)
CHAIN = (Approver("head", Text("head", "部长")), Approver("boss", Text("boss", "总经理")))
PLAIN = OffboardingCase(
    person="E1", kind=CaseKind.RESIGNATION, last_day=date(2026, 12, 31), noticed_at=NOW, opened_by="E2", chain=CHAIN
)
FULL = replace(
    PLAIN,
    kind=CaseKind.TRANSFER,
    late_days=3,
    reason="项目结束\x1b[2J",
    reference="HR-2026-7",
    printed_class="核心",
    department="archive",
    post="keeper",
    approvals=(Approval("head", "E2", NOW, "同意"), Approval("boss", "E3", NOW + DAY)),
    approved_at=NOW + DAY,
    roles=("auditor", "security"),
    ended_by="E4",
    confirmation=CaseRemark("E5", NOW + DAY, ""),
    returns=(CaseRemark("E2", NOW, "form"), CaseRemark("E3", NOW, "again")),
    items=(
        HandoverItem("keys", Text("keys", "钥匙"), Text("guards", "保卫部门"), "E2", NOW),
        HandoverItem("badge-1", Text("badge", "卡"), Text("guards", "保卫部门"), "E2", NOW, missing="lost"),
        HandoverItem("more", Text("more", "其他"), Text("IT", "信息")),
    ),
    needs_education=True,
    education=CaseRemark("E2", NOW, ""),
    needs_exam=True,
    exams=(Exam("E2", NOW, passed=False), Exam("E2", NOW + DAY, passed=True)),
    signatures=(Signature("pledge", Text("pledge", "承诺书"), "E2", NOW), Signature("agreement", Text("a", "协议"))),
    needs_period=True,
    period=Period(None, "E2", NOW, "stays"),
    papers=CaseRemark("E2", NOW),
    closed=CaseRemark("E3", NOW, "done"),
    rescissions=(CaseRemark("E2", NOW, "x"), CaseRemark("E3", NOW, "y")),
    rescinded=True,
    withdrawn=True,
    effective_at=NOW + 2 * DAY,
    carried_out_at=NOW + 3 * DAY,
    batch="2026-11",
    resumption=CaseRemark("E2", NOW, "back"),
    measures=(
        Measure("border", MeasureKind.BORDER, Text("filing", "备案")),
        Measure("visit", MeasureKind.VISIT, Text("visit", "回访"), 90),
    ),
    taken=(
        MeasureTaken(
            measure="border",
            by="E2",
            at=NOW,
            day=NOW.date(),
            paper="7",
            party="bureau",
            ended=MeasureEnd("E3", NOW + DAY, NOW.date(), "8"),
        ),
        MeasureTaken(measure="visit", by="E2", at=NOW, day=NOW.date(), note="well"),
        MeasureTaken(measure="x", by="E2", at=NOW, day=NOW.date(), item="passport", keeper=Keeper.AUTHORITY),
    ),
    restorations=(Restoration("G000001", "E2", NOW, "E3"), Restoration("G000002", "E2", NOW)),
)


def approved(change: RegistryTransaction, case: OffboardingCase = PLAIN) -> OffboardingCase:
    case = change.cases.add(case)
    for by, place in zip(("E2", "E3"), CHAIN, strict=True):
        case = machine.approve(case, place.role, by, change.at)
    return change.cases.save(case)


def departures(reader: FactsReader, person: str = "E1") -> tuple[Departure, ...]:
    return reader.facts([person], "plans")[1].persons[person].departures


DATED = replace(FULL, period=Period(NOW, "E2", NOW))


@pytest.mark.parametrize("case", [PLAIN, FULL, DATED, replace(PLAIN, sent_back=True)])
def test_what_is_read_is_what_was_stored(site: Registry, lists: RegistryQueries, case: OffboardingCase) -> None:
    with site.change(NOW) as change:
        stored = change.cases.add(case)
        assert change.cases.get("E1") == stored
    assert stored == replace(case, id="C000001")
    assert lists.cases.get("E1") == lists.cases.get("C000001") == stored


def test_storing_again_replaces_all_of_it(site: Registry, lists: RegistryQueries) -> None:
    with site.change(NOW) as change:
        first = change.cases.add(FULL)
        change.cases.save(replace(PLAIN, id=first.id))
    assert lists.cases.get("E1") == replace(PLAIN, id=first.id)


def test_what_a_case_has_taken_is_known_by_the_names_of_the_areas(site: Registry, lists: RegistryQueries) -> None:
    with site.change(NOW) as change:
        for number in range(2):
            change.grants.add("E1", "plans", reason=f"{number}", approver="E9")
        case = approved(change)
        change.case_grants.end_all(case, by="E9")
    assert lists.case_grants.lost(case.id) == ["plans"]
    with site.change(NOW) as change:
        other = change.cases.add(replace(PLAIN, person="E2"))
    assert lists.case_grants.lost(other.id) == []


def test_a_person_has_one_running_case(site: Registry, lists: RegistryQueries) -> None:
    with site.change(NOW) as change:
        first = change.cases.add(PLAIN)
        assert change.cases.running("E1") == [first]
    with pytest.raises(RefusedError, match=r"registry.case-in-progress.*C000001.*E1"), site.change(NOW) as change:
        change.cases.add(PLAIN)
    with site.change(NOW) as change:
        change.cases.save(replace(first, rescinded=True))
        second = change.cases.add(PLAIN)
        assert change.cases.get("E1") == second
    assert [case.id for case in lists.cases.find()] == ["C000002"]
    assert [case.id for case in lists.cases.find("E1", over=True)] == ["C000001", "C000002"]
    assert lists.cases.find("E2", over=True) == []


def test_only_beside_an_approved_transfer_a_person_has_a_second_case_and_that_is_the_one_meant(
    site: Registry, lists: RegistryQueries
) -> None:
    transfer, leaves = replace(PLAIN, kind=CaseKind.TRANSFER), replace(PLAIN, kind=CaseKind.DISMISSAL)
    with site.change(NOW) as change:
        first = change.cases.add(transfer)
    with pytest.raises(RefusedError, match=r"registry.case-in-progress.*C000001.*E1"), site.change(NOW) as change:
        change.cases.add(leaves)  # nobody has approved the transfer
    with site.change(NOW) as change:
        change.cases.save(replace(first, approved_at=NOW))
        second = change.cases.add(leaves)
        assert [case.id for case in change.cases.running("E1")] == ["C000001", "C000002"]
        assert change.cases.get("E1") == second
    for third in (transfer, leaves):
        with pytest.raises(RefusedError, match=r"registry.case-in-progress"), site.change(NOW) as change:
            change.cases.add(third)
    with pytest.raises(RefusedError, match="UNIQUE"), site.change(NOW) as change:  # whatever the program thinks
        change.cases.save(replace(second, kind=CaseKind.TRANSFER))
    with site.change(NOW) as change:
        change.cases.save(replace(second, rescinded=True))
        assert change.cases.get("E1").id == "C000001"  # the one that runs, not the newest
    assert lists.cases.get("E1").id == "C000001"


def test_a_case_that_is_not_there_is_named(site: Registry, lists: RegistryQueries) -> None:
    with site.change(NOW) as change:
        missing = {
            "E1": r"registry.no-offboarding-case.*E1",
            "C000007": r"registry.not-found.*registry.case.*C000007",
            "E9": r"registry.invalid-number.*E9",
        }
        for name, said in missing.items():
            with pytest.raises(RefusedError, match=said):
                change.cases.get(name)
    with pytest.raises(RefusedError, match=r"registry.not-found.*common.person.*E9"), site.change(NOW) as change:
        change.cases.add(replace(PLAIN, person="E9"))
    with pytest.raises(RefusedError, match=r"registry.not-found.*registry.case.*C000007"):
        lists.cases.get("C000007")


def test_a_text_that_fits_no_entry_is_refused(site: Registry) -> None:
    long = replace(PLAIN, items=(HandoverItem("k", Text("k", "k"), Text("d", "d"), missing="x" * 2_001),))
    with pytest.raises(RefusedError, match=r"registry.text-too-long.*2001"), site.change(NOW) as change:
        change.cases.add(long)


def test_a_decision_sees_the_departure_from_the_approval_on(site: Registry, reader: FactsReader) -> None:
    with site.change(NOW) as change:
        case = change.cases.add(PLAIN)
    assert departures(reader) == (Departure(DepartureStage.NOTICE, None, None, "E2"),)
    with site.change(NOW + DAY) as change:
        case = machine.approve(machine.approve(case, "head", "E2", change.at), "boss", "E3", change.at)
        change.cases.save(case)
    assert departures(reader) == (Departure(DepartureStage.APPROVED, NOW + DAY, None, "E3"),)
    with site.change(NOW + DAY) as change:
        case = change.cases.save(replace(case, period=Period(NOW + 9 * DAY, "E2", NOW)))
    assert departures(reader) == (Departure(DepartureStage.COOLING_OFF, NOW + DAY, NOW + 9 * DAY, "E3"),)
    with site.change(NOW + 9 * DAY) as change:
        change.cases.save(replace(case, closed=CaseRemark("E2", NOW)))
    assert departures(reader) == (Departure(DepartureStage.CLOSED, NOW + DAY, NOW + 9 * DAY, "E3"),)


def test_a_decision_sees_the_leave_date_and_a_board_loses_no_card_before_it(
    site: Registry, reader: FactsReader, lists: RegistryQueries
) -> None:
    leave = NOW + 5 * DAY
    with site.change(NOW) as change:
        case = approved(change, replace(PLAIN, effective_at=leave))
        change.cases.save(replace(case, period=Period(NOW + 90 * DAY, "E2", NOW)))
    [seen] = departures(reader)
    assert (seen.stage, seen.effective_at) == (DepartureStage.APPROVED, leave)
    assert [reader.stopped(at) for at in (leave - DAY, leave)] == [frozenset(), frozenset({"E1"})]
    assert lists.departures.find("E1")[0]["effective_at"] == "2026-11-07T01:30:00.000000Z"


def test_a_leave_date_is_due_from_its_instant_on_until_it_is_carried_out(
    site: Registry, lists: RegistryQueries
) -> None:
    leave = NOW + 5 * DAY
    with site.change(NOW) as change:
        case = approved(change, replace(PLAIN, effective_at=leave))
        change.cases.add(replace(PLAIN, person="E2", effective_at=leave))  # nobody has approved it
    second = timedelta(microseconds=1)
    assert [[one.id for one in lists.cases.due(at)] for at in (leave - second, leave)] == [[], [case.id]]
    assert [[one.id for one in lists.cases.leaving(NOW, at)] for at in (leave - second, leave)] == [[], [case.id]]
    with site.change(leave) as change:
        change.cases.save(machine.carry_out(case, (), leave))
    assert lists.cases.due(leave + DAY) == []


def test_beside_long_leave_runs_the_departure_that_overtakes_it(site: Registry) -> None:
    with site.change(NOW) as change:
        approved(change, replace(PLAIN, kind=CaseKind.LONG_LEAVE))
        change.cases.add(PLAIN)
    for kind in (CaseKind.TRANSFER, CaseKind.DISMISSAL):
        with pytest.raises(RefusedError, match=r"registry.case-in-progress"), site.change(NOW) as change:
            change.cases.add(replace(PLAIN, kind=kind))


def test_what_two_officers_gave_again_is_listed_with_the_case_that_took_it(site: Registry, path: Path) -> None:
    with site.change(NOW) as change:
        given = change.cases.add(PLAIN)
        change.cases.save(replace(FULL, id=given.id))
    with closing(RegistryQueries(path)) as lists:
        assert lists.case_grants.restored() == [f"{given.id}.G000001"]


def test_a_rescinded_departure_is_set_aside_and_stays_in_the_books(
    site: Registry, reader: FactsReader, lists: RegistryQueries
) -> None:
    with site.change(NOW) as change:
        case = approved(change)
        change.cases.save(replace(case, rescinded=True))
    assert departures(reader) == ()
    with site.change(NOW + DAY) as change:
        change.cases.save(replace(case, rescinded=True))
    assert lists.departures.find("E1")[0]["set_aside_at"] == "2026-11-02T01:30:00.000000Z"


@pytest.mark.parametrize("kind", CaseKind)
def test_closing_sets_only_what_passes_aside(site: Registry, reader: FactsReader, kind: CaseKind) -> None:
    with site.change(NOW) as change:
        case = approved(change, replace(PLAIN, kind=kind))
        change.cases.save(replace(case, closed=CaseRemark("E2", NOW)))
    assert (departures(reader) == ()) == (kind in (CaseKind.TRANSFER, CaseKind.REHIRED, CaseKind.LONG_LEAVE))


def test_every_grant_that_runs_or_is_to_come_ends_and_can_be_given_again_with_its_end(
    site: Registry, lists: RegistryQueries
) -> None:
    until = NOW + 60 * DAY
    with site.change(NOW) as change:
        lasting = change.grants.add("E1", "plans", reason="甲", approver="E2", until=until)
        coming = change.grants.add("E1", "vault", reason="乙", approver="E2", since=NOW + 20 * DAY)
        temporary = change.grants.add("E1", "plans", reason="丙", approver="E2", until=until, temporary=True)
        over = change.grants.add("E1", "plans", reason="丁", approver="E2", until=NOW + DAY)
        other = change.grants.add("E2", "plans", reason="戊", approver="E1")
    with site.change(NOW + 2 * DAY) as change:
        case = approved(change)
        assert change.case_grants.end_all(case, by="E3") == [lasting, coming, temporary]
    assert [row["id"] for row in lists.grants.find(NOW + 3 * DAY)] == [other]
    assert {row["end_reason"] for row in lists.grants.find(NOW, person="E1", state="all")} == {"C000001", ""}
    with site.change(NOW + 3 * DAY) as change:
        new = change.case_grants.restore(case, lasting, reason="back", approver="E3")
        later = change.case_grants.restore(case, coming, reason="back", approver="E3")
        for refused in (temporary, over, other, "G000099"):
            with pytest.raises(RefusedError, match=r"registry.grant-not-restorable"):
                change.case_grants.restore(case, refused, reason="back", approver="E3")
        with pytest.raises(RefusedError, match=r"registry.own-access-grant"):
            change.case_grants.restore(case, lasting, reason="back", approver="E1")
    given = {row["id"]: row for row in lists.grants.find(NOW, person="E1", state="all")}
    assert (given[new]["since"], given[new]["until"]) == ("2026-11-05T01:30:00.000000Z", "2027-01-01T01:30:00.000000Z")
    assert (given[later]["since"], given[later]["until"]) == ("2026-11-22T01:30:00.000000Z", None)


def test_a_grant_of_a_removed_area_is_not_given_again(site: Registry) -> None:
    with site.change(NOW) as change:
        grant = change.grants.add("E1", "plans", reason="甲", approver="E2")
    with site.change(NOW + DAY) as change:
        case = approved(change)
        change.case_grants.end_all(case, by="E3")
        change.areas.remove("plans")
        change.areas.add("plans", path="/srv/other", level=Level.SECRET, domain="state")
        with pytest.raises(RefusedError, match=r"registry.grant-not-restorable"):
            change.case_grants.restore(case, grant, reason="back", approver="E3")


def test_a_transferred_person_leaves_projects_and_circles_and_must_be_vetted_again(
    site: Registry, reader: FactsReader, lists: RegistryQueries
) -> None:
    with site.change(NOW) as change:
        change.people.set("E1", projects=["甲"])
        change.areas.set("plans", scope=Scope(frozenset({"E1", "E2"}), frozenset({"research"})))
    with site.change(NOW + DAY) as change:
        case = approved(change, replace(PLAIN, kind=CaseKind.TRANSFER, department="archive", post="keeper"))
        assert change.people.transfer("E1", department=case.department, post=case.post) == ["plans"]
    person = reader.facts(["E1"], "plans")[1].persons["E1"]
    assert (person.department, person.projects, person.post_changed_at) == ("archive", frozenset(), NOW + DAY)
    assert lists.people.find(text="E1")[0]["post"] == "keeper"
    place = reader.resource("plans")
    assert place
    assert place.scope == Scope(frozenset({"E2"}), frozenset({"research"}))


def test_a_registry_of_the_first_schema_keeps_its_departures(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with closing(sqlite3.connect(path)) as old:
        for statement in (
            *FIRST,
            f"PRAGMA application_id = {APPLICATION}",
            "PRAGMA user_version = 1",
        ):
            old.execute(statement)
        old.execute("CREATE TABLE _sqlite_migrations (migration_set TEXT, name TEXT, applied_at TEXT)")
        old.execute("INSERT INTO _sqlite_migrations VALUES ('registry', 'm001_first', '2026-01-01')")
        old.execute("INSERT INTO people VALUES ('E1', '', '', '', 'regular', 1, '2026-01-01T00:00:00.000000Z', NULL)")
        old.execute(
            "INSERT INTO departures (person, stage, opened_at) VALUES ('E1', 'approved', '2026-01-01T00:00:00.000000Z')"
        )
        old.commit()
    with Registry(path), FactsReader(path) as reader:
        assert departures(reader) == (Departure(DepartureStage.APPROVED),)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE cases SET kind = 'eloped'",
        "UPDATE cases SET last_day = 'soon'",
        "UPDATE cases SET approved_at = 'soon'",
        "UPDATE case_approvals SET approved_at = NULL WHERE place = 0",
    ],
)
def test_a_case_that_says_what_none_can_is_damage(
    site: Registry, path: Path, lists: RegistryQueries, harm: str
) -> None:
    with site.change(NOW) as change:
        approved(change)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(harm)
        raw.commit()
    with pytest.raises(FatalError, match=r"registry.registry-damaged"):
        lists.cases.get("E1")
    with pytest.raises(FatalError, match=r"registry.registry-damaged"), site.change(NOW) as change:
        change.cases.get("E1")

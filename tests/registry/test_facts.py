"""What a decision gets to know: the model of what was written, from one instant, and nothing heavy imported."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from agent.registry.facts import FactsReader
from agent.registry.rows.areas import AreaRow
from agent.registry.rows.services import ServiceProgram
from agent.registry.store import Registry
from rules.model import (
    Clearance,
    Departure,
    DepartureStage,
    Employment,
    Facts,
    Grant,
    Hold,
    Level,
    Mode,
    Person,
    Record,
    Resource,
    RoomRules,
    Scope,
    Service,
)
from tests.registry import benchmark as bench_registry

DAY = timedelta(days=1)


def test_the_reader_of_the_guard_loads_the_standard_library_alone() -> None:
    code = "import sys, agent.registry.facts; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    said = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(eval(said.stdout))
    heavy = {"sqlite_utils", "click", "pluggy", "psutil", "watchdog", "textual", "jwt"}
    assert "sqlite3" in loaded
    assert not loaded & heavy


def test_facts_are_the_model_of_what_was_written(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        change.people.set("E1", department="r&d", post="archivist", projects={"甲", "乙"}, employment=Employment.INTERN)
        change.people.set_clearance("E1", Clearance("state", Level.TOP_SECRET, label="核心", approved_by="E2"))
        change.people.set_clearance("E1", Clearance("commercial", Level.INTERNAL))
        change.records.add("E1", "vetting", on=now - 9 * DAY, valid_until=now + DAY, topic="甲", note="not for rules")
        change.records.add("E1", "exam", on=now - DAY, passed=False)
        change.holds.add("E1", reason="leave", since=now + DAY)
        departure = change.departures.add("E1")
        change.departures.set(
            departure, stage=DepartureStage.APPROVED, approved_at=now, cooling_off_until=now + 700 * DAY
        )
        change.grants.add("E1", "plans", reason="项目甲", approver="E2")
        change.grants.add(
            "E1", "plans", reason="协助", approver="E2", since=now + DAY, until=now + 2 * DAY, temporary=True
        )
        change.grants.add("E1", "vault", reason="elsewhere", approver="E2")
        change.areas.set("plans", custodian="E2", secret_until=now + 3650 * DAY, hours="office")
        change.areas.set("plans", scope=Scope(frozenset({"E1"}), frozenset({"r&d"}), frozenset({"甲"})))
        change.areas.set_mode("plans", Mode.OBSERVE)
        change.holidays.add(date(2027, 1, 1), name="元旦")

    epoch, facts = reader.facts(["E1", "E9"], "plans", ["backup", "none"])

    assert epoch == 2
    assert facts == Facts(
        persons={
            "E1": Person(
                id="E1",
                name="张三",
                department="r&d",
                projects=frozenset({"甲", "乙"}),
                employment=Employment.INTERN,
                clearances=(
                    Clearance("commercial", Level.INTERNAL),
                    Clearance("state", Level.TOP_SECRET, "核心", "E2"),
                ),
                records=(
                    Record("vetting", now - 9 * DAY, passed=True, valid_until=now + DAY, topic="甲"),
                    Record("exam", now - DAY, passed=False),
                ),
                grants=(
                    Grant("G000001", "E1", "plans", "项目甲", "E2", now),
                    Grant("G000002", "E1", "plans", "协助", "E2", now + DAY, now + 2 * DAY, temporary=True),
                ),
                holds=(Hold(now + DAY, "leave"),),
                departures=(Departure(DepartureStage.APPROVED, now, now + 700 * DAY),),
                badges=frozenset({"4660"}),
            )
        },
        resources={
            "plans": Resource(
                "plans",
                Level.SECRET,
                "state",
                Scope(frozenset({"E1"}), frozenset({"r&d"}), frozenset({"甲"})),
                Mode.OBSERVE,
                custodian="E2",
                secret_until=now + 3650 * DAY,
                hours="office",
            )
        },
        services={"backup": Service("backup", 0, "/usr/bin/tar", frozenset({"plans"}))},
        holidays=frozenset({date(2027, 1, 1)}),
    )


def test_what_is_not_there_is_absent(site: Registry, reader: FactsReader) -> None:
    assert reader.facts(["E9"], "none", ["none"]) == (1, Facts())
    assert reader.facts(["E1"], "none")[1].persons["E1"].grants == ()
    assert reader.person_of_uid(61009) is None
    assert reader.resource("none") is None


def test_uids_and_programs_are_found(site: Registry, reader: FactsReader) -> None:
    assert reader.person_of_uid(61001) == "E1"
    assert reader.accounts() == {61001: "E1"}
    assert reader.programs() == (ServiceProgram("backup", 0, b"/usr/bin/tar", None, None, None, "", lets_in=False),)
    assert reader.services() == (Service("backup", 0, "/usr/bin/tar", frozenset({"plans"})),)


def test_a_room_keeps_its_rules(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        change.rooms.set("vault", RoomRules(two_person=True, needs_declaration=True))
    vault = reader.facts([], "vault")[1].resources["vault"]
    assert vault.room == RoomRules(two_person=True, needs_purpose=False, needs_declaration=True)
    assert [row.resource.id for row in reader.areas()] == ["plans"]


def test_areas_come_with_place_and_what_the_guard_must_know(site: Registry, reader: FactsReader, now: datetime) -> None:
    odd = "/srv/\udcff\x1b[2J 计划"  # a byte that is not UTF-8, an escape, a blank
    with site.change(now) as change:
        change.areas.add(
            "archive",
            path=odd,
            level=Level.INTERNAL,
            domain="commercial",
            scope=Scope(departments=frozenset({"hr"})),
            reads="each",
            enforce_confirm_by=now + DAY,
            volume={"tier": "A", "dev": 2049},
        )
    archive, plans = reader.areas()
    resource = Resource("archive", Level.INTERNAL, "commercial", Scope(departments=frozenset({"hr"})))
    assert archive == AreaRow(resource, odd, "each", now + DAY, {"tier": "A", "dev": 2049})
    assert plans == AreaRow(Resource("plans", Level.SECRET, "state"), "/srv/vol/plans", "quiet")
    with site.change(now) as change:
        change.areas.confirm_enforce("archive")
        change.areas.set("archive", reads="quiet", volume={"tier": "B"})
    assert reader.areas()[0] == AreaRow(resource, odd, "quiet", None, {"tier": "B"})


def test_foreign_words_are_stored_as_they_came(site: Registry, reader: FactsReader, now: datetime) -> None:
    foreign = "".join(map(chr, range(0x20))) + "\x7f\x9b\u202e\u2028\ufeff]8;;[/foo]'\";-- 北门\U0001f512"
    with site.change(now) as change:
        change.people.set("E1", name=foreign)
        change.grants.add("E1", "plans", reason=foreign, approver=foreign)
        change.holds.add("E1", reason=foreign)
        change.records.add("E1", "exam", on=now, topic=foreign)
    person = reader.facts(["E1"], "plans")[1].persons["E1"]
    kept = person.name, person.grants[0].reason, person.grants[0].approver, person.holds[0].reason
    assert (*kept, person.records[0].topic) == (foreign,) * 5


def test_what_was_taken_back_is_gone_and_what_is_over_stays(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        hold = change.holds.add("E1", reason="x")
        record = change.records.add("E1", "exam", on=now)
        grant = change.grants.add("E1", "plans", reason="x", approver="E2", since=now - DAY)
    with site.change(now + DAY) as change:
        assert change.holds.lift(hold, by="E2") == "E1"
        assert change.records.void(record, reason="wrong person") == "E1"
        assert change.grants.end(grant, by="E2", reason="done") == ("E1", "plans")
        change.people.change_post("E1", department="archive")
    person = reader.facts(["E1"], "plans")[1].persons["E1"]
    assert (person.holds, person.records) == ((), ())
    assert person.grants == (Grant(grant, "E1", "plans", "x", "E2", now - DAY, now + DAY),)
    assert (person.department, person.post_changed_at) == ("archive", now + DAY)


def test_a_name_used_again_inherits_nothing(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        change.grants.add("E1", "plans", reason="x", approver="E2")
        change.areas.set("plans", scope=Scope(frozenset({"E1"})))
    with site.change(now) as change:
        assert change.areas.remove("plans") == 1
    assert (reader.areas(), reader.resource("plans")) == ((), None)
    assert reader._connection.execute("SELECT count(*) FROM scope").fetchone() == (0,)
    with site.change(now) as change:
        change.areas.add("plans", path="/srv/vol/plans", level=Level.TOP_SECRET, domain="state")
    facts = reader.facts(["E1"], "plans", ["backup"])[1]
    assert facts.persons["E1"].grants == ()
    assert facts.resources["plans"].scope == Scope()
    assert facts.services["backup"].areas == frozenset()


def test_a_snapshot_stays_at_its_instant(site: Registry, reader: FactsReader, path: Path, now: datetime) -> None:
    with reader.snapshot() as epoch:
        with site.change(now) as change:
            change.accounts.add(61002, "E2")
            change.holds.add("E1", reason="x")
        assert (epoch, reader.epoch()) == (1, 1)
        assert reader.accounts() == {61001: "E1"}
        assert reader.facts(["E1"], "plans")[1].persons["E1"].holds == ()
    assert reader.epoch() == 2
    assert len(reader.accounts()) == 2


def test_an_error_of_the_caller_ends_the_snapshot(site: Registry, reader: FactsReader, now: datetime) -> None:
    with pytest.raises(ZeroDivisionError), reader.snapshot() as epoch:
        epoch / 0
    with site.change(now) as change:
        change.accounts.add(61002, "E2")
    assert reader.epoch() == 2


def test_no_question_of_the_open_path_reads_a_whole_table(site: Registry, reader: FactsReader) -> None:
    asked: list[str] = []
    reader._connection.set_trace_callback(asked.append)
    reader.facts(["E1"], "plans", ["backup"])
    reader.person_of_uid(61001)
    reader._connection.set_trace_callback(None)
    questions = [question for question in asked if question.startswith("SELECT")]
    assert len(questions) > 10
    for question in questions:
        if question.endswith(("FROM epoch", "FROM holidays")):
            continue
        for *_, step in reader._connection.execute(f"EXPLAIN QUERY PLAN {question}"):
            assert not step.startswith("SCAN"), f"{question}: {step}"


def test_the_bench_runs() -> None:
    measured = dict(bench_registry.measure(people=30, areas=8, rounds=20))
    assert {"facts of one decision, median", "one hold, durable, p99"} <= measured.keys()
    assert all(seconds > 0 for seconds in measured.values())


def test_where_areas_lie_is_read_anew_when_an_area_has_changed_and_not_before(
    registry: Registry, reader: FactsReader, path: Path, now: datetime
) -> None:
    with registry.change(now) as change:
        change.people.add("E1")
        change.areas.add("plans", path="/srv/plans", level=Level.SECRET, domain="state")
    first = reader.places()
    with registry.change(now) as change:
        change.holds.add("E1", reason="x", by="E2")
    assert reader.places() is first
    with registry.change(now) as change:
        change.areas.set("plans", reads="each")
    assert [place.reads for place in reader.places()] == ["each"]
    with registry.change(now) as change:
        change.areas.set_mode("plans", Mode.ENFORCE)
    enforced = reader.places()
    with registry.change(now) as change:
        change.areas.set_mode("plans", Mode.OBSERVE)
    assert [[place.enforced for place in places] for places in (enforced, reader.places())] == [[True], [False]]
    with closing(sqlite3.connect(path)) as other, other:  # whoever changes the file, by whatever statement
        other.execute("UPDATE resources SET mode = 'enforce'")
    assert [place.enforced for place in reader.places()] == [True]
    with registry.change(now) as change:
        change.areas.remove("plans")
    assert reader.places() == ()

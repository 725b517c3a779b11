"""Doors in a revocation: named, confirmed only when known to refuse, and never waited for."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.steps import doors
from agent.offboard.steps.step import StepState
from agent.rooms.refusal_check import KnownRefusal
from rules.text import Text
from tests.offboard.host import context
from tests.sentences import en, zh

LEAVER = RevocationSubject("E1001")
NOON = datetime(2026, 3, 2, 12, 0, 0, 1, tzinfo=UTC)
SAID = Text("read back", "已回读")


@dataclass
class Building:
    """Doors by name, and whether each is known to refuse."""

    known: dict[str, bool]
    rooms: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    def names(self) -> Iterable[str]:
        return self.known

    def inside(self, _person: str) -> Iterable[str]:
        return self.rooms

    def refuse(self, person: str) -> Iterable[KnownRefusal]:
        self.asked.append(person)
        return [KnownRefusal(name, sure, NOON if sure else None, SAID) for name, sure in self.known.items()]


def site(tmp_path: Path, building: Building) -> RevocationContext:
    return replace(context(tmp_path), doors=building)


def test_doors_that_all_refuse_are_confirmed_with_their_instant(tmp_path: Path) -> None:
    building = Building({"b": True, "a": True})
    result = doors.STEP.run(LEAVER, site(tmp_path, building), "C1")
    assert result.state is StepState.CONFIRMED
    assert [door["door"] for door in result.facts["doors"]] == ["a", "b"]
    assert result.facts["doors"][0]["at"] == "2026-03-02T12:00:00.000001Z"
    assert building.asked == ["E1001"]


def test_one_door_that_is_not_known_to_refuse_leaves_the_step_pending_and_is_named(tmp_path: Path) -> None:
    result = doors.STEP.run(LEAVER, site(tmp_path, Building({"good": True, "dead": False})), "C1")
    assert result.state is StepState.PENDING
    assert "dead" in en(result.detail)
    assert "good" not in zh(result.detail)
    assert [(door.name, door.state) for door in doors.of_facts(result.facts)] == [
        ("dead", "pending"),
        ("good", "confirmed"),
    ]


def test_a_person_inside_is_in_the_plan_and_in_the_receipt(tmp_path: Path) -> None:
    here = site(tmp_path, Building({"a": True}, rooms=("vault",)))
    assert any("vault" in en(target.label) for target in doors.STEP.find_targets(LEAVER, here))
    result = doors.STEP.run(LEAVER, here, "C1")
    assert result.facts["inside"] == ["vault"]
    assert "vault" in zh(result.detail)


def test_a_site_without_doors_skips_the_step(tmp_path: Path) -> None:
    said = doors.STEP.probe(LEAVER, context(tmp_path))
    assert said
    assert "no doors" in en(said)


def test_the_step_runs_alongside_so_that_no_door_delays_the_cut() -> None:
    assert doors.STEP.alongside

"""Every departure vector is answered as it says. The format is described beside the vectors."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from departure_cases import DAY, NOW, PACKS, PEOPLE, leaver, settled

from rules.model import Employment, Level
from rules.offboarding import duties as departure_duties
from rules.offboarding import machine as departure
from rules.offboarding import opening as departure_open
from rules.offboarding.case import Case, Item
from rules.offboarding.machine import DepartureRefused
from rules.offboarding.next_steps import flags
from rules.offboarding.vocabulary import Kind
from rules.pack.reader import Pack
from rules.text import Text

Raw = dict[str, Any]

VECTORS = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted((Path(__file__).parent / "departures").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]
]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_vector_is_answered_as_it_says(vector: Raw) -> None:
    pack = PACKS[vector["pack"]]
    case: Case | None = None
    refused = ""
    for raw in ({"do": "open", **vector["open"]}, *vector.get("do", [])):
        assert not refused, "only the last move is refused"
        try:
            case = _opened(raw, pack) if case is None else _MOVES[raw["do"]](case, raw, pack)
        except DepartureRefused as answer:
            refused = answer.text.en
    assert vector.get("refused", "") in refused
    assert bool(refused) == ("refused" in vector)
    if case is not None:
        assert {name: _FOUND[name](case) for name in vector["expect"]} == vector["expect"]


def _opened(raw: Raw, pack: Pack) -> Case:
    person = leaver(Level.parse(raw.get("level", "secret")), Employment(raw.get("employment", "regular")))
    return departure_open.open_case(
        pack,
        person,
        Kind(raw.get("kind", "resignation")),
        date.fromisoformat(raw.get("last_day", "2026-12-31")),
        raw.get("by", "E9"),
        NOW,
        noticed_at=datetime.fromisoformat(raw["noticed"]) if "noticed" in raw else None,
        department=raw.get("department", ""),
    )


def _chain(case: Case, _raw: Raw, _pack: Pack) -> Case:
    for by in PEOPLE[1:]:
        if place := case.next_approver:
            case = departure.approve(case, place.role, by, NOW)
    return case


def _cool_off(case: Case, raw: Raw, _pack: Pack) -> Case:
    until = None if "none" in raw else NOW + raw["days"] * DAY
    return departure_duties.decide_period(case, until, _by(raw), _at(raw), raw.get("reason", ""))


def _by(raw: Raw) -> str:
    return str(raw.get("by", "E8"))


def _at(raw: Raw) -> datetime:
    return NOW + timedelta(days=raw.get("at", 0))


_A = Text("a", "甲")
_MOVES: dict[str, Callable[[Case, Raw, Pack], Case]] = {
    "approve": lambda case, raw, _: departure.approve(case, raw["as"], _by(raw), _at(raw)),
    "privileged": lambda case, raw, _: departure.ended(case, raw["roles"], _by(raw)),
    "confirm": lambda case, raw, _: departure.confirm(case, _by(raw), _at(raw)),
    "notice": lambda case, raw, pack: departure_open.by_notice(pack, case, raw["approvers"], _at(raw)),
    "return": lambda case, raw, _: departure.send_back(case, _by(raw), _at(raw), raw["reason"]),
    "rescind": lambda case, raw, _: departure.rescind(case, _by(raw), _at(raw), raw["reason"]),
    "restore": lambda case, raw, _: departure.restore(case, raw["name"], _by(raw), _at(raw)),
    "hand-in": lambda case, raw, pack: departure_open.hand_in_again(
        case, pack, date.fromisoformat(raw["last_day"]), _by(raw), _at(raw)
    ),
    "add-line": lambda case, raw, _: departure_duties.add_item(case, Item(raw["name"], _A, _A), _by(raw)),
    "hand-over": lambda case, raw, _: departure_duties.hand_over(case, raw["name"], _by(raw), _at(raw)),
    "write-off": lambda case, raw, _: departure_duties.write_off(case, raw["name"], _by(raw), _at(raw), raw["reason"]),
    "educate": lambda case, raw, _: departure_duties.educate(case, _by(raw), _at(raw)),
    "exam": lambda case, raw, _: departure_duties.examine(case, _by(raw), _at(raw), passed=raw["passed"]),
    "sign": lambda case, raw, _: departure_duties.sign(case, raw["name"], _by(raw), _at(raw)),
    "cool-off": _cool_off,
    "papers": lambda case, raw, _: departure_duties.release_papers(case, _by(raw), _at(raw)),
    "close": lambda case, raw, _: departure_duties.close(case, _by(raw), _at(raw)),
    "overtake": lambda case, raw, _: departure_open.overtake(case, Kind(raw["kind"]), _by(raw), _at(raw)),
    "chain": _chain,
    "settle": lambda case, raw, _: settled(case, raw.get("but", "")),
}
_FOUND: dict[str, Callable[[Case], object]] = {
    "step": lambda case: case.step.value,
    "approved": lambda case: case.approved_at is not None,
    "confirmed_by": lambda case: case.confirmation.by if case.confirmation else "",
    "owed": lambda case: [duty.value for duty in case.owed],
    "late_days": lambda case: case.late_days,
    "items": lambda case: [item.key for item in case.items],
    "signatures": lambda case: [paper.name for paper in case.signatures],
    "flags": lambda case: [flag.en for flag in flags(case, NOW.date())],
}

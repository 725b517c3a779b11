"""Every departure vector is answered as it says. The format is described beside the vectors."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rules.model import Employment, Level
from rules.offboarding import cooling_off, duties, machine, opening
from rules.offboarding.case import HandoverItem, OffboardingCase
from rules.offboarding.machine import DepartureRefusedError
from rules.offboarding.measure import Keeper, MeasureEnd, MeasureTaken
from rules.offboarding.next_steps import flags, next_steps
from rules.offboarding.vocabulary import CaseKind
from rules.pack.reader import Pack
from rules.text import Text
from tests.rules.offboarding.cases import DAY, NOW, PACKS, PEOPLE, leaver, settled

Raw = dict[str, Any]

VECTORS = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted((Path(__file__).parent / "vectors").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]
]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_vector_is_answered_as_it_says(vector: Raw) -> None:
    pack = PACKS[vector["pack"]]
    case: OffboardingCase | None = None
    refused: Raw | None = None
    for raw in ({"do": "open", **vector["open"]}, *vector.get("do", [])):
        assert refused is None, "only the last move is refused"
        try:
            case = _opened(raw, pack) if case is None else _MOVES[raw["do"]](case, raw, pack)
        except DepartureRefusedError as answer:
            refused = answer.text.to_json()
    assert _named(refused, vector.get("refused")) == vector.get("refused")
    if case is not None:
        today = date.fromisoformat(vector["on"]) if "on" in vector else NOW.date()
        found = {name: _FOUND[name](case) for name in vector["expect"] if name != "flags"}
        if "flags" in vector["expect"]:
            found["flags"] = [flag.to_json() for flag in flags(case, today)]
        assert found == vector["expect"]


def _named(refused: Raw | None, expected: Raw | None) -> Raw | None:
    """Return *refused* with the parameters only that *expected* names."""
    if refused is None or expected is None:
        return refused
    parameters = refused["parameters"].items()
    named = {name: raw for name, raw in parameters if name in expected.get("parameters", {})}
    return {"code": refused["code"], **({"parameters": named} if named else {})}


def _opened(raw: Raw, pack: Pack) -> OffboardingCase:
    person = leaver(Level.parse(raw.get("level", "secret")), Employment(raw.get("employment", "regular")))
    return opening.open_case(
        pack,
        person,
        CaseKind(raw.get("kind", "resignation")),
        date.fromisoformat(raw.get("last_day", "2026-12-31")),
        raw.get("by", "E9"),
        NOW,
        noticed_at=datetime.fromisoformat(raw["noticed"]) if "noticed" in raw else None,
        department=raw.get("department", ""),
        effective_at=NOW + raw["effective"] * DAY if "effective" in raw else None,
    )


def _measure(case: OffboardingCase, raw: Raw, _pack: Pack) -> OffboardingCase:
    said = {name: raw[name] for name in ("paper", "party", "item", "note") if name in raw}
    keeper = Keeper(raw["to"]) if "to" in raw else None
    day = _at(raw).date() + timedelta(days=raw.get("on", 0))
    taken = MeasureTaken(measure=raw["name"], by=_by(raw), at=_at(raw), day=day, keeper=keeper, **said)
    return cooling_off.take(case, taken, _at(raw).date())


def _end_measure(case: OffboardingCase, raw: Raw, _pack: Pack) -> OffboardingCase:
    ended = MeasureEnd(_by(raw), _at(raw), _at(raw).date(), raw.get("paper", ""))
    return cooling_off.end(case, raw["name"], raw.get("item", ""), ended, _at(raw).date())


def _chain(case: OffboardingCase, _raw: Raw, _pack: Pack) -> OffboardingCase:
    for by in PEOPLE[1:]:
        if place := case.next_approver:
            case = machine.approve(case, place.role, by, NOW)
    return case


def _cool_off(case: OffboardingCase, raw: Raw, _pack: Pack) -> OffboardingCase:
    until = None if "none" in raw else NOW + raw["days"] * DAY
    return duties.decide_period(case, until, _by(raw), _at(raw), raw.get("reason", ""))


def _by(raw: Raw) -> str:
    return str(raw.get("by", "E8"))


def _at(raw: Raw) -> datetime:
    return NOW + timedelta(days=raw.get("at", 0))


_A = Text("a", "甲")
_MOVES: dict[str, Callable[[OffboardingCase, Raw, Pack], OffboardingCase]] = {
    "approve": lambda case, raw, _: machine.approve(case, raw["as"], _by(raw), _at(raw)),
    "privileged": lambda case, raw, _: machine.ended(case, raw["roles"], _by(raw)),
    "confirm": lambda case, raw, _: machine.confirm(case, _by(raw), _at(raw)),
    "notice": lambda case, raw, pack: opening.by_notice(pack, case, raw["approvers"], _at(raw)),
    "return": lambda case, raw, _: machine.send_back(case, _by(raw), _at(raw), raw["reason"]),
    "rescind": lambda case, raw, _: machine.rescind(case, _by(raw), _at(raw), raw["reason"]),
    "restore": lambda case, raw, _: machine.restore(case, raw["name"], _by(raw), _at(raw)),
    "hand-in": lambda case, raw, pack: opening.hand_in_again(
        case, pack, date.fromisoformat(raw["last_day"]), _by(raw), _at(raw)
    ),
    "add-line": lambda case, raw, _: duties.add_item(case, HandoverItem(raw["name"], _A, _A), _by(raw)),
    "hand-over": lambda case, raw, _: duties.hand_over(case, raw["name"], _by(raw), _at(raw)),
    "write-off": lambda case, raw, _: duties.write_off(case, raw["name"], _by(raw), _at(raw), raw["reason"]),
    "educate": lambda case, raw, _: duties.educate(case, _by(raw), _at(raw)),
    "exam": lambda case, raw, _: duties.examine(case, _by(raw), _at(raw), passed=raw["passed"]),
    "sign": lambda case, raw, _: duties.sign(case, raw["name"], _by(raw), _at(raw)),
    "cool-off": _cool_off,
    "papers": lambda case, raw, _: duties.release_papers(case, _by(raw), _at(raw)),
    "close": lambda case, raw, _: duties.close(case, _by(raw), _at(raw)),
    "advance": lambda case, raw, _: machine.advance(case, NOW + raw["days"] * DAY, _by(raw), _at(raw)),
    "carry-out": lambda case, raw, _: machine.carry_out(case, raw.get("roles", []), _at(raw)),
    "withdraw": lambda case, raw, _: machine.withdraw(case, _by(raw), _at(raw), raw["reason"]),
    "resume": lambda case, raw, _: machine.resume(case, _by(raw), _at(raw)),
    "measure": _measure,
    "end-measure": _end_measure,
    "overtake": lambda case, raw, _: opening.overtake(case, CaseKind(raw["kind"]), _by(raw), _at(raw)),
    "chain": _chain,
    "settle": lambda case, raw, _: settled(case, raw.get("but", "")),
}
_FOUND: dict[str, Callable[[OffboardingCase], object]] = {
    "step": lambda case: case.step.value,
    "approved": lambda case: case.approved_at is not None,
    "confirmed_by": lambda case: case.confirmation.by if case.confirmation else "",
    "owed": lambda case: [duty.value for duty in case.owed],
    "ended": lambda case: None if case.ended_at is None else (case.ended_at - NOW) / DAY,
    "stage": lambda case: case.stage.value,
    "keeper": lambda case: cooling_off.keeper(case).keeper.value,
    "visit_due": lambda case: due.isoformat() if (due := cooling_off.visit_due(case)) else None,
    "next": lambda case: [step.event.value for step in next_steps(case, NOW)],
    "late_days": lambda case: case.late_days,
    "items": lambda case: [item.key for item in case.items],
    "signatures": lambda case: [paper.name for paper in case.signatures],
}

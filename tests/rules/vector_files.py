"""Reading the decision vectors (`vectors/README.md`) into the words of the model."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rules.decide import decide
from rules.model import (
    Action,
    Clearance,
    Departure,
    DepartureStage,
    Employment,
    Facts,
    Grant,
    Hold,
    Level,
    Lockdown,
    Passback,
    Person,
    Record,
    Request,
    Resource,
    RoomRules,
    Scope,
    Service,
    Verdict,
    Visit,
)
from rules.pack.reader import Pack, load
from tests.rules.strategies import shipped

FOLDER = Path(__file__).parent / "vectors"
_INSTANTS = {
    "since",
    "until",
    "on",
    "valid_until",
    "approved_at",
    "cooling_off_until",
    "effective_at",
    "post_changed_at",
    "secret_until",
}
_SETS = {"projects", "badges", "persons", "departments", "areas", "inside"}
_SEVERAL = {"clearances", "grants", "records", "holds", "departures", "visits"}


@dataclass(frozen=True)
class Vector:
    """One case, merged with its file. ``expect`` has all four of ``allow``, ``rule``, ``clauses``, ``until``."""

    name: str
    request: Request
    facts: Facts
    pack: Pack
    now: datetime
    expect: dict[str, Any]

    def decide(self) -> Verdict:
        return decide(self.request, self.facts, self.pack, self.now)


def vectors() -> Iterator[Vector]:
    for path in sorted(FOLDER.glob("*.json")):
        file = json.loads(path.read_text(encoding="utf-8"))
        for case in file["cases"]:
            expect = {"until": None, "clauses": file["clauses"].get(case["expect"]["rule"]), **case["expect"]}
            expect["until"] = expect["until"] and datetime.fromisoformat(expect["until"])
            yield Vector(
                f"{path.stem}: {case['name']}",
                request(merged(file["request"], case.get("request", {}))),
                facts(merged(file["facts"], case.get("facts", {}))),
                pack(case.get("pack", file["pack"])),
                datetime.fromisoformat(case.get("now", file["now"])),
                expect,
            )


def merged(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396, section 2)."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merged(target.get(name), value)
    return target


def pack(name: str) -> Pack:
    return load((FOLDER / name).read_text(encoding="utf-8")) if name.endswith(".toml") else shipped(name)


def request(raw: dict[str, Any]) -> Request:
    fields = {**raw, "action": Action(raw["action"]), "persons": tuple(raw["persons"])}
    fields["inside"] = frozenset(raw.get("inside", ()))
    return Request(**{**fields, "companions": tuple(raw.get("companions", ()))})


def facts(raw: dict[str, Any]) -> Facts:
    return Facts(
        {name: person(name, item) for name, item in raw.get("persons", {}).items()},
        {name: resource(name, item) for name, item in raw.get("resources", {}).items()},
        {name: Service(id=name, **plain(item)) for name, item in raw.get("services", {}).items()},
        frozenset(date.fromisoformat(day) for day in raw.get("holidays", ())),
        tuple(Lockdown(**plain(item)) for item in raw.get("lockdowns", {}).values()),
        raw.get("here", ""),
    )


def person(name: str, raw: dict[str, Any]) -> Person:
    def several(field: str) -> list[tuple[str, dict[str, Any]]]:
        return [(key, plain(item)) for key, item in raw.get(field, {}).items()]

    rest = {key: raw[key] for key in raw if key not in _SEVERAL}
    return Person(
        id=name,
        clearances=tuple(Clearance(**item) for _, item in several("clearances")),
        grants=tuple(Grant(**{"id": key, "person": name, **item}) for key, item in several("grants")),
        records=tuple(Record(**item) for _, item in several("records")),
        holds=tuple(Hold(**item) for _, item in several("holds")),
        departures=tuple(Departure(**item) for _, item in several("departures")),
        visits=tuple(Visit(**{"id": key, **item}) for key, item in several("visits")),
        **plain(rest),
    )


def resource(name: str, raw: dict[str, Any]) -> Resource:
    room, scope = raw.get("room"), plain(raw.get("scope", {}))
    rest = plain({key: raw[key] for key in raw if key not in {"room", "scope"}})
    return Resource(id=name, scope=Scope(**scope), room=None if room is None else RoomRules(**plain(room)), **rest)


def plain(raw: dict[str, Any]) -> dict[str, Any]:
    """Return one object with its instants, sets and words read; unknown names fail where they are used."""
    read = {"level": Level.parse, "stage": DepartureStage, "employment": Employment, "anti_passback": Passback}
    found = dict(raw)
    for name, value in raw.items():
        if name in _INSTANTS:
            found[name] = datetime.fromisoformat(value)
        elif name in _SETS:
            found[name] = frozenset(value)
        elif name in read:
            found[name] = read[name](value)
    return found

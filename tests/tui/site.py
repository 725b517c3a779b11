"""A site that looks lived in: people, areas, a log of some hours, made with the agent's own parts before it starts."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent import shipped_packs
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.store import Registry
from agent.runtime.home import Home
from agent.site.init import make
from rules.model import Clearance, Level, Mode, Person, RoomRules, Scope
from rules.offboarding.opening import open_case
from rules.offboarding.vocabulary import CaseKind
from rules.pack.reader import load
from rules.text import Text
from tests.log.samples import access, write

BEGIN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ENTRIES = 400
PACK = load(shipped_packs.text("minimal"))
_PEOPLE = (
    ("E1001", "张三", "规划处", Level.SECRET),
    ("E1002", "李四", "信息科技部", Level.CONFIDENTIAL),
    ("E1003", "Ann Lee", "R&D", Level.TOP_SECRET),
)


def furnished(root: Path, pack: str = "minimal", *, settings: str = "", hostile: Sequence[str] = ()) -> Home:
    """Make the site at *root*. ``hostile``: names that stand wherever strangers can write."""
    home = Home(root)
    make(home, shipped_packs.text(pack))
    if settings:
        with home.config.open("a", encoding="utf-8") as file:
            file.write(settings)
    with Registry(home.registry) as registry, registry.change(BEGIN) as change:
        for person, name, department, level in _PEOPLE:
            cleared = [Clearance("state", level, "", "x")]
            change.people.add(person, name=name, department=department, clearances=cleared)
        for area, level in (("plans", Level.SECRET), ("archive", Level.INTERNAL)):
            change.areas.add(
                area, path=f"/srv/{area}", level=level, domain="state", mode=Mode.OBSERVE,
                scope=Scope(departments=frozenset({"规划处"})), custodian="E1001",
            )  # fmt: skip
        change.grants.add("E1001", "plans", reason="项目甲", approver="E1003")
        _strangers(change, hostile)
    ordinary = ((BEGIN + timedelta(minutes=n), _entry(n)) for n in range(ENTRIES))
    later = BEGIN + timedelta(minutes=ENTRIES)
    written = ((later, one) for name in hostile for one in _foreign(name))
    write(home.log, (*ordinary, *written))
    return home


def _entry(n: int) -> dict[str, object]:
    """Every tenth access is denied, every other one of these was only observed."""
    if n % 10 == 3:
        reason = {"en": "the level of `E1002` is too low for `plans`", "zh": "`E1002` 中的密级低于 `plans`"}
        return access(
            "E1002", f"/srv/plans/预算{n}.xlsx", "deny", area="plans", level="secret", clauses=["D01-2.1"],
            reason=reason, action="open", enforced=n % 20 != 13,
        )  # fmt: skip
    return access("E1001", f"/srv/plans/计划{n}.txt", area="plans", level="secret", clauses=[], action="open")


def _strangers(change: RegistryTransaction, hostile: Sequence[str]) -> None:
    """Put each name into every field of the registry that takes free text."""
    for number, name in enumerate(hostile):
        stored = "".join(char for char in name if not 0xD800 <= ord(char) <= 0xDFFF and char != "\0")
        person = f"H{number}"
        change.people.add(person, name=stored)
        change.areas.add(
            f"h{number}", path=os.path.normpath(f"/srv/h{number}/{name}".replace("\0", "")),
            level=Level.INTERNAL, domain="state", mode=Mode.OBSERVE, scope=Scope(persons=frozenset({person})),
            custodian=person,
        )  # fmt: skip
        change.grants.add(person, f"h{number}", reason=stored or "x", approver="E1003")
        change.holds.add(person, reason=stored or "x", by="E1003")
        room, now = f"r{number}", datetime.now(UTC)
        end = now + timedelta(days=1)
        change.rooms.add(room, level=Level.INTERNAL, domain="state", custodian=person, rules=RoomRules())
        change.visits.add(person, room, host="E1001", escort="E1001", purpose=stored or "x", since=now, until=end)
        change.alarms.add("forced", Text(stored, stored), room=room, door=stored, person=person)
        case = open_case(
            PACK, Person(person), CaseKind.RESIGNATION, end.date(), "E1003", BEGIN, reason=stored, reference=stored
        )  # fmt: skip
        change.cases.add(case)


def _foreign(name: str) -> tuple[dict[str, object], ...]:
    """An access and an act with *name* in every field."""
    reason = {"en": name, "zh": name}
    return (
        access(name, name, "deny", area=name, action=name, rule=name, clauses=[name], reason=reason, exe=name),
        {"kind": "act", "act": name, "outcome": name, "args": {name: name}, "error": reason, "actor": {"uid": 1}},
    )

"""As each single role, each act there is: nobody can open, enter or touch more than before by one hand (contract C12).

Rules of this file: every act of the table has a row here, and an act without one fails. What could be done is asked of
the rules themselves, for every person, account, badge and service and every place; a refused act counts as tried.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest

from agent import shipped_packs
from agent.api.operations import TABLE
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.control.dispatch import HandlerRequest
from agent.control.reception.requests import permission
from agent.errors import ForbiddenError, ShoumiError
from rules.decide import decide
from rules.model import Action, Level, Mode, Request, Scope
from rules.rights import stands
from rules.text import Text
from tests.control.conftest import folder
from tests.control.office import Office, office_of, out
from tests.control.site import running
from tests.control.test_two_hands import GROUPS, SECURITY, SYSTEM, Desk

CSV = """\
id,name,department,level,domain,accounts,badges
E2,李四,rd,top-secret,state,62075,99
E40,新,rd,secret,state,62076,98
"""
WHY = {"reason": "x"}
TRIED: dict[str, list[dict[str, Any]]] = {
    "person.add": [
        {"person": "E20", "department": "rd", "level": ["state=secret"]},
        {"person": "E21", "account": [62_072], "badge": ["97"]},
    ],
    "person.set": [
        {"person": "E2", "level": ["state=top-secret"]},
        {"person": "E1", "department": "rd", "project": ["甲"]},
        {"person": "E5", "active": True},
        {"person": "E6", "employment": "regular", "department": "rd"},
        {"person": "E1", "level": ["state=top-secret"], "approved_by": "E9", "paper": "1"},
    ],
    "person.import": [{"csv": CSV, "update": True}],
    "account.add": [{"person": "E1", "uid": 62_070}],
    "account.remove": [{"person": "E1", "uid": 62_001}],
    "badge.add": [{"person": "E1", "number": "77"}],
    "badge.remove": [{"person": "E1", "number": "4660"}],
    "badge.lost": [{"person": "E1", "number": "4660"}],
    "service.add": [{"service": "index", "uid": 62_071, "executable": "/usr/bin/env", "area": ["plans"]}],
    "service.renew": [{"service": "backup"}],
    "service.remove": [{"service": "backup"}],
    "record.add": [{"person": "E2", "kind": "training"}, {"person": "E2", "kind": "nda"}],
    "record.void": [{"record": "R000001", **WHY}],
    "area.add": [{"path": "/srv/other", "name": "other", "level": "secret", "domain": "state", "person": ["E2"]}],
    "area.set": [
        {"area": "plans", "level": "internal"},
        {"area": "plans", "person": ["E6"]},
        {"area": "plans", "department": ["other"]},
        {"area": "plans", "hours": ""},
    ],
    "area.enforce": [{"area": "plans", "revert_after": 1}, {"area": "drafts"}],
    "area.confirm": [{"area": "plans"}],
    "area.observe": [{"area": "plans"}],
    "area.seal": [{"area": "plans"}],
    "area.relabel": [{"path": "/srv/plans"}],
    "area.remove": [{"area": "plans"}],
    "breakglass.seal": [{}],
    "breakglass.open": [{"code": "2222", **WHY}],
    "breakglass.close": [WHY],
    "volume.attach": [{"device": "/dev/null", "at": "/srv/x"}],
    "volume.publish": [{"volume": "/srv/x"}],
    "volume.hide": [{"point": "/srv/x"}],
    "room.add": [{"room": "attic", "level": "internal", "domain": "state", "department": ["rd"]}],
    "room.set": [
        {"room": "vault", "level": "internal"},
        {"room": "vault", "person": ["E2"]},
        {"room": "vault", "two_person": "no"},
        {"room": "vault", "pin": "no"},
    ],
    "room.remove": [{"room": "attic"}],
    "room.host": [{"room": "vault"}, {}],
    "occupancy.reset": [{"room": "vault", **WHY}],
    "alarm.ack": [{"alarm": "A000001", "note": "x"}],
    "lockdown.on": [{"room": "vault", **WHY}],
    "lockdown.off": [{"room": "cellar", **WHY}],
    "door.add": [{"door": "side", "room": "vault", "reader": ["osdp+tcp://127.0.0.1:48999/1"]}],
    "door.set": [{"door": "front", "reader": ["osdp+tcp://127.0.0.1:48998/1"]}],
    "door.remove": [{"door": "front"}],
    "door.listen": [{"address": "127.0.0.1:48997"}],
    "door.open": [{"door": "front", **WHY}],
    "door.commission": [{"door": "front"}],
    "door.rotate-key": [{"door": "front"}],
    "visitor.add": [{"person": "V1", "name": "客", "room": "vault", "host": "E1", "purpose": "x", "badge": "96"}],
    "visitor.exit": [{"visit": "V000001"}],
    "visitor.end": [{"visit": "V000001"}],
    "declaration.add": [{"person": "E1", "room": "vault", "purpose": "x", "no_devices": True}],
    "declaration.end": [{"declaration": "D000001"}],
    "pin.set": [{"person": "E1", "pin": "27182818"}],
    "pin.remove": [{"person": "E1"}],
    "grant.add": [
        {"person": "E2", "area": "plans", **WHY},
        {"person": "E2", "area": "plans", "since": "2030-01-01", **WHY},
        {"person": "E2", "area": "plans", "approver": "E9", "paper": "1", **WHY},
        {"person": "E6", "area": "plans", "temporary": True, "until": "2030-01-01", **WHY},
    ],
    "grant.end": [{"grant": "G000001"}],
    "hold.add": [{"person": "E1", **WHY}],
    "hold.lift": [{"person": "E3", **WHY}],
    "proposal.add": [{"act": "grant.add", "given": '{"person": "E2", "area": "plans", "reason": "x"}'}],
    "proposal.confirm": [{"proposal": "P000001"}, {"proposal": "P000002"}],
    "proposal.refuse": [{"proposal": "P000001", **WHY}],
    "proposal.lapse": [{"proposal": "P000001"}],
    "request.add": [{"area": "plans", **WHY}],
    "request.support": [{"proposal": "P000002"}],
    "case.open": [{"person": "E1", "last_day": "2099-12-31"}],
    "case.approve": [{"person": "E7", "by": "E9", "paper": "1"}],
    "case.confirm": [{"person": "E4"}],
    "case.advance": [{"person": "E4"}],
    "case.carry-out": [{"person": "E4"}],
    "case.return": [{"person": "E4", **WHY}],
    "case.add-line": [{"person": "E4", "line": "x", "what": "x", "to": "x"}],
    "case.hand-over": [{"person": "E4", "line": "x"}],
    "case.educate": [{"person": "E4"}],
    "case.exam": [{"person": "E4"}],
    "case.sign": [{"person": "E4", "document": "x"}],
    "case.cool-off": [{"person": "E4", "none": True, **WHY}],
    "case.measure": [{"person": "E4", "measure": "x"}],
    "case.end-measure": [{"person": "E4", "measure": "x"}],
    "case.papers": [{"person": "E4"}],
    "case.close": [{"person": "E4"}],
    "case.rescind": [{"person": "E4", **WHY}],
    "case.withdraw": [{"person": "E4", **WHY}],
    "case.resume": [{"person": "E4"}],
    "case.restore": [{"person": "E4", "grant": "G000002"}],
    "case.notice": [{"person": "E4", "approver": ["E9"], "last_day": "2026-01-01"}],
    "case.release": [{"name": "E4"}],
    "hr.subject.add": [{"person": "E1", "number": "1"}],
    "hr.subject.remove": [{"number": "1"}],
    "hr.alarm": [{"word": "x", "en": "x", "zh": "x"}],
    "holiday.add": [{"day": "2030-01-02"}],
    "holiday.remove": [{"day": "2030-01-01"}],
    "role.set": [{"security": "62994", "anyway": True}],
    "pack.use": [{"pack": shipped_packs.text("company")}],
    "clock.accept": [WHY],
    "registry.accept": [{"last": 1, **WHY}],
}
NEW = {"other", "attic"}  # places that were nobody's before
TAKES = {"account.remove", "badge.remove", "badge.lost", "grant.end", "hold.add", "pin.remove", "case.notice"}
ROUTINE = {"declaration.add"}  # packs leave it to one hand: who may enter was settled by two


def furnish(office: Office) -> None:
    now = office.site.now()
    with office.services.registry.change(now) as change:
        for person in [f"E{number}" for number in range(1, 10)]:
            for kind in office.site.pack().records:
                change.records.add(person, kind, on=now - timedelta(days=1))
        change.people.set("E5", active=False)
        change.people.set("E6", department="other")
        change.holds.add("E3", reason="x", by="E9")
        change.alarms.add("x", Text("x", "x"))
        for person in ("E3", "E4", "E5"):
            change.grants.add(person, "plans", reason="x", approver="E9")
        change.accounts.add(62_001, "E1")
        scope = Scope(departments=frozenset({"rd"}))
        later = now + timedelta(days=3650)
        change.areas.add(
            "drafts", path="/srv/drafts", level=Level.SECRET, domain="state", mode=Mode.OBSERVE, scope=scope,
            secret_until=later,
        )  # fmt: skip
        for room in ("vault", "cellar"):
            change.rooms.add(room, level=Level.SECRET, domain="state", scope=scope, secret_until=later)
        change.grants.add("E1", "vault", reason="x", approver="E9")
        change.services.add("backup", uid=62_080, executable="/usr/bin/env", areas=["drafts"])
        change.holidays.add(date(2030, 1, 1))
        change.lockdowns.add("cellar", by="E9", reason="x")
        reader = "osdp+tcp://127.0.0.1:48990/1"
        change.doors.add("front", "vault", protocol="osdp", readers=[(reader, "in")], strike=reader)
    out(office, "E4", "leaving")


def could(office: Office) -> set[tuple[object, ...]]:
    """Return everything that anybody could do now, or at an instant to come."""
    facts, pack, now = office.site.facts, office.site.pack(), office.site.now()
    people = [str(row["id"]) for row in office.site.lists.people.find()]
    areas = {row.resource.id: row.resource for row in facts.areas()}
    rooms = facts.room_names()
    found: set[tuple[object, ...]] = set()
    for person in people:
        for place in (*areas, *rooms):
            known = facts.facts([person], place)[1]
            action = Action.ENTER if place in rooms else Action.OPEN
            for at in (now, now + timedelta(days=365 * 5)):
                if stands(decide(Request((person,), place, action), known, pack, at)):
                    found.add((person, place, at.year))
                    found |= {(uid, place) for uid, owner in facts.accounts().items() if owner == person}
                    found |= {("badge", b.number, place) for b in facts.badges() if b.person == person and b.good(now)}
    found |= {("service", one.id, area) for one in facts.services() if one.active for area in one.areas}
    found |= {("open to all", name) for name, area in areas.items() if area.mode is not Mode.ENFORCE}
    found |= {("no lockdown", room) for room in rooms if not any(one.room == room for one in facts.lockdowns())}
    found |= {("pin", row["person"]) for row in office.site.lists.pins.find()}
    found.add(("pack", office.site.pack().id))
    found.add(("roles", str(office.site.role_groups())))
    return found


@pytest.fixture(params=["minimal", "state"])
def world(request: pytest.FixtureRequest) -> Iterator[Office]:
    with folder() as root, running(root / "home", control=False) as site, office_of(site, request.param) as office:
        Desk(office)
        furnish(office)
        yield office


def alone(office: Office, role: Role | None, uid: int, op: str, given: dict[str, Any]) -> None:
    """Have one caller do one act, as the server would let them."""
    gid = GROUPS[role] if role else uid
    peer = Peer(1, uid, gid, frozenset({gid}), None)
    partner = frozenset({Role.SYSTEM, Role.SECURITY}) if role in (Role.SYSTEM, Role.SECURITY) else frozenset[Role]()
    args, now = TABLE[op].read(given, None), office.site.now()
    request = HandlerRequest(op, args, given, peer, CallerRole(role), now, office.services, partner=partner)
    found = permission(TABLE[op], given, CallerRole(role), partner)
    if isinstance(found, ForbiddenError):
        raise found
    request.roles_needed.extend(found)
    office.executor.execute(request)


def test_every_act_has_a_row() -> None:
    assert set(TRIED) == {name for name, op in TABLE.items() if op.act}


CALLERS: list[tuple[Role | None, int]] = [
    (None, 0), (None, 62_001), (Role.AUDITOR, 62_011), (Role.SECURITY, SECURITY[1]), (Role.SYSTEM, SYSTEM[1]),
]  # fmt: skip


def test_nothing_that_one_hand_does_lets_anybody_do_more(world: Office) -> None:
    before, epoch, done = could(world), 0, dict.fromkeys(CALLERS, 0)
    assert len(before) > 10
    # What gives comes first, by everybody: nothing has been taken yet by which it would give less.
    for op in sorted(TRIED, key=lambda name: name in TAKES):
        for caller, given in product(CALLERS, TRIED[op]):
            with suppress(ShoumiError):
                alone(world, *caller, op, given)
                done[caller] += 1
            if (now := world.site.facts.epoch()) == epoch:
                continue
            epoch, after = now, could(world)
            more = {one for one in after - before if not NEW & set(one)}
            assert not more or op in ROUTINE, f"{caller} {op} {given}: {sorted(map(str, more))}"
            before = after
    assert done[CALLERS[0]] == done[CALLERS[2]] == 0
    assert done[CALLERS[3]] > 40
    assert done[CALLERS[4]] > 20

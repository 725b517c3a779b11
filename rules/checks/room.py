"""Secure rooms 涉密场所: entry requirements beyond level, need-to-know scope and grant.

Rules of this file: these rules apply to ``enter`` alone, except :func:`in_room`, which is about files; leaving is
decided before them. The requirements of the room and those of the pack add up.
"""

from rules.evaluation import RuleContext
from rules.model import Passback, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Message

_STRICTNESS = tuple(Passback)


def badge(case: RuleContext) -> RuleResult | None:
    """The badge at the reader belongs to the person (D02-2.9a, D12-2.5)."""
    presented = case.person.badge
    if case.resource.room is None or (case.pack.badge is None and not presented):
        return None
    if presented and presented in case.person.badges:
        return case.ok("badge", Message("rules.badge-own", person=case.person.id))
    return case.deny(
        "badge",
        Message("rules.badge-not-own", person=case.person.id),
        Message("rules.present-own-badge"),
    )


def purpose(case: RuleContext) -> RuleResult | None:
    """事由: entry by task (D05-2.5d)."""
    room = case.resource.room
    if room is None or not (case.pack.purpose or room.needs_purpose):
        return None
    if case.request.purpose.strip():
        return case.ok("purpose", Message("common.purpose-stated"))
    return case.deny(
        "purpose",
        Message("rules.purpose-missing", room=case.resource.id),
        Message("rules.state-purpose"),
    )


def declaration(case: RuleContext) -> RuleResult | None:
    """携带物品申报: no portable device goes in undeclared (D02-2.10)."""
    room = case.resource.room
    if room is None or not (case.pack.declaration or room.needs_declaration):
        return None
    if case.request.declared:
        return case.ok("declaration", Message("common.devices-declared"))
    return case.deny(
        "declaration",
        Message("rules.declaration-missing", room=case.resource.id),
        Message("rules.declare-devices"),
    )


def pin(case: RuleContext) -> RuleResult | None:
    """A room may require the PIN of the person in addition to the badge."""
    room = case.resource.room
    if room is None or not room.needs_pin:
        return None
    if case.request.pin is True:
        return case.ok("pin", Message("common.pin-correct"))
    return case.deny(
        "pin",
        Message("rules.pin-missing", room=case.resource.id),
        Message("rules.enter-pin"),
    )


def one_place(case: RuleContext) -> RuleResult | None:
    """反潜回: a badge is in one room at a time and does not enter twice without leaving (D12-2.5).

    A companion who is inside the room already is in the right place.
    """
    kind = passback(case.resource, case.pack)
    if kind is Passback.NONE:
        return None
    room, asks = case.resource.id, case.person.id in case.request.persons
    inside_already = asks and case.person.id in case.request.inside
    elsewhere = sorted(case.person.inside - {room})
    if not inside_already and not elsewhere:
        return case.ok("one-place", Message("rules.no-other-room", person=case.person.id))
    other_room = room if inside_already else elsewhere[0]
    if kind is Passback.SOFT:
        return case.ok("one-place", Message("rules.inside-noted", person=case.person.id, room=other_room))
    return case.deny(
        "one-place",
        Message("rules.still-inside", person=case.person.id, room=other_room),
        Message("rules.leave-or-correct-presence"),
    )


def passback(place: Resource, pack: Pack) -> Passback:
    """Return the stricter setting of the room and the pack; ``NONE`` for a directory."""
    if place.room is None:
        return Passback.NONE
    own = place.room.anti_passback
    return own if pack.one_place is None else max(own, pack.one_place.passback, key=_STRICTNESS.index)


def in_room(case: RuleContext) -> RuleResult | None:
    """Files of a level open only on a host whose room the person has badged into, where the pack requires it."""
    rule = case.pack.in_room
    if rule is None or case.resource.room is not None or case.resource.level < rule.from_level:
        return None
    host_room = case.facts.here
    if host_room and host_room in case.person.inside:
        return case.ok("in-room", Message("rules.in-host-room", person=case.person.id))
    return case.deny(
        "in-room",
        Message("rules.not-in-host-room", person=case.person.id),
        Message("rules.enter-host-room"),
    )

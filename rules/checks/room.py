"""涉密场所: what a room asks of the person who enters it, beyond level, circle and grant.

Rules of this file: these rules hold for ``enter`` alone, but for :func:`in_room`, which is about files; leaving is
decided before any of them. What a room's own rules ask and what the pack asks of every room add up.
"""

from rules.evaluation import RuleContext
from rules.model import Passback, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Text
from rules.visible import visible

_STRICTNESS = tuple(Passback)


def badge(case: RuleContext) -> RuleResult | None:
    """The badge at the reader is the person's own, not a lent one (D02-2.9a, D12-2.5)."""
    shown = case.person.badge
    if case.resource.room is None or (case.pack.badge is None and not shown):
        return None
    if shown and shown in case.person.badges:
        return case.ok("badge", Text(f"the badge belongs to {case.who}", f"门禁卡属于 {case.who}"))
    return case.deny(
        "badge",
        Text(f"no badge of {case.who} was shown", f"未出示 {case.who} 本人的门禁卡"),
        Text("the person shows his own badge", "出示本人门禁卡"),
    )


def purpose(case: RuleContext) -> RuleResult | None:
    """事由: entry by task (D05-2.5d)."""
    room = case.resource.room
    if room is None or not (case.pack.purpose or room.needs_purpose):
        return None
    if case.request.purpose.strip():
        return case.ok("purpose", Text("a purpose is stated", "已说明事由"))
    return case.deny(
        "purpose",
        Text(f"{case.what} asks for a purpose", f"进入 {case.what} 须说明事由"),
        Text("the person states a purpose", "说明事由"),
    )


def declaration(case: RuleContext) -> RuleResult | None:
    """携带物品申报: no portable device goes in undeclared (D02-2.10)."""
    room = case.resource.room
    if room is None or not (case.pack.declaration or room.needs_declaration):
        return None
    if case.request.declared:
        return case.ok("declaration", Text("devices are declared", "已申报携带物品"))
    return case.deny(
        "declaration",
        Text(f"{case.what} asks for a declaration of devices", f"进入 {case.what} 须申报携带物品"),
        Text("the person declares what he carries", "申报携带物品"),
    )


def pin(case: RuleContext) -> RuleResult | None:
    """A room may ask for the person's PIN beside his badge."""
    room = case.resource.room
    if room is None or not room.needs_pin:
        return None
    if case.request.pin is True:
        return case.ok("pin", Text("the PIN is right", "密码正确"))
    return case.deny(
        "pin",
        Text(f"{case.what} asks for a PIN", f"进入 {case.what} 须输入密码"),
        Text("the person enters his PIN", "输入本人密码"),
    )


def one_place(case: RuleContext) -> RuleResult | None:
    """反潜回: a badge is in one room at a time, and does not go in twice without having come out (D12-2.5).

    Somebody who stands beside the request, inside the room, is where he should be.
    """
    kind = passback(case.resource, case.pack)
    if kind is Passback.NONE:
        return None
    room, asks = case.resource.id, case.person.id in case.request.persons
    here = asks and case.person.id in case.request.inside
    elsewhere = sorted(case.person.inside - {room})
    if not here and not elsewhere:
        return case.ok("one-place", Text(f"{case.who} is in no other room", f"{case.who} 不在其他场所"))
    where = case.what if here else f"`{visible(elsewhere[0])}`"
    if kind is Passback.SOFT:
        return case.ok("one-place", Text(f"{case.who} is in {where}: noted", f"{case.who} 已在 {where}：已记录"))
    return case.deny(
        "one-place",
        Text(f"{case.who} is in {where} and has not left it", f"{case.who} 已在 {where} 内，尚未离开"),
        Text("the person leaves it, or an officer corrects who is inside", "此人离开，或由管理员更正在场名单"),
    )


def passback(place: Resource, pack: Pack) -> Passback:
    """Return the stricter of what the room and the pack ask; ``NONE`` for a directory."""
    if place.room is None:
        return Passback.NONE
    own = place.room.anti_passback
    return own if pack.one_place is None else max(own, pack.one_place.passback, key=_STRICTNESS.index)


def in_room(case: RuleContext) -> RuleResult | None:
    """Files of a level open only on a machine whose room the person has badged into, where the pack asks for it."""
    rule = case.pack.in_room
    if rule is None or case.resource.room is not None or case.resource.level < rule.from_level:
        return None
    here = case.facts.here
    if here and here in case.person.inside:
        return case.ok("in-room", Text(f"{case.who} is in the room of this machine", f"{case.who} 在本机所在场所内"))
    return case.deny(
        "in-room",
        Text(f"{case.who} is not in the room of this machine", f"{case.who} 不在本机所在场所内"),
        Text("the person enters the room by his badge", "本人刷卡进入该场所"),
    )

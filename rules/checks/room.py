"""涉密场所: what a room asks of the person who enters it, beyond level, circle and grant.

Rules of this file: these rules hold for ``enter`` alone; leaving is decided before any of them. What a room's own rules
ask and what the pack asks of every room add up.
"""

from rules.case import Case
from rules.model import Finding
from rules.text import Text


def badge(case: Case) -> Finding | None:
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


def purpose(case: Case) -> Finding | None:
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


def declaration(case: Case) -> Finding | None:
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

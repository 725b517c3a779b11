"""来访: which registered visits count, and what a visitor is asked instead of a level.

Rules of this file: a visit counts for the room it names, when others stand behind it as host and escort, for a purpose,
while its window is open, and within what the pack takes. It counts only whole, like a temporary grant, and what it
stands in for it stands in for only inside rooms. Whether the escort is there is another rule's question.
"""

from datetime import timedelta
from enum import IntEnum

from rules.evaluation import RuleContext
from rules.model import Employment, RuleResult, Visit
from rules.text import Text

UNDER_ESCORT = Text("a visit under escort stands in for it", "由陪同来访代替")


class VisitFlaw(IntEnum):
    """Why a visit does not count; the later ones are the nearer misses, and the nearest is what a denial tells."""

    NONE_THERE = 0
    NOT_TAKEN = 1
    NO_HOST = 2
    NO_ESCORT = 3
    NO_PURPOSE = 4
    TOO_HIGH = 5
    TOO_LONG = 6
    ENDED = 7
    NOT_BEGUN = 8


_SAID = {
    VisitFlaw.NONE_THERE: Text("no visit of {who} to {what} is registered", "未登记 {who} 对 {what} 的来访"),
    VisitFlaw.NOT_TAKEN: Text("the pack takes no visitors", "本规则包不接待来访"),
    VisitFlaw.NO_HOST: Text("nobody else answers for the visit of {who}", "{who} 的来访没有他人负责"),
    VisitFlaw.NO_ESCORT: Text("the visit of {who} names no escort", "{who} 的来访未指定陪同人"),
    VisitFlaw.NO_PURPOSE: Text("the visit of {who} gives no purpose", "{who} 的来访没有事由"),
    VisitFlaw.TOO_HIGH: Text("visitors do not reach the level of {what}", "来访不适用于 {what} 的密级"),
    VisitFlaw.TOO_LONG: Text("the visit of {who} runs longer than allowed", "{who} 的来访超过最长期限"),
    VisitFlaw.ENDED: Text("the visit of {who} has ended", "{who} 的来访已结束"),
    VisitFlaw.NOT_BEGUN: Text("the visit of {who} has not begun", "{who} 的来访尚未开始"),
}


def visit(case: RuleContext) -> RuleResult | None:
    """A visitor has a visit that counts; anybody else who has one may enter under escort (D10-4.4a, D10-4.4b)."""
    if case.resource.room is None:
        return None
    flaw = _obstacle(case)
    if flaw is None:
        return case.ok("visit", Text(f"a visit of {case.who} is registered", f"已登记 {case.who} 的来访"))
    if case.person.employment is not Employment.VISITOR:
        return None if flaw is VisitFlaw.NONE_THERE else case.ok("visit", Text("no visit counts", "没有算数的来访"))
    text = _SAID[flaw]
    return case.deny(
        "visit",
        Text(text.en.format(who=case.who, what=case.what), text.zh.format(who=case.who, what=case.what)),
        Text("a visit is registered, with host, escort and purpose", "登记来访，写明负责人、陪同人和事由"),
    )


def on_visit(case: RuleContext) -> bool:
    """Whether the person enters on a visit: the escort then stands in for level, circle, grant and records."""
    return case.resource.room is not None and _obstacle(case) is None


def escorts(case: RuleContext) -> frozenset[str]:
    """Return who may lead the person in: the escorts of his visits that count."""
    return frozenset(one.escort for one in case.person.visits if _flaw(case, one) is None)


def _obstacle(case: RuleContext) -> VisitFlaw | None:
    flaws = [_flaw(case, one) for one in case.person.visits]
    counted = [flaw for flaw in flaws if flaw is not None]
    return None if len(counted) < len(flaws) else max(counted, default=VisitFlaw.NONE_THERE)


def _flaw(case: RuleContext, one: Visit) -> VisitFlaw | None:
    """Return what keeps *one* from counting. What time cannot change comes first, so that it bounds nothing."""
    fixed = _fixed_flaw(case, one)
    if fixed is not None:
        return fixed
    if not case.clock.reached(one.since):
        return VisitFlaw.NOT_BEGUN
    return VisitFlaw.ENDED if one.until is not None and case.clock.reached(one.until) else None


def _fixed_flaw(case: RuleContext, one: Visit) -> VisitFlaw | None:
    rule, self_id = case.pack.visit, case.person.id
    wrong = (
        (VisitFlaw.NONE_THERE, one.room != case.resource.id),
        (VisitFlaw.NOT_TAKEN, rule is None),
        (VisitFlaw.NO_HOST, one.host.strip() in ("", self_id)),
        (VisitFlaw.NO_ESCORT, one.escort.strip() in ("", self_id)),
        (VisitFlaw.NO_PURPOSE, not one.purpose.strip()),
        (VisitFlaw.TOO_HIGH, rule is not None and case.resource.level > rule.max_level),
        (VisitFlaw.TOO_LONG, rule is not None and _too_long(one, rule.max_days)),
    )
    return next((flaw for flaw, is_so in wrong if is_so), None)


def _too_long(one: Visit, most: int) -> bool:
    return one.until is None or one.until - one.since > timedelta(days=most)

"""Which grants count, and for what.

Rules of this file: a grant counts for the person and the resource it names, when somebody else approved it, for a
reason, while its window is open, and not from before a change of post. A temporary grant counts only whole: one that is
too long, or above what such grants may open, counts for nothing. All grants are asked, so their order cannot matter.
"""

from datetime import timedelta
from enum import IntEnum

from rules.checks.visits import UNDER_ESCORT, on_visit
from rules.evaluation import RuleContext
from rules.model import Grant, RuleResult
from rules.text import Text


class GrantFlaw(IntEnum):
    """Why a grant does not count; the later ones are the nearer misses, and the nearest is what a denial tells."""

    NONE_THERE = 0
    NO_APPROVER = 1
    OWN_APPROVAL = 2
    NO_REASON = 3
    TEMPORARY_OFF = 4
    TEMPORARY_LEVEL = 5
    TEMPORARY_LENGTH = 6
    OLD_POST = 7
    ENDED = 8
    NOT_BEGUN = 9


_SAID = {
    GrantFlaw.NONE_THERE: Text("nothing grants {what} to {who}", "{who} 没有对 {what} 的授权"),
    GrantFlaw.NO_APPROVER: Text("nobody approved the grant of {what} to {who}", "{who} 对 {what} 的授权无人批准"),
    GrantFlaw.OWN_APPROVAL: Text(
        "{who} approved the grant of {what} himself", "{who} 对 {what} 的授权由本人批准，不算数"
    ),
    GrantFlaw.NO_REASON: Text("the grant of {what} to {who} gives no reason", "{who} 对 {what} 的授权没有事由"),
    GrantFlaw.TEMPORARY_OFF: Text("the pack takes no temporary grants", "本规则包不接受临时授权"),
    GrantFlaw.TEMPORARY_LEVEL: Text(
        "temporary grants do not reach the level of {what}", "临时授权不适用于 {what} 的密级"
    ),
    GrantFlaw.TEMPORARY_LENGTH: Text(
        "the temporary grant of {what} to {who} runs longer than allowed", "{who} 对 {what} 的临时授权超过最长期限"
    ),
    GrantFlaw.OLD_POST: Text("the grant of {what} is from {who}'s former post", "{who} 对 {what} 的授权属于原岗位"),
    GrantFlaw.ENDED: Text("the grant of {what} to {who} has ended", "{who} 对 {what} 的授权已结束"),
    GrantFlaw.NOT_BEGUN: Text("the grant of {what} to {who} has not begun", "{who} 对 {what} 的授权尚未开始"),
}


_ASK = Text("another person approves a grant, with a reason", "由他人批准授权并说明事由")


def grant(case: RuleContext) -> RuleResult | None:
    """最小授权: from the pack's level on, level and circle alone open nothing (D03-2.9, D01-4.4)."""
    if case.resource.level < case.pack.grant.from_level:
        return None
    if on_visit(case):
        return case.ok("grant", UNDER_ESCORT)
    flaw = obstacle(case)
    if flaw is None:
        return case.ok("grant", Text(f"{case.what} is granted to {case.who}", f"{case.who} 有对 {case.what} 的授权"))
    return case.deny("grant", said(case, flaw), _ASK)


def obstacle(case: RuleContext, *, temporary: bool = False) -> GrantFlaw | None:
    """Return ``None`` if a grant counts now, else the nearest miss. *temporary*: only a 临时授权 will do (D01-2.2)."""
    flaws = [
        _flaw(case, given)
        for given in case.person.grants
        if given.resource == case.resource.id and (given.temporary or not temporary)
    ]
    counted = [flaw for flaw in flaws if flaw is not None]
    return None if len(counted) < len(flaws) else max(counted, default=GrantFlaw.NONE_THERE)


def said(case: RuleContext, flaw: GrantFlaw) -> Text:
    """Return *flaw* as a sentence about this person and this resource."""
    text = _SAID[flaw]
    return Text(text.en.format(who=case.who, what=case.what), text.zh.format(who=case.who, what=case.what))


def _flaw(case: RuleContext, given: Grant) -> GrantFlaw | None:
    """Return what keeps *given* from counting. What time cannot change comes first, so that it bounds nothing."""
    fixed = _fixed_flaw(case, given)
    if fixed is not None:
        return fixed
    moved = case.person.post_changed_at
    if case.pack.grant.after_post_change and moved is not None and given.since < moved and case.clock.reached(moved):
        return GrantFlaw.OLD_POST
    if not case.clock.reached(given.since):
        return GrantFlaw.NOT_BEGUN
    return GrantFlaw.ENDED if given.until is not None and case.clock.reached(given.until) else None


def _fixed_flaw(case: RuleContext, given: Grant) -> GrantFlaw | None:
    if given.person != case.person.id:
        return GrantFlaw.NONE_THERE
    if not given.approver.strip():
        return GrantFlaw.NO_APPROVER
    if given.approver == case.person.id:
        return GrantFlaw.OWN_APPROVAL
    if not given.reason.strip():
        return GrantFlaw.NO_REASON
    return _temporary_flaw(case, given) if given.temporary else None


def _temporary_flaw(case: RuleContext, given: Grant) -> GrantFlaw | None:
    rule = case.pack.temp_auth
    if not rule.enabled:
        return GrantFlaw.TEMPORARY_OFF
    if case.resource.level > rule.max_level:
        return GrantFlaw.TEMPORARY_LEVEL
    if given.until is None or given.until - given.since > timedelta(days=rule.max_days):
        return GrantFlaw.TEMPORARY_LENGTH
    return None

"""Grants: the grants that are valid for a person and a resource.

Rules of this file: a grant is valid for the person and the resource it names if another person approved it, with a
reason, within its window, and not before a change of post. A temporary grant that is too long or above the permitted
level is not valid at all. All grants are checked, so their order cannot matter.
"""

from datetime import timedelta
from enum import IntEnum

from rules.checks.visits import UNDER_ESCORT, on_visit
from rules.evaluation import RuleContext
from rules.model import Grant, RuleResult
from rules.text import Message, Sentence


class GrantFlaw(IntEnum):
    """Reasons why a grant is not valid; the later one is the nearer miss, and a denial names the nearest."""

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


_FLAW_MESSAGES = {
    GrantFlaw.NONE_THERE: Message("rules.no-grant"),
    GrantFlaw.NO_APPROVER: Message("rules.grant-not-approved"),
    GrantFlaw.OWN_APPROVAL: Message("rules.grant-self-approved"),
    GrantFlaw.NO_REASON: Message("rules.grant-without-reason"),
    GrantFlaw.TEMPORARY_OFF: Message("rules.temporary-grants-disabled"),
    GrantFlaw.TEMPORARY_LEVEL: Message("rules.temporary-grant-level-too-high"),
    GrantFlaw.TEMPORARY_LENGTH: Message("rules.temporary-grant-too-long"),
    GrantFlaw.OLD_POST: Message("rules.grant-of-former-post"),
    GrantFlaw.ENDED: Message("rules.grant-ended"),
    GrantFlaw.NOT_BEGUN: Message("rules.grant-not-begun"),
}


_ASK = Message("rules.another-person-approves-grant-reason")


def grant(case: RuleContext) -> RuleResult | None:
    """最小授权: from the level in the pack on, level and need-to-know scope alone open nothing (D03-2.9, D01-4.4)."""
    if case.resource.level < case.pack.grant.from_level:
        return None
    if on_visit(case):
        return case.ok("grant", UNDER_ESCORT)
    flaw = obstacle(case)
    if flaw is None:
        return case.ok("grant", Message("rules.granted", resource=case.resource.id, person=case.person.id))
    return case.deny("grant", flaw_message(case, flaw), _ASK)


def obstacle(case: RuleContext, *, temporary: bool = False) -> GrantFlaw | None:
    """Return ``None`` if a grant is valid now, else the nearest miss. *temporary*: only a 临时授权 (D01-2.2)."""
    flaws = [
        _flaw(case, grant_row)
        for grant_row in case.person.grants
        if grant_row.resource == case.resource.id and (grant_row.temporary or not temporary)
    ]
    counted = [flaw for flaw in flaws if flaw is not None]
    return None if len(counted) < len(flaws) else max(counted, default=GrantFlaw.NONE_THERE)


def flaw_message(case: RuleContext, flaw: GrantFlaw) -> Sentence:
    """Return the message for *flaw* of this person and this resource."""
    return _FLAW_MESSAGES[flaw].about(person=case.person.id, resource=case.resource.id)


def _flaw(case: RuleContext, grant_row: Grant) -> GrantFlaw | None:
    """Return the flaw of *grant_row*. Flaws that time cannot change come first, so that they bound nothing."""
    fixed = _fixed_flaw(case, grant_row)
    if fixed is not None:
        return fixed
    moved = case.person.post_changed_at
    if (
        case.pack.grant.after_post_change
        and moved is not None
        and grant_row.since < moved
        and case.clock.reached(moved)
    ):
        return GrantFlaw.OLD_POST
    if not case.clock.reached(grant_row.since):
        return GrantFlaw.NOT_BEGUN
    return GrantFlaw.ENDED if grant_row.until is not None and case.clock.reached(grant_row.until) else None


def _fixed_flaw(case: RuleContext, grant_row: Grant) -> GrantFlaw | None:
    if grant_row.person != case.person.id:
        return GrantFlaw.NONE_THERE
    if not grant_row.approver.strip():
        return GrantFlaw.NO_APPROVER
    if grant_row.approver == case.person.id:
        return GrantFlaw.OWN_APPROVAL
    if not grant_row.reason.strip():
        return GrantFlaw.NO_REASON
    return _temporary_flaw(case, grant_row) if grant_row.temporary else None


def _temporary_flaw(case: RuleContext, grant_row: Grant) -> GrantFlaw | None:
    rule = case.pack.temp_auth
    if not rule.enabled:
        return GrantFlaw.TEMPORARY_OFF
    if case.resource.level > rule.max_level:
        return GrantFlaw.TEMPORARY_LEVEL
    if grant_row.until is None or grant_row.until - grant_row.since > timedelta(days=rule.max_days):
        return GrantFlaw.TEMPORARY_LENGTH
    return None

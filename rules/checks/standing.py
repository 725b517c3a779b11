"""Eligibility of a person for any access: active, not on hold, not leaving, form of employment not barred.

Rules of this file: these rules only deny. A hold or an offboarding that has begun always denies; no record
of the person outweighs it.
"""

from rules.checks.grants import obstacle
from rules.evaluation import RuleContext
from rules.model import Departure, DepartureStage, Employment, RuleResult
from rules.text import Message

_EMPLOYED = {
    Employment.REGULAR: Message("rules.employment-regular"),
    Employment.TEMPORARY: Message("rules.employment-temporary"),
    Employment.INTERN: Message("common.intern"),
    Employment.OUTSOURCED: Message("common.outsourced"),
    Employment.VISITOR: Message("common.visitor"),
}


def active(case: RuleContext) -> RuleResult:
    """An inactive person has no access."""
    if case.person.active:
        return case.ok("inactive", Message("rules.person-active", person=case.person.id))
    return case.deny(
        "inactive",
        Message("rules.person-not-active", person=case.person.id),
        Message("rules.reactivate-person"),
    )


def hold(case: RuleContext) -> RuleResult:
    """停权: any hold that has begun denies (D09-4, D14-2.4.4)."""
    begun = [case.clock.reached(stop.since) for stop in case.person.holds]  # all of them: their order cannot matter
    if any(begun):
        return case.deny(
            "hold",
            Message("rules.put-on-hold", person=case.person.id),
            Message("rules.two-officers-lift-hold"),
        )
    return case.ok("hold", Message("rules.not-on-hold", person=case.person.id))


def departure(case: RuleContext) -> RuleResult:
    """离岗离职: an approved offboarding denies for good, through the 脱密期 and after it (D20-A.6.5.2b, D06-4.11).

    One approved with a leave date denies from that instant on, even if no process carries it out. Time alone never
    restores access. For a person who is hired again, officers remove the case from the facts; an old case does not
    expire.
    """
    over = [leaving for leaving in case.person.departures if _is_over(case, leaving)]
    cooling_off = [_cools_off(case, leaving) for leaving in over]
    if any(cooling_off):
        return case.deny(
            "cooling-off",
            Message("rules.in-cooling-off", person=case.person.id),
            Message("rules.no-access-in-cooling-off"),
        )
    if over:
        return case.deny(
            "departure",
            Message("rules.offboarding-approved", person=case.person.id),
            Message("rules.two-officers-reopen-person"),
        )
    return case.ok("departure", Message("rules.not-leaving", person=case.person.id))


def employment(case: RuleContext) -> RuleResult | None:
    """A person with a barred form of employment gets at most what a temporary grant opens (D18-4.3)."""
    rule = case.pack.employment
    if rule is None or (rule.domains and case.resource.domain not in rule.domains):
        return None
    employment_form = _EMPLOYED[case.person.employment]
    if case.person.employment not in rule.deny:
        return case.ok("employment", Message("rules.employment-not-barred", employment=employment_form))
    if rule.temp_auth and obstacle(case, temporary=True) is None:
        return case.ok("employment", Message("rules.temporary-grant-replaces-employment"))
    return case.deny(
        "employment",
        Message("rules.employment-barred", person=case.person.id, employment=employment_form),
        Message("rules.assign-other-employment"),
    )


def _is_over(case: RuleContext, leaving: Departure) -> bool:
    """Whether *leaving* has ended all access. An approval by the person themselves does not count."""
    if leaving.stage in (DepartureStage.COOLING_OFF, DepartureStage.CLOSED):
        return True
    if leaving.approver == case.person.id:
        return False
    if leaving.approved_at is None:  # approved without a date: always in effect
        approved = leaving.stage is DepartureStage.APPROVED
    else:
        approved = case.clock.reached(leaving.approved_at)
    return approved and (leaving.effective_at is None or case.clock.reached(leaving.effective_at))


def _cools_off(case: RuleContext, leaving: Departure) -> bool:
    if leaving.cooling_off_until is None:  # not ended by a date: by closing the case
        return leaving.stage is DepartureStage.COOLING_OFF
    return not case.clock.reached(leaving.cooling_off_until)

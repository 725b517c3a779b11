"""Clearance 密级: the level of a person in the domain of a resource.

Rules of this file: levels of different domains are never compared. A level counts as the lower of the
recorded level and the level of its printed label, and only if another person approved it (D01-4.4, D14-4.8.2).
"""

from rules.checks.grants import GrantFlaw, flaw_message, obstacle
from rules.checks.visits import UNDER_ESCORT, on_visit
from rules.evaluation import RuleContext
from rules.model import Clearance, Level, RuleResult
from rules.text import Message, Sentence


def barred(case: RuleContext) -> RuleResult | None:
    """A class barred from the domain opens nothing in it, whatever else its holder has (三级, D17-2.6)."""
    rule = case.pack.barred
    labels = rule.labels.get(case.resource.domain, ()) if rule else ()
    if not labels:
        return None
    held = {held.label for held in case.person.clearances if held.domain == case.resource.domain}
    # In the pack's order, so that the sentence does not depend on the order of a person's clearances.
    for label in labels:
        if label in held:
            return case.deny(
                "barred",
                Message("rules.class-barred", label=label, person=case.person.id),
                Message("rules.reassess-class"),
            )
    return case.ok("barred", Message("rules.no-class-barred", person=case.person.id))


def domain(case: RuleContext) -> RuleResult:
    """The pack declares the domain of the resource, and the person has a level in it or a temporary grant."""
    wanted = case.resource.domain
    if wanted not in case.pack.domains:
        return case.deny(
            "domain",
            Message("rules.domain-unknown", domain=wanted),
            Message("rules.assign-known-domain", domains=tuple(case.pack.domains)),
        )
    if best(case) > Level.NONE:
        return case.ok("domain", Message("rules.holds-level", person=case.person.id, domain=wanted))
    if obstacle(case, temporary=True) is None:
        return case.ok("domain", _TEMPORARY_GRANT)
    if on_visit(case):
        return case.ok("domain", UNDER_ESCORT)
    return case.deny(
        "domain",
        Message("rules.holds-no-level", person=case.person.id, domain=wanted),
        Message("rules.somebody-else-approves-level", domain=wanted),
    )


def level(case: RuleContext) -> RuleResult:
    """The level is at least that of the resource (D01-2.1), or a temporary grant replaces it (D01-2.2)."""
    needed = case.resource.level
    held = best(case)
    if held >= needed:
        return case.ok(
            "level",
            _held_and_needed(case, held, needed),
        )
    flaw = obstacle(case, temporary=True)
    if flaw is None:
        return case.ok("level", _TEMPORARY_GRANT)
    if on_visit(case):
        return case.ok("level", UNDER_ESCORT)
    change = Message("rules.raise-level", level=needed.text)
    if flaw is not GrantFlaw.NONE_THERE:
        return case.deny(
            "level", flaw_message(case, flaw), change, case.pack.clauses["level"] + case.pack.temp_auth.clauses
        )
    return case.deny(
        "level",
        _held_and_needed(case, held, needed),
        change,
    )


def best(case: RuleContext) -> Level:
    """Return the highest level that counts in the resource's domain."""
    held = [_worth(case, entry) for entry in case.person.clearances if entry.domain == case.resource.domain]
    return max(held, default=Level.NONE)


def _held_and_needed(case: RuleContext, held: Level, needed: Level) -> Sentence:
    outcome = Message("rules.level-sufficient") if held >= needed else Message("rules.level-insufficient")
    return outcome.about(person=case.person.id, held=held.text, resource=case.resource.id, needed=needed.text)


def _worth(case: RuleContext, held: Clearance) -> Level:
    if held.approved_by == case.person.id or (case.pack.level.needs_approver and not held.approved_by.strip()):
        return Level.NONE
    labels = case.pack.level.map.get(held.domain)
    if labels is None or not held.label:
        return held.level
    return min(held.level, labels.get(held.label, Level.NONE))


_TEMPORARY_GRANT = Message("rules.temporary-grant-replaces-level")

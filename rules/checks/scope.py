"""Need-to-know scope 知悉范围 (D05-2.4a, D10-4.3a).

Rules of this file: a scope lists persons, departments and projects; one match is sufficient. Without a list, the scope
is the persons with a grant: an empty scope never means everyone.
"""

from rules.checks.grants import flaw_message, obstacle
from rules.checks.visits import UNDER_ESCORT, on_visit
from rules.evaluation import RuleContext
from rules.model import RuleResult, Scope
from rules.text import Message


def scope(case: RuleContext) -> RuleResult:
    """The person is in the need-to-know scope, whatever their level."""
    if on_visit(case):
        return case.ok("scope", UNDER_ESCORT)
    circle = case.resource.scope
    if circle.persons or circle.departments or circle.projects:
        return _listed(case, circle)
    if case.resource.level >= case.pack.grant.from_level:  # the rule on grants decides, with a better reason
        return case.ok("scope", Message("rules.scope-is-grants", resource=case.resource.id))
    flaw = obstacle(case)
    if flaw is None:
        return case.ok("scope", Message("rules.named-in-grant", person=case.person.id))
    return case.deny("scope", flaw_message(case, flaw), Message("rules.another-person-approves-grant"))


def _listed(case: RuleContext, circle: Scope) -> RuleResult:
    person = case.person
    if (
        person.id in circle.persons
        or (person.department and person.department in circle.departments)
        or not circle.projects.isdisjoint(person.projects)
    ):
        return case.ok("scope", Message("rules.in-scope", person=case.person.id, resource=case.resource.id))
    return case.deny(
        "scope",
        Message("rules.outside-scope", person=case.person.id, resource=case.resource.id),
        Message("rules.add-to-scope"),
    )

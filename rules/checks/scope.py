"""知悉范围: is this person among those who need to know (D05-2.4a, D10-4.3a)?

Rules of this file: a circle is a list of persons, departments and projects, and being on one of them is enough. Where
no list was made, the circle is the persons a grant names: no list never means everybody.
"""

from rules.checks.grants import obstacle, said
from rules.checks.visits import UNDER_ESCORT, on_visit
from rules.evaluation import RuleContext
from rules.model import RuleResult, Scope
from rules.text import Text


def scope(case: RuleContext) -> RuleResult:
    """The person is in the circle of knowers, whatever his level."""
    if on_visit(case):
        return case.ok("scope", UNDER_ESCORT)
    circle = case.resource.scope
    if circle.persons or circle.departments or circle.projects:
        return _listed(case, circle)
    if case.resource.level >= case.pack.grant.from_level:  # the rule on grants decides, and says it better
        return case.ok(
            "scope", Text(f"the circle of {case.what} is whom a grant names", f"{case.what} 的知悉范围即被授权人员")
        )
    flaw = obstacle(case)
    if flaw is None:
        return case.ok("scope", Text(f"a grant names {case.who}", f"授权中列有 {case.who}"))
    return case.deny("scope", said(case, flaw), Text("another person approves a grant", "由他人批准授权"))


def _listed(case: RuleContext, circle: Scope) -> RuleResult:
    person = case.person
    if (
        person.id in circle.persons
        or (person.department and person.department in circle.departments)
        or not circle.projects.isdisjoint(person.projects)
    ):
        return case.ok(
            "scope", Text(f"{case.who} is in the circle of {case.what}", f"{case.who} 在 {case.what} 知悉范围内")
        )
    return case.deny(
        "scope",
        Text(f"{case.who} is outside the circle of {case.what}", f"{case.who} 不在 {case.what} 知悉范围内"),
        Text("the person, department or project is added to the circle", "将此人、部门或项目列入知悉范围"),
    )

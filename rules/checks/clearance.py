"""密级: does the person hold a level that reaches the resource's, in the resource's own domain?

Rules of this file: levels of different domains are never compared. What a level is worth is the least of what was
written down, what its printed label stands for, and who approved it: nobody approves his own (D01-4.4, D14-4.8.2).
"""

from rules.checks.grants import GrantFlaw, obstacle, said
from rules.checks.visits import UNDER_ESCORT, on_visit
from rules.evaluation import RuleContext
from rules.model import Clearance, Level, RuleResult
from rules.text import Text
from rules.visible import visible


def barred(case: RuleContext) -> RuleResult | None:
    """A class barred from the domain opens nothing in it, whatever else its holder was given (三级, D17-2.6)."""
    rule = case.pack.barred
    labels = rule.labels.get(case.resource.domain, ()) if rule else ()
    if not labels:
        return None
    held = {held.label for held in case.person.clearances if held.domain == case.resource.domain}
    # In the pack's order, so that the sentence does not depend on the order of a person's clearances.
    for label in labels:
        if label in held:
            named = visible(label)
            return case.deny(
                "barred",
                Text(f"class `{named}` of {case.who} is barred here", f"{case.who} 的类别“{named}”不得接触此类秘密"),
                Text("the class of the person is assessed anew", "重新评定人员类别"),
            )
    return case.ok("barred", Text(f"no class of {case.who} is barred here", f"{case.who} 的类别未被排除"))


def domain(case: RuleContext) -> RuleResult:
    """The pack knows the resource's domain, and the person holds some level in it or a temporary grant."""
    asked = case.resource.domain
    shown = visible(asked)
    if asked not in case.pack.domains:
        known = ", ".join(map(visible, case.pack.domains))
        return case.deny(
            "domain",
            Text(f"the pack knows no domain `{shown}`", f"规则包中没有秘密种类 `{shown}`"),
            Text(f"the area gets one of: {known}", f"为目录改用其中之一：{known}"),
        )
    if best(case) > Level.NONE:
        return case.ok("domain", Text(f"{case.who} holds a level in `{shown}`", f"{case.who} 在 `{shown}` 有密级"))
    if obstacle(case, temporary=True) is None:
        return case.ok("domain", _STANDS_IN)
    if on_visit(case):
        return case.ok("domain", UNDER_ESCORT)
    return case.deny(
        "domain",
        Text(f"{case.who} holds no level in `{shown}`", f"{case.who} 在 `{shown}` 没有密级"),
        Text(f"somebody else approves a level in `{shown}`", f"由他人批准其在 `{shown}` 的密级"),
    )


def level(case: RuleContext) -> RuleResult:
    """The level reaches the resource's (D01-2.1), or a temporary grant stands in for it (D01-2.2)."""
    needed = case.resource.level
    held = best(case)
    if held >= needed:
        return case.ok(
            "level",
            Text(
                f"{case.who} holds `{held.text.en}`, {case.what} needs `{needed.text.en}`",
                f"{case.who} 为“{held.text.zh}”，{case.what} 需“{needed.text.zh}”",
            ),
        )
    flaw = obstacle(case, temporary=True)
    if flaw is None:
        return case.ok("level", _STANDS_IN)
    if on_visit(case):
        return case.ok("level", UNDER_ESCORT)
    change = Text(f"the level of the person is raised to `{needed.text.en}`", f"将此人密级提升至“{needed.text.zh}”")
    if flaw is not GrantFlaw.NONE_THERE:
        return case.deny("level", said(case, flaw), change, case.pack.clauses["level"] + case.pack.temp_auth.clauses)
    return case.deny(
        "level",
        Text(
            f"{case.who} holds `{held.text.en}`, {case.what} needs `{needed.text.en}`",
            f"{case.who} 为“{held.text.zh}”，{case.what} 需“{needed.text.zh}”",
        ),
        change,
    )


def best(case: RuleContext) -> Level:
    """Return the highest level that counts in the resource's domain."""
    held = [_worth(case, item) for item in case.person.clearances if item.domain == case.resource.domain]
    return max(held, default=Level.NONE)


def _worth(case: RuleContext, held: Clearance) -> Level:
    if held.approved_by == case.person.id or (case.pack.level.needs_approver and not held.approved_by.strip()):
        return Level.NONE
    labels = case.pack.level.map.get(held.domain)
    if labels is None or not held.label:
        return held.level
    return min(held.level, labels.get(held.label, Level.NONE))


_STANDS_IN = Text("a temporary grant stands in for the level", "临时授权代替密级")

"""标密: what has no level, no secrecy period or no circle of knowers is not opened to anybody.

Rules of this file: this finding is about the resource alone. The regulations ask for the marks when a directory is
registered (D05-2.3a, D13-3.10.1); asking again at every access means that no way around the registry opens one.
"""

from rules.model import Level, Resource, RuleResult
from rules.pack.model import Pack
from rules.text import Text
from rules.visible import visible


def marking(place: Resource, pack: Pack) -> RuleResult:
    """The resource carries the marks that *pack* asks for. A level is asked for by every pack."""
    clauses = pack.clauses.get("marking", ())
    missing = _missing(place, pack)
    if missing is None:
        return RuleResult("marking", True, Text("the resource is marked", "资源已定密"), clauses)
    shown = visible(place.id)
    return RuleResult(
        rule="marking",
        ok=False,
        because=Text(f"`{shown}` has no {missing.en}", f"`{shown}` 未定{missing.zh}"),
        clauses=clauses,
        change=Text(f"the {missing.en} of the resource is set", f"确定资源的{missing.zh}"),
    )


def _missing(place: Resource, pack: Pack) -> Text | None:
    """Return the first mark missing. Period and circle belong to information, so rooms need not have them."""
    if place.level is Level.NONE:
        return Text("level", "密级")
    rule, circle = pack.marking, place.scope
    if rule is None or place.room is not None:
        return None
    if rule.period and place.secret_until is None:
        return Text("secrecy period", "保密期限")
    if rule.scope and not (circle.persons or circle.departments or circle.projects):
        return Text("circle of knowers", "知悉范围")
    return None

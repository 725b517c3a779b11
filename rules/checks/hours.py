"""开放时间: an area or room that names a schedule is open only within it, on the site's clock.

Rules of this file: times are those of the pack's ``utc_offset``; a schedule the pack does not know is never open.
"""

from rules.evaluation import RuleContext
from rules.model import RuleResult
from rules.pack.model import WEEKDAYS
from rules.text import Text
from rules.visible import visible

_WAIT = Text("the opening hours begin", "等到开放时间")
_WEEKDAYS_ZH = "一二三四五六日"


def hours(case: RuleContext) -> RuleResult | None:
    """The schedule the resource names is open now: right weekday, no holiday, inside a window."""
    name = case.resource.hours
    if not name:
        return None
    shown = visible(name)
    schedule = case.pack.hours.get(name)
    if schedule is None:
        return case.deny(
            "hours",
            Text(f"the pack has no hours `{shown}`", f"规则包中没有开放时间 `{shown}`"),
            Text(f"the pack gets a table [hours.{shown}]", f"在规则包中补上 [hours.{shown}]"),
        )
    midnight = case.clock.midnight(case.pack.utc_offset)
    weekday = midnight.weekday()
    if weekday not in schedule.weekdays:
        because = Text(
            f"{case.what} is closed on `{WEEKDAYS[weekday]}`", f"{case.what} 周{_WEEKDAYS_ZH[weekday]}不开放"
        )
    elif schedule.holidays == "closed" and midnight.date() in case.facts.holidays:
        because = Text(f"{case.what} is closed on holidays", f"{case.what} 节假日不开放")
    elif any(case.clock.within(midnight + start, midnight + end) for start, end in schedule.windows):
        return case.ok("hours", Text(f"{case.what} is open now", f"{case.what} 正在开放"), schedule.clauses)
    else:
        because = Text(f"{case.what} is closed at this hour", f"{case.what} 此时不开放")
    return case.deny("hours", because, _WAIT, schedule.clauses)

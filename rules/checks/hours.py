"""Opening hours 开放时间: an area or room with a schedule is open only within it, on the clock of the site.

Rules of this file: times are those of the pack's ``utc_offset``; a schedule missing from the pack is never open.
"""

from rules.evaluation import RuleContext
from rules.model import RuleResult
from rules.text import Message

_WAIT = Message("rules.wait-for-opening-hours")
_WEEKDAY_NAMES = (
    Message("rules.monday"),
    Message("rules.tuesday"),
    Message("rules.wednesday"),
    Message("rules.thursday"),
    Message("rules.friday"),
    Message("rules.saturday"),
    Message("rules.sunday"),
)


def hours(case: RuleContext) -> RuleResult | None:
    """The schedule the resource names is open now: right weekday, no holiday, inside a window."""
    name = case.resource.hours
    if not name:
        return None
    schedule = case.pack.hours.get(name)
    if schedule is None:
        return case.deny(
            "hours",
            Message("rules.schedule-unknown", schedule=name),
            Message("rules.add-schedule-to-pack", schedule=name),
        )
    midnight = case.clock.midnight(case.pack.utc_offset)
    weekday = midnight.weekday()
    if weekday not in schedule.weekdays:
        because = Message("rules.closed-on-weekday", resource=case.resource.id, weekday=_WEEKDAY_NAMES[weekday])
    elif schedule.holidays == "closed" and midnight.date() in case.facts.holidays:
        because = Message("rules.closed-holidays", resource=case.resource.id)
    elif any(case.clock.within(midnight + start, midnight + end) for start, end in schedule.windows):
        return case.ok("hours", Message("rules.open-now", resource=case.resource.id), schedule.clauses)
    else:
        because = Message("rules.closed-at-this-hour", resource=case.resource.id)
    return case.deny("hours", because, _WAIT, schedule.clauses)

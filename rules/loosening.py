"""What a change loosens though nobody gains a right by it today: levels, and what a place asks (contract C12). Pure.

Rules of this file: a person or a place before and after is enough to say so. Nothing here says that somebody gains:
:mod:`rules.rights` does. What only takes loosens nothing.
"""

from rules.model import Passback, Person, Resource, RoomRules, RoomSettings, Scope

_STRICTER = (Passback.NONE, Passback.SOFT, Passback.HARD)


def person_loosened(before: Person | None, after: Person | None) -> bool:
    """Whether *after* has more than *before*: a higher level, another label, another employment, or is active again."""
    if after is None:
        return False
    had = {one.domain: one for one in before.clearances} if before else {}
    for one in after.clearances:
        old = had.get(one.domain)
        if (old is None and one.level) or (old and (one.level > old.level or one.label != old.label)):
            return True
    return before is not None and (after.active > before.active or after.employment is not before.employment)


def place_loosened(before: Resource | None, after: Resource | None) -> bool:
    """Whether *after* asks less than *before*: of a place that is new, or is gone, nothing is said here."""
    if before is None or after is None:
        return False
    return (
        after.level < before.level
        or after.domain != before.domain
        or after.hours != before.hours
        or _wider(before.scope, after.scope)
        or (before.room is not None and after.room is not None and _asks_less(before.room, after.room))
    )


def _wider(before: Scope, after: Scope) -> bool:
    return bool(
        after.persons - before.persons or after.departments - before.departments or after.projects - before.projects
    )


def _asks_less(before: RoomRules, after: RoomRules) -> bool:
    demands = ("two_person", "needs_purpose", "needs_declaration", "needs_pin", "first_in")
    limit, new_limit = before.occupancy_limit, after.occupancy_limit
    return (
        any(getattr(before, name) and not getattr(after, name) for name in demands)
        or _STRICTER.index(after.anti_passback) < _STRICTER.index(before.anti_passback)
        or bool(limit and (new_limit == 0 or new_limit > limit))
    )


def settings_loosened(before: RoomSettings, after: RoomSettings) -> bool:
    """Whether a room's panel asks less by *after*: of the two who enter together, of one alone, of a door left open."""
    together = after.together_seconds != before.together_seconds and not (
        0 < after.together_seconds < before.together_seconds
    )
    return (
        together
        or (after.accompany and not before.accompany)
        or (before.lone_alarm and not after.lone_alarm)
        or after.held_open_seconds > before.held_open_seconds
        or (after.reset_at != before.reset_at and after.reset_at != "")
    )

"""Loosening: changes that lower requirements although no one gains a right today (contract C12).

Rules of this file: pure; it compares a person or a place before and after. Gains of rights are found by
:mod:`rules.rights`. A change that only revokes loosens nothing.
"""

from rules.model import Passback, Person, Resource, RoomRules, RoomSettings, Scope

_STRICTER = (Passback.NONE, Passback.SOFT, Passback.HARD)


def person_loosened(before: Person | None, after: Person | None) -> bool:
    """Whether *after* has more than *before*: a higher level, another label, another employment, or is active again."""
    if after is None:
        return False
    had = {entry.domain: entry for entry in before.clearances} if before else {}
    for new in after.clearances:
        old = had.get(new.domain)
        if (old is None and new.level) or (old and (new.level > old.level or new.label != old.label)):
            return True
    return before is not None and (after.active > before.active or after.employment is not before.employment)


def place_loosened(before: Resource | None, after: Resource | None) -> bool:
    """Whether *after* requires less than *before*; false for a place that is new or removed."""
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
    """Whether the panel of a room requires less by *after*: for two-person entry, one alone, an open door."""
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

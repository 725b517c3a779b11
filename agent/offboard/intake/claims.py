"""From parsed claims to what they say, by the profile of docs/hr-integration.md. Pure; signatures are not its matter.

Rules of this file: a claim that decides anything has exactly one right form; the first that has not ends the reading
with its name. Claims nobody asked for are kept and ignored (RFC 7519 section 4), except those that a security event
token must not have. Members of our own event are all known: a misspelt ``last_day`` would otherwise be none.
"""

import math
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from agent.api import timestamps
from agent.offboard.intake.notice import EVENTS, HrEvent, instant
from agent.offboard.intake.reasons import BadTokenError
from agent.offboard.intake.subject import LONGEST
from rules.offboarding.vocabulary import CaseKind
from rules.visible import visible

_LONGEST = LONGEST
_MILLISECONDS = 100_000_000_000  # the year 5138 in seconds, 1973 in milliseconds
_MOST_APPROVERS = 16
_LONGEST_PERIOD = timedelta(days=50 * 366)
_FORBIDDEN = ("exp", "sub", "nbf")  # SSF 1.0 section 4.1.7: lifetimes and "sub" are what access tokens have

Claims = Mapping[str, Any]


def identifier(claims: Claims, name: str, reason: str = "claim-wrong") -> str:
    """Return a claim that names something: printable, not blank at either end; raise :class:`BadTokenError`."""
    if name not in claims:
        raise BadTokenError("claim-missing", name)
    value = claims[name]
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= _LONGEST
        or visible(value) != value
        or value != value.strip()
    ):
        raise BadTokenError(reason, name)
    return value


def moment(claims: Claims, name: str, reason: str = "claim-wrong") -> datetime:
    """Return a NumericDate claim as an instant; raise :class:`BadTokenError`."""
    if name not in claims:
        raise BadTokenError("claim-missing", name)
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise BadTokenError(reason, name)
    try:
        return instant(value)
    except (ValueError, OverflowError, OSError) as error:
        raise BadTokenError(reason, name) from error


def forbid(claims: Claims) -> None:
    """Raise :class:`BadTokenError` for a claim that makes this another sort of token (RFC 8725 section 3.12)."""
    for name in _FORBIDDEN:
        if name in claims:
            raise BadTokenError("claim-forbidden", name)


def event(claims: Claims) -> tuple[HrEvent, dict[str, Any]]:
    """Return the one event and its members (RFC 8417 section 2: one logical event per token)."""
    given = claims.get("events")
    if not isinstance(given, dict) or len(given) != 1:
        raise BadTokenError("events")
    [(uri, details)] = given.items()
    if uri not in EVENTS:
        raise BadTokenError("event-unknown", uri)
    if not isinstance(details, dict):
        raise BadTokenError("event-wrong")
    return EVENTS[uri], details


def happened(claims: Claims, what: HrEvent, details: Claims, issued: datetime) -> datetime:
    """Return when the event happened: ``toe``, which a departure must have; else CAEP's own time; else ``iat``.

    CAEP's own time is in seconds; drafts had it in milliseconds, and no year up to 5000 can be read as either.
    """
    if "toe" in claims or what is HrEvent.DEPARTURE_APPROVED:
        return moment(claims, "toe")
    if "event_timestamp" not in details:
        return issued
    given = details["event_timestamp"]
    if isinstance(given, int | float) and not isinstance(given, bool) and _MILLISECONDS < given < math.inf:
        return moment({"event_timestamp": given / 1000}, "event_timestamp", "event-wrong")
    return moment(details, "event_timestamp", "event-wrong")


def case_number(claims: Claims, what: HrEvent) -> str:
    """Return ``txn``, which a departure must have."""
    return identifier(claims, "txn") if "txn" in claims or what is HrEvent.DEPARTURE_APPROVED else ""


def check_departure(
    details: Claims, leaver: Collection[str], happened: datetime, who: Callable[[str], str]
) -> list[datetime]:
    """Check the members of ``departure-approved``, and return when it was approved; raise :class:`BadTokenError`.

    ``kind`` and ``approvers`` must be there. Nobody approves twice, and the *leaver*, under any name, never (D01-4.4).
    *who* says which person here an approver's name is.
    A cooling-off period ends after the day it *happened* (UTC), within a lifetime.
    """
    for name in details.keys() - _MEMBERS.keys():
        raise BadTokenError("event-wrong", name)
    for name, right in _MEMBERS.items():
        if name in details and not right(details[name]):
            raise BadTokenError("event-wrong", name)
    for name in _WHERETO:
        if name in details and details.get("kind") not in _MOVING:
            raise BadTokenError("event-wrong", name)
    if until := details.get("cooling_off_until"):
        length = date.fromisoformat(until) - happened.date()
        if not timedelta(0) < length <= _LONGEST_PERIOD:
            raise BadTokenError("event-wrong", "cooling_off_until")
    approvers = details.get("approvers")
    if "kind" not in details or not isinstance(approvers, list) or not 0 < len(approvers) <= _MOST_APPROVERS:
        raise BadTokenError("event-wrong", "approvers" if "kind" in details else "kind")
    names: set[str] = set()
    moments = []
    for given in approvers:
        if not isinstance(given, dict) or not given.keys() <= {"role", "by", "at", "opinion"}:
            raise BadTokenError("event-wrong", "approvers")
        identifier(given, "role", "event-wrong")
        by = identifier(given, "by", "event-wrong")
        if not isinstance(given.get("opinion", ""), str):
            raise BadTokenError("event-wrong", "opinion")
        moments.append(moment(given, "at", "event-wrong"))
        if by in leaver or who(by) in leaver:
            raise BadTokenError("own-approval", by)
        if by in names or who(by) in names:
            raise BadTokenError("approver-twice", by)
        names |= {by, who(by)}
    return moments


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and visible(value) == value == value.strip()


def _is_leave_date(value: object) -> bool:
    """Whether *value* is a day, or an RFC 3339 instant with its offset: whose clock is meant must not be guessed.

    It is read as it is when it is acted on; which zone a bare day is of changes nothing about whether it can be.
    """
    if not isinstance(value, str):
        return False
    try:
        timestamps.instant(value, UTC, end=True)
        return _is_day(value) or datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_WHERETO: Final = ("department", "post")
_MOVING: Final = frozenset((CaseKind.TRANSFER, CaseKind.REHIRED))
_MEMBERS: Final[Mapping[str, Callable[[object], bool]]] = {
    "kind": lambda value: value in tuple(CaseKind),
    "last_day": _is_day,
    "effective": _is_leave_date,
    "batch": _is_plain,
    "cooling_off_until": _is_day,
    "class": _is_plain,
    "department": _is_plain,
    "post": _is_plain,
    "approvers": lambda value: isinstance(value, list),
}

"""Interpretation of parsed claims, by the profile of docs/hr-integration.md. Pure; signatures are checked elsewhere.

Rules of this file: a claim that decides anything has exactly one right form; the first one in another form ends the
reading with its name. Unknown claims are kept and ignored (RFC 7519 section 4), except those that a security event
token must not have. Members of our own event are all known: a misspelt ``last_day`` would otherwise be absent.
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
    text = claims[name]
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST or visible(text) != text or text != text.strip():
        raise BadTokenError(reason, name)
    return text


def moment(claims: Claims, name: str, reason: str = "claim-wrong") -> datetime:
    """Return a NumericDate claim as an instant; raise :class:`BadTokenError`."""
    if name not in claims:
        raise BadTokenError("claim-missing", name)
    seconds = claims[name]
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
        raise BadTokenError(reason, name)
    try:
        return instant(seconds)
    except (ValueError, OverflowError, OSError) as error:
        raise BadTokenError(reason, name) from error


def forbid(claims: Claims) -> None:
    """Raise :class:`BadTokenError` for a claim that makes this another sort of token (RFC 8725 section 3.12)."""
    for name in _FORBIDDEN:
        if name in claims:
            raise BadTokenError("claim-forbidden", name)


def event(claims: Claims) -> tuple[HrEvent, dict[str, Any]]:
    """Return the one event and its members (RFC 8417 section 2: one logical event per token)."""
    events = claims.get("events")
    if not isinstance(events, dict) or len(events) != 1:
        raise BadTokenError("events")
    [(uri, details)] = events.items()
    if uri not in EVENTS:
        raise BadTokenError("event-unknown", uri)
    if not isinstance(details, dict):
        raise BadTokenError("event-wrong")
    return EVENTS[uri], details


def happened(claims: Claims, kind: HrEvent, details: Claims, issued: datetime) -> datetime:
    """Return when the event happened: ``toe``, which a departure must have; else CAEP's own time; else ``iat``.

    CAEP's own time is in seconds; drafts had it in milliseconds, and no year up to 5000 can be read as either.
    """
    if "toe" in claims or kind is HrEvent.DEPARTURE_APPROVED:
        return moment(claims, "toe")
    if "event_timestamp" not in details:
        return issued
    timestamp = details["event_timestamp"]
    if isinstance(timestamp, int | float) and not isinstance(timestamp, bool) and _MILLISECONDS < timestamp < math.inf:
        return moment({"event_timestamp": timestamp / 1000}, "event_timestamp", "event-wrong")
    return moment(details, "event_timestamp", "event-wrong")


def case_number(claims: Claims, kind: HrEvent) -> str:
    """Return ``txn``, which a departure must have."""
    return identifier(claims, "txn") if "txn" in claims or kind is HrEvent.DEPARTURE_APPROVED else ""


def check_departure(
    details: Claims, leaver: Collection[str], happened: datetime, person_of: Callable[[str], str]
) -> list[datetime]:
    """Check the members of ``departure-approved``, and return the times of approval; raise :class:`BadTokenError`.

    ``kind`` and ``approvers`` are required. Nobody approves twice, and the *leaver*, under any name, never (D01-4.4).
    *person_of* maps an approver's name to a person here. A cooling-off period ends after the day it *happened* (UTC),
    within a lifetime.
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
    for approver in approvers:
        if not isinstance(approver, dict) or not approver.keys() <= {"role", "by", "at", "opinion"}:
            raise BadTokenError("event-wrong", "approvers")
        identifier(approver, "role", "event-wrong")
        by = identifier(approver, "by", "event-wrong")
        if not isinstance(approver.get("opinion", ""), str):
            raise BadTokenError("event-wrong", "opinion")
        moments.append(moment(approver, "at", "event-wrong"))
        if by in leaver or person_of(by) in leaver:
            raise BadTokenError("own-approval", by)
        if by in names or person_of(by) in names:
            raise BadTokenError("approver-twice", by)
        names |= {by, person_of(by)}
    return moments


def _is_day(member: object) -> bool:
    try:
        return isinstance(member, str) and date.fromisoformat(member).isoformat() == member
    except ValueError:
        return False


def _is_plain(member: object) -> bool:
    return isinstance(member, str) and 0 < len(member) <= _LONGEST and visible(member) == member == member.strip()


def _is_leave_date(member: object) -> bool:
    """Whether *member* is a day, or an RFC 3339 instant with its offset: the time zone must not be guessed.

    The zone of a bare day does not matter for this check.
    """
    if not isinstance(member, str):
        return False
    try:
        timestamps.instant(member, UTC, end=True)
        return _is_day(member) or datetime.fromisoformat(member).tzinfo is not None
    except ValueError:
        return False


_WHERETO: Final = ("department", "post")
_MOVING: Final = frozenset((CaseKind.TRANSFER, CaseKind.REHIRED))
_MEMBERS: Final[Mapping[str, Callable[[object], bool]]] = {
    "kind": lambda member: member in tuple(CaseKind),
    "last_day": _is_day,
    "effective": _is_leave_date,
    "batch": _is_plain,
    "cooling_off_until": _is_day,
    "class": _is_plain,
    "department": _is_plain,
    "post": _is_plain,
    "approvers": lambda member: isinstance(member, list),
}

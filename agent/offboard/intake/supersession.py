"""Supersession: an older notice about a person ends nothing once a newer one ended all of it.

Rules of this file: pure. What a notice ends is a set, and sets are compared, never ranks: a transfer ends a post and
keeps the account, a disabled account the reverse, so neither replaces the other, and a resignation ends both. The
order is that of the events (``toe``, then ``iat``), not of arrival. A release by an officer dates a notice anew: the
officer knew everything that came before that day.
"""

from datetime import datetime, time, timedelta, timezone
from enum import IntFlag
from typing import Final, NamedTuple

from agent.offboard.intake.notice import HrEvent, HrNotice
from rules.offboarding.vocabulary import CaseKind


class Ended(IntFlag):
    """The scope that a notice ends. The numbers stand in ``offboard.db`` and never change."""

    SESSIONS = 1
    ACCOUNT = 2  # everything, until officers lift it
    POST = 4  # what the present post gave
    CLEARED = 8  # holding a secret post at all
    UNIT = 16  # belonging to the unit


ALL: Final = Ended.SESSIONS | Ended.ACCOUNT | Ended.POST | Ended.CLEARED | Ended.UNIT
_KINDS: Final[dict[str, Ended]] = {
    **{kind: Ended.SESSIONS | Ended.POST for kind in CaseKind if kind.passes},
    CaseKind.UNFIT: Ended.SESSIONS | Ended.ACCOUNT | Ended.POST | Ended.CLEARED,
}


class EventMark(NamedTuple):
    """Where an event stands among those about one person."""

    toe: datetime  # when it happened; of a released one, when it was released
    iat: datetime


def ends(notice: HrNotice) -> Ended:
    """Return the scope that *notice* ends at once: nothing, if its leave date was in the future when it was approved.

    Such a notice supersedes nothing, and nothing supersedes it: what was to end at once ends at once.
    """
    match notice.event:
        case HrEvent.VERIFICATION:
            return Ended(0)
        case HrEvent.SESSION_REVOKED:
            return Ended.SESSIONS
        case HrEvent.ACCOUNT_DISABLED:
            return Ended.SESSIONS | Ended.ACCOUNT
        case HrEvent.DEPARTURE_APPROVED:
            return Ended(0) if _is_to_come(notice) else _KINDS.get(str(notice.details.get("kind")), ALL)


def _is_to_come(notice: HrNotice) -> bool:
    effective = notice.details.get("effective")
    if not effective:
        return False
    leave = datetime.fromisoformat(str(effective))
    if leave.tzinfo is None:  # a day, wherever its end is last
        leave = datetime.combine(leave.date() + timedelta(days=1), time(), timezone(-timedelta(hours=12)))
    return leave > notice.toe


def mark(notice: HrNotice, released: datetime | None = None) -> EventMark:
    """Return the mark of *notice*, which an officer may have *released*."""
    return EventMark(max(notice.toe, released) if released else notice.toe, notice.iat)


def supersedes(newer: Ended, newer_at: EventMark, older: Ended, older_at: EventMark) -> bool:
    """Whether an event that ended *newer* leaves nothing for an event about the same person that ends *older*."""
    return bool(older) and newer_at > older_at and newer & older == older

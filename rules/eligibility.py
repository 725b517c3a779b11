"""Eligibility of officers: no one who is inactive, on hold or leaving may act for others.

Rules of this file: pure. Access and office end together: a person who may open nothing may approve nothing. An
offboarding that is only announced, or whose leave date is in the future, ends nothing yet.
"""

from datetime import datetime

from rules.model import Departure, DepartureStage, Person
from rules.text import Message, Sentence


def why_ineligible(person: Person, now: datetime) -> Sentence | None:
    """Return why *person* may not act for others at *now*, ``None`` if they may."""
    if not person.active:
        return Message("rules.person-inactive", person=person.id)
    if any(stop.since <= now for stop in person.holds):
        return Message("rules.person-on-hold", person=person.id)
    if any(_has_ended(leaving, now) for leaving in person.departures):
        return Message("rules.person-leaving", person=person.id)
    return None


def _has_ended(leaving: Departure, now: datetime) -> bool:
    if leaving.stage is DepartureStage.APPROVED:
        return leaving.effective_at is None or leaving.effective_at <= now
    return leaving.stage is not DepartureStage.NOTICE

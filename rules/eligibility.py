"""Who may act for others: nobody who is inactive, on hold, or whose own departure is approved.

Rules of this file: pure. Access and office end together: whoever may open nothing approves nothing either. A departure
that was only announced takes nothing from anybody yet, nor does one whose leave date is to come.
"""

from datetime import datetime

from rules.model import Departure, DepartureStage, Person
from rules.text import Text
from rules.visible import visible


def why_ineligible(person: Person, now: datetime) -> Text | None:
    """Return why *person* may act for nobody at *now*, ``None`` for somebody who is in office."""
    said = visible(person.id)
    if not person.active:
        return Text(f"`{said}` is inactive", f"`{said}` 已停用")
    if any(stop.since <= now for stop in person.holds):
        return Text(f"`{said}` is on hold", f"`{said}` 已被停权")
    if any(_gone(leaving, now) for leaving in person.departures):
        return Text(f"`{said}` has left, or is leaving", f"`{said}` 已离岗或正在离岗")
    return None


def _gone(leaving: Departure, now: datetime) -> bool:
    if leaving.stage is DepartureStage.APPROVED:
        return leaving.effective_at is None or leaving.effective_at <= now
    return leaving.stage is not DepartureStage.NOTICE

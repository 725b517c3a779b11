"""Timestamps: reading and printing instants.

Rules of this file: the zone is an argument, and ``None`` is the host's own, daylight saving included. Inside the
program an instant is an aware ``datetime`` in UTC. A bare date is a day of the zone: its start for a beginning,
the start of the next day for an end, so that "until 2026-12-31" includes the 31st.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def instant(text: str, zone: tzinfo | None, *, end: bool = False) -> datetime:
    """Read a date or an ISO 8601 time; raise ``ValueError`` for anything else, or outside the years 1970 to 9998."""
    if _DAY.fullmatch(text):
        day = date.fromisoformat(text)
        if end and day.year < 9999:
            day += timedelta(days=1)
        moment = datetime.combine(day, time(), zone)
    else:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)  # still naive for None: astimezone then reads it as the host's time
    if not 1970 <= moment.year <= 9998:
        raise ValueError(text)
    return moment.astimezone(UTC)


def latest(hour: time, now: datetime, zone: tzinfo | None) -> datetime:
    """Return the last instant, not after *now*, at which the clock of *zone* reached *hour*."""
    day = now.astimezone(zone).date()
    today = datetime.combine(day, hour, zone).astimezone(UTC)
    return today if today <= now else datetime.combine(day - timedelta(days=1), hour, zone).astimezone(UTC)


def printed(moment: datetime) -> str:
    """Return an instant in RFC 3339 in UTC, to the second where it is whole."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local(moment: str, zone: tzinfo | None = None) -> str:
    """Return a printed instant as a person reads it: in the host's zone (or *zone*), to the second."""
    return datetime.fromisoformat(moment).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")

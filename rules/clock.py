"""Clock of a rule: the only source of time in the rules, and the bound ``until`` (contract C1).

Rules of this file: a rule never compares ``now`` itself; it asks whether an instant is reached. Every instant that was
asked about and lies ahead bounds ``until``. At any ``t`` in ``[now, until)`` each of those questions has the same
answer, so a rule, a function of the facts and these answers, gives the same result.
"""

from datetime import datetime, timedelta, timezone


class RuleClock:
    """One rule's view of time. ``until`` is the nearest instant ahead that was asked about, or ``None``."""

    __slots__ = ("_now", "until")

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.until: datetime | None = None

    def reached(self, instant: datetime) -> bool:
        """Whether *instant* is now or past; raise ``TypeError`` if it carries no time zone."""
        if instant <= self._now:
            return True
        if self.until is None or instant < self.until:
            self.until = instant
        return False

    def within(self, since: datetime, until: datetime | None) -> bool:
        """Whether now lies in the half-open window ``[since, until)``."""
        return self.reached(since) and (until is None or not self.reached(until))

    def midnight(self, offset: timedelta) -> datetime:
        """Return the start of the current day on a clock *offset* from UTC. The end of the day bounds ``until``."""
        local = self._now.astimezone(timezone(offset))
        start = local.replace(hour=0, minute=0, second=0, microsecond=0)
        self.reached(start + timedelta(days=1))
        return start

    def bound(self, until: datetime | None) -> None:
        """Add the bound of another result that this one rests on."""
        if until is not None and (self.until is None or until < self.until):
            self.until = until

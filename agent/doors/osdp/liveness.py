"""Liveness of one reader: online or not, since when, and when to restart it.

Rules of this file: pure; *now* is an argument, in seconds of a steady clock. libosdp gives a reader up when it is
silent, or after one bad reply, and retries it after 300 seconds; so a reader without Secure Channel is released and
restarted here, soon and then regularly. Events from the first two seconds of a Secure Channel may have waited in the
reader for hours, and count as stale.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Pace:
    """Time limits in seconds. A site uses these; tests shorten them.

    ``quarantine``: time after a channel came up in which events count as stale. ``first``: delay until a lost reader is
    restarted. ``patience``, plus ``each`` per reader on the line: duration of an attempt. ``pause``: time for libosdp
    between release and restart. ``commissioning``: time a reader has to accept its first key.
    """

    quarantine: float = 2.0
    first: float = 1.0
    patience: float = 4.0
    each: float = 0.25
    pause: float = 0.1
    commissioning: float = 10.0


class Do(Enum):
    """The next action of the panel for a reader."""

    NOTHING = 0
    LET_GO = 1
    BEGIN = 2
    OTHER_KEY = 3  # it answers, but not with this key: recreate the panel with the other one


class LinkStatus(NamedTuple):
    """The link as libosdp reports it, whether the reader answered in this attempt, whether another key exists."""

    secure: bool
    enabled: bool
    answers: bool
    other_key: bool


@dataclass(frozen=True, slots=True)
class ReaderLiveness:
    """The liveness state of a reader. ``secure_since``: ``None`` while there is no Secure Channel.

    ``until``: end of the present attempt. ``attempts``: failed attempts since the channel was up.
    """

    until: float
    secure_since: float | None = None
    attempts: int = 0
    letting_go: bool = False

    def stale(self, now: float, pace: Pace) -> bool:
        """Return whether events from it may be old now."""
        return self.secure_since is None or now - self.secure_since < pace.quarantine


def begun(now: float, readers: int, pace: Pace) -> ReaderLiveness:
    """Return the state of a reader that libosdp starts now, on a bus with so many *readers*."""
    return ReaderLiveness(until=now + pace.patience + pace.each * readers)


def watch(
    standing: ReaderLiveness, link: LinkStatus, now: float, readers: int, pace: Pace
) -> tuple[ReaderLiveness, Do]:
    """Return the new state, and the action to take."""
    if link.secure:
        if standing.secure_since is not None:
            return standing, Do.NOTHING
        return ReaderLiveness(until=now, secure_since=now), Do.NOTHING
    if standing.secure_since is not None:
        return ReaderLiveness(until=now + pace.first), Do.NOTHING
    if standing.letting_go:
        if link.enabled or now < standing.until:
            return standing, Do.NOTHING
        return replace(begun(now, readers, pace), attempts=standing.attempts), Do.BEGIN
    if now < standing.until:
        return standing, Do.NOTHING
    failed = replace(standing, attempts=standing.attempts + 1, until=now + pace.pause)
    # Recreating the panel interrupts the other readers of the bus, so keys are alternated soon, then seldom.
    if link.answers and link.other_key and (failed.attempts <= 2 or failed.attempts % 20 == 0):
        return failed, Do.OTHER_KEY
    return replace(failed, letting_go=True), Do.LET_GO

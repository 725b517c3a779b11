"""One reader over time: there or not, since when, and when to shake it.

Rules of this file: pure; *now* is an argument, in seconds of a steady clock. libosdp gives a reader up when it is
silent, or at one reply it does not like, and comes back to it after 300 seconds; so here a reader that is not secure is
let go of and begun with anew, soon and then regularly. What a reader delivers in the first two seconds of a Secure
Channel may have waited in it for hours, and counts as stale.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things may take, in seconds. A site uses these; tests shorten them, to wait less.

    ``quarantine``: after a channel came up, what arrives counts as old. ``first``: until a reader that was there is
    begun with anew. ``patience``, and ``each`` reader on the line a little more: what an attempt has. ``rest``: what
    libosdp is given between letting go and beginning anew. ``commissioning``: what a reader has to take its first key.
    """

    quarantine: float = 2.0
    first: float = 1.0
    patience: float = 4.0
    each: float = 0.25
    rest: float = 0.1
    commissioning: float = 10.0


class Do(Enum):
    """What the panel is to do about a reader now."""

    NOTHING = 0
    LET_GO = 1
    BEGIN = 2
    OTHER_KEY = 3  # it answers, and not under this key: make the panel anew with the other one


class LinkStatus(NamedTuple):
    """What libosdp says, whether the reader answered anything in this attempt, whether there is another key."""

    secure: bool
    enabled: bool
    answers: bool
    other_key: bool


@dataclass(frozen=True, slots=True)
class ReaderLiveness:
    """How it stands with a reader. ``secure_since``: ``None`` while there is no Secure Channel.

    ``until``: when the attempt that goes on is over. ``attempts`` failed since the channel was up.
    """

    until: float
    secure_since: float | None = None
    attempts: int = 0
    letting_go: bool = False

    def stale(self, now: float, pace: Pace) -> bool:
        """Return whether what comes from it now may be old."""
        return self.secure_since is None or now - self.secure_since < pace.quarantine


def begun(now: float, readers: int, pace: Pace) -> ReaderLiveness:
    """Return how it stands with a reader that libosdp begins with now, on a bus with so many *readers*."""
    return ReaderLiveness(until=now + pace.patience + pace.each * readers)


def watch(
    standing: ReaderLiveness, seen: LinkStatus, now: float, readers: int, pace: Pace
) -> tuple[ReaderLiveness, Do]:
    """Return how it stands now, and what to do."""
    if seen.secure:
        if standing.secure_since is not None:
            return standing, Do.NOTHING
        return ReaderLiveness(until=now, secure_since=now), Do.NOTHING
    if standing.secure_since is not None:
        return ReaderLiveness(until=now + pace.first), Do.NOTHING
    if standing.letting_go:
        if seen.enabled or now < standing.until:
            return standing, Do.NOTHING
        return replace(begun(now, readers, pace), attempts=standing.attempts), Do.BEGIN
    if now < standing.until:
        return standing, Do.NOTHING
    failed = replace(standing, attempts=standing.attempts + 1, until=now + pace.rest)
    # The others on the bus lose their channel when the panel is made anew, so keys are changed soon, then seldom.
    if seen.answers and seen.other_key and (failed.attempts <= 2 or failed.attempts % 20 == 0):
        return failed, Do.OTHER_KEY
    return replace(failed, letting_go=True), Do.LET_GO

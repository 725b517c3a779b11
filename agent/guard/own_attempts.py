"""Attempts by the agent itself, announced by the control process: canaries, and proofs of departures.

Rules of this file: an announcement never changes a verdict, it only marks the attempt as the agent's. It names one
process, by a descriptor bound to it, so that a reused number does not match; a canary's holds for two seconds, for one
uid and the named inodes. Denials of these attempts cost no budget and raise no alarm. The events of a canary are kept
here, and in no entry, until the control process asks; it records the result. Every allowed attempt is an entry like any
other. Belongs to the loop.
"""

import os
import secrets
import select
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from agent.guard.objects import Object
from agent.guard.verdicts import Answer, CachedVerdict
from agent.kernel.subject import Subject

CANARY: Final = "canary"
DEPARTURE: Final = "departure"  # values of an entry's member ``own``; it is absent for all other attempts
LASTS: Final = 2_000_000_000  # nanoseconds of a canary; a departure's attempts last as long as their process
MOST: Final = 64

Inode = tuple[int, int]
How = Literal["open", "access", "late", "unseen"]


class SeenAttempt(NamedTuple):
    """One event of a canary. ``late``: denied because the label worker took too long; ``unseen``: object unknown."""

    how: How
    device: int
    inode: int
    passed: bool
    rule: str


@dataclass(slots=True)
class Announcement:
    """One process of the agent. ``until`` is in monotonic nanoseconds."""

    number: str
    own: str
    process: int
    uid: int = -1
    inodes: frozenset[Inode] = frozenset()
    until: int = 0
    attempts: list[SeenAttempt] = field(default_factory=list)

    def lives(self, moment: int) -> bool:
        """Return whether its process lives and its time is not over."""
        over = self.own == CANARY and moment >= self.until
        return not over and not select.select([self.process], [], [], 0)[0]


class OwnAttempts:
    """The announcements, by thread."""

    def __init__(self) -> None:
        self.announced: dict[int, Announcement] = {}
        self.denied = 0

    def announce(
        self, pid: int, own: str, moment: int, *, uid: int = -1, inodes: Iterable[Inode] = ()
    ) -> Announcement | None:
        """Record that process *pid*, which has one thread, acts for the agent; ``None`` when there is no such process.

        Raises ``ValueError`` when too many are announced.
        """
        if len(self.announced) >= MOST:
            raise ValueError("too many attempts are announced")
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            return None
        self._end(pid)
        number = secrets.token_hex(8)
        announcement = Announcement(number, own, process, uid, frozenset(inodes), moment + LASTS)
        self.announced[pid] = announcement
        return announcement

    def end(self, number: str) -> Announcement | None:
        """End the announcement *number* and return it; ``None`` when it is not known."""
        for pid, announcement in self.announced.items():
            if announcement.number == number:
                self._end(pid)
                return announcement
        return None

    def watched(self, inode: Inode) -> bool:
        """Return whether a canary is about to try *inode*: then it must stay loud."""
        return any(inode in announcement.inodes for announcement in self.announced.values())

    def answer(
        self,
        event: tuple[int, Subject | None, Object],
        how: How,
        ruling: CachedVerdict,
        text: bytes,
        moment: int,
    ) -> Answer | None:
        """Return the answer to an *event* (thread, subject, object) of an announced process, ``None`` for any other.

        *text* is its entry.
        """
        tid, subject, target = event
        announcement = self.announced.get(tid)
        if announcement is None or subject is None or not announcement.lives(moment):
            return None
        marked = b'%b,"own":"%b"' % (text, announcement.own.encode())
        if announcement.own == CANARY and (
            subject.fsuid != announcement.uid or (target.device, target.inode) not in announcement.inodes
        ):
            return None
        self.denied += not ruling.passes
        if announcement.own != CANARY:
            return ruling.passes, marked, False, ruling.owed
        announcement.attempts.append(SeenAttempt(how, target.device, target.inode, ruling.passes, ruling.rule))
        return ruling.passes, marked if ruling.allow else b"", False, ruling.owed

    def unseen(self, tid: int) -> None:
        """Record that an event of thread *tid* was denied with its object unknown."""
        if announcement := self.announced.get(tid):
            announcement.attempts.append(SeenAttempt("unseen", 0, 0, passed=False, rule=""))

    def forget_ended(self, moment: int) -> None:
        """Forget ended announcements. Canaries are kept a while for their results."""
        for pid, announcement in list(self.announced.items()):
            if not announcement.lives(moment - (10 * LASTS if announcement.own == CANARY else 0)):
                self._end(pid)

    def _end(self, pid: int) -> None:
        if announcement := self.announced.pop(pid, None):
            os.close(announcement.process)

"""Attempts the agent makes itself, announced by the control process beforehand: canaries, and proofs of departures.

Rules of this file: an announcement never changes a verdict, it only says whose the attempt is. It names one process, by
a descriptor that is bound to it, so that the number means nobody else later; a canary's holds for two seconds, for one
uid and the inodes named. Denials of ours cost nobody's budget and raise no alarm. What was seen of a canary stands
here, and in no entry, until the control process asks; it writes down what came of it. Whatever was let in is an entry
like any other. Belongs to the loop.
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
DEPARTURE: Final = "departure"  # values of an entry's member ``own``; without it the attempt is not the agent's
LASTS: Final = 2_000_000_000  # nanoseconds of a canary; a departure's attempts last as long as their process
MOST: Final = 64

Inode = tuple[int, int]
How = Literal["open", "access", "late", "unseen"]


class SeenAttempt(NamedTuple):
    """One event of a canary. ``late``: denied because the label worker took too long; ``unseen``: nobody knows what."""

    how: How
    device: int
    inode: int
    passed: bool
    rule: str


@dataclass(slots=True)
class Announcement:
    """One process of ours. ``until`` is in monotonic nanoseconds."""

    number: str
    own: str
    process: int
    uid: int = -1
    inodes: frozenset[Inode] = frozenset()
    until: int = 0
    seen: list[SeenAttempt] = field(default_factory=list)

    def lives(self, moment: int) -> bool:
        """Whether its process lives, and its time is not over."""
        over = self.own == CANARY and moment >= self.until
        return not over and not select.select([self.process], [], [], 0)[0]


class OwnAttempts:
    """What is announced, by thread."""

    def __init__(self) -> None:
        self.announced: dict[int, Announcement] = {}
        self.denied = 0

    def announce(
        self, pid: int, own: str, moment: int, *, uid: int = -1, inodes: Iterable[Inode] = ()
    ) -> Announcement | None:
        """Take note that process *pid*, which has one thread, acts for the agent; ``None`` when there is none.

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
        made = Announcement(number, own, process, uid, frozenset(inodes), moment + LASTS)
        self.announced[pid] = made
        return made

    def end(self, number: str) -> Announcement | None:
        """End the announcement *number* and return it; ``None`` when it is not known."""
        for pid, one in self.announced.items():
            if one.number == number:
                self._end(pid)
                return one
        return None

    def watched(self, inode: Inode) -> bool:
        """Whether a canary is about to try *inode*: then it must stay loud."""
        return any(inode in one.inodes for one in self.announced.values())

    def answer(
        self,
        event: tuple[int, Subject | None, Object],
        how: How,
        ruling: CachedVerdict,
        text: bytes,
        moment: int,
    ) -> Answer | None:
        """Return the answer to an *event* (thread, subject, object) of one of ours, ``None`` when it is nobody's here.

        *text* is its entry.
        """
        tid, who, thing = event
        one = self.announced.get(tid)
        if one is None or who is None or not one.lives(moment):
            return None
        marked = b'%b,"own":"%b"' % (text, one.own.encode())
        if one.own == CANARY and (who.fsuid != one.uid or (thing.device, thing.inode) not in one.inodes):
            return None
        self.denied += not ruling.passes
        if one.own != CANARY:
            return ruling.passes, marked, False, ruling.owed
        one.seen.append(SeenAttempt(how, thing.device, thing.inode, ruling.passes, ruling.rule))
        return ruling.passes, marked if ruling.allow else b"", False, ruling.owed

    def unseen(self, tid: int) -> None:
        """Take note that an event of thread *tid* was denied unseen."""
        if one := self.announced.get(tid):
            one.seen.append(SeenAttempt("unseen", 0, 0, passed=False, rule=""))

    def forget_ended(self, moment: int) -> None:
        """Forget what is over. Canaries are kept a while: their results are asked for."""
        for pid, one in list(self.announced.items()):
            if not one.lives(moment - (10 * LASTS if one.own == CANARY else 0)):
                self._end(pid)

    def _end(self, pid: int) -> None:
        if one := self.announced.pop(pid, None):
            os.close(one.process)

"""The journal: every entry of this host, in one order, appended before its act takes effect (contract C2).

Rules of this file: the decider is the only appender. A batch is written whole or not at all; when it cannot be
written, the caller denies. Denials that could not be recorded are counted, and the count is the first entry once
writing works again, with the gap in the log, and the entries owed since (:meth:`EntryJournal.owe`).

Every entry begins ``"seq"``, ``"time"``, ``"mono"``, ``"boot"``: its number, the wall clock as it was, boot time in
microseconds, and the first eight characters of the boot's id. ``"judged"`` follows where grants are judged by another
time than the wall clock's (:mod:`agent.runtime.timeline`). The order of entries is that of their numbers.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

from agent.log.append import Appender
from agent.log.entry import render, stamp_ns
from agent.log.unwritable import LogUnwritableError, renewed
from agent.runtime.clock import AgentClock
from agent.runtime.timeline import TOLD, Step
from rules.text import Message, Sentence

Fields = dict[str, Any]

_STAMP = 160  # bytes of number and clocks before each access
_OWED = 64  # the oldest are lost when more could not be written
_OWN = frozenset(("mono", "boot", "judged"))
_NANOSECONDS = 1_000_000_000


class EntryJournal:
    """The sequence numbers and clocks of entries, and their appending."""

    def __init__(self, appender: Appender, clock: AgentClock, host: str) -> None:
        self._appender = appender
        self._clock = clock
        self._host = host
        self._lost = 0
        self._lost_since = 0
        self._lost_reason: Sentence | None = None
        self._trouble = LogUnwritableError(Message("guard.log-not-writable"))
        self._owed: deque[Fields] = deque(maxlen=_OWED)
        self._boot = clock.boot_id[:8]
        self._tail = b',"boot":"%b"' % self._boot.encode()
        self._second, self._until_second = -1, b""

    @property
    def next_seq(self) -> int:
        """The sequence number of the next entry."""
        return self._appender.next_seq

    def accesses(self, texts: Sequence[bytes]) -> bool:
        """Append accesses, each given as the inside of its JSON object. ``False``: none of them is in the log.

        They are stamped with the last reading of the clock, from before they were decided.
        """
        room = self._appender.has_room(sum(map(len, texts)) + _STAMP * len(texts))
        if not room or ((self._lost or self._owed or not self._appender.intact) and not self._write_owed()):
            self._lose(len(texts), full=not room)
            return False
        stamp = self._stamp()  # writing owed entries has read the clock again
        seq = self._appender.next_seq
        try:
            self._appender.append(
                [b'{"seq":%d,%b,%b}' % (number, stamp, text) for number, text in enumerate(texts, seq)]
            )
        except LogUnwritableError as error:
            self._trouble = error
            self._lose(len(texts))
            return False
        return True

    def write(self, fields: Fields) -> int:
        """Append one ordinary entry and return its number. Raises :class:`LogUnwritableError`: it is not in the log."""
        if (self._lost or self._owed or not self._appender.intact) and not self._write_owed():
            raise renewed(self._trouble)
        return self._write(fields)

    def owe(self, fields: Fields) -> bool:
        """Append one entry, now or before the next that can be written; return whether it is in the log."""
        self._owed.append(fields)
        return self._write_owed()

    def step(self, step: Step) -> None:
        """Append the entry of a step of the clock, as :meth:`owe` does."""
        self.owe(
            {
                "kind": "clock",
                "from": stamp_ns(step.expected),
                "to": stamp_ns(step.wall),
                "offset": (step.wall - step.expected) / _NANOSECONDS,
                "accepted": step.accepted or False,
                "judged_from": stamp_ns(step.before),
                "judged_to": stamp_ns(step.judged),
            }
        )

    def _write(self, fields: Fields) -> int:
        if not _OWN.isdisjoint(fields):
            raise ValueError("`mono`, `boot` and `judged` are not for the caller to give")
        seq = self._appender.next_seq
        clock = self._clock
        judged = clock.now()
        own: Fields = {"mono": clock.boot // 1000, "boot": self._boot}
        if judged - clock.wall >= TOLD:
            own["judged"] = stamp_ns(judged)
        self._appender.append([render(seq, stamp_ns(clock.wall), {**own, "host": self._host, **fields})], act=True)
        return seq

    def _stamp(self) -> bytes:
        """Return the members ``time``, ``mono``, ``boot`` and, where it applies, ``judged``."""
        clock = self._clock
        second, remainder = divmod(clock.wall, _NANOSECONDS)
        if second != self._second:
            self._second, self._until_second = second, b'"time":"%b' % stamp_ns(clock.wall)[:20].encode()
        stamp = b'%b%06dZ","mono":%d%b' % (self._until_second, remainder // 1000, clock.boot // 1000, self._tail)
        if not clock.disagrees:
            return stamp
        return b'%b,"judged":"%b"' % (stamp, stamp_ns(clock.timeline.judged(clock.boot)).encode())

    def _lose(self, count: int, *, full: bool = False) -> None:
        if full:
            self._trouble = self._appender.full()
        if not self._lost:
            self._lost_since, self._lost_reason = self._clock.wall, self._trouble.text
        self._lost += count

    def _write_owed(self) -> bool:
        """Write the owed entries; return whether none is left."""
        appender = self._appender
        try:
            appender.reopen()
            if appender.recovered:
                self._write({"kind": "recovered", "bytes": appender.recovered})
                appender.recovered = 0
            if self._lost or appender.missing:
                self._write(self._gap())
                self._lost = 0
                appender.missing = None
            while self._owed:
                self._write(self._owed[0])
                self._owed.popleft()
        except LogUnwritableError as error:
            self._trouble = error
            return False
        return True

    def _gap(self) -> Fields:
        """Return the fields of the entry that reports the gap in the log."""
        since, reason = (self._lost_since, self._lost_reason) if self._lost else (self._clock.wall, None)
        fields: Fields = {"kind": "gap", "count": self._lost, "since": stamp_ns(since), "why": reason}
        if missing := self._appender.missing:
            fields |= {"missing_from": missing.first, "missing_to": missing.last, "why": missing.reason}
        return fields

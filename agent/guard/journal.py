"""Every entry of this host goes through here, in one order, before what it stands for happens (contract C2).

Rules of this file: the decider is the only appender. A batch is written whole or not at all; when it cannot be
written, the caller denies. Denials that could not be recorded are counted, and the count is the first thing written
once writing works again.
"""

from collections.abc import Sequence
from typing import Any

from agent.log.append import Appender, LogUnwritableError
from agent.log.entry import render, stamp_ns
from agent.runtime.clock import AgentClock

Fields = dict[str, Any]


class EntryJournal:
    """Gives entries their sequence number and time, and appends them."""

    def __init__(self, appender: Appender, clock: AgentClock, host: str) -> None:
        self._appender = appender
        self._clock = clock
        self._host = host
        self._lost = 0
        self._lost_since = 0
        self._second, self._until_second = -1, b""

    @property
    def next_seq(self) -> int:
        """The sequence number of the next entry."""
        return self._appender.next_seq

    def accesses(self, texts: Sequence[bytes], now: int) -> bool:
        """Append accesses, each given as the inside of its JSON object. ``False``: not one of them is in the log."""
        if self._lost and not self._own_up():
            self._lost += len(texts)
            return False
        stamp = self._stamp(max(now, self._clock.latest))  # an entry of our own may have come between
        seq = self._appender.next_seq
        try:
            self._appender.append(
                [b'{"seq":%d,"time":"%b",%b}' % (number, stamp, text) for number, text in enumerate(texts, seq)]
            )
        except LogUnwritableError:
            self._lost_since = self._lost_since or now
            self._lost += len(texts)
            return False
        return True

    def write(self, fields: Fields) -> int:
        """Append one ordinary entry and return its number. Raises :class:`LogUnwritableError`: it is not in the log."""
        seq = self._appender.next_seq
        self._appender.append([render(seq, stamp_ns(self._clock.now()), {"host": self._host, **fields})])
        return seq

    def _stamp(self, now: int) -> bytes:
        second, rest = divmod(now, 1_000_000_000)
        if second != self._second:
            self._second, self._until_second = second, stamp_ns(now)[:20].encode()
        return b"%b%06dZ" % (self._until_second, rest // 1000)

    def _own_up(self) -> bool:
        try:
            self.write({"kind": "gap", "count": self._lost, "since": stamp_ns(self._lost_since)})
        except LogUnwritableError:
            return False
        self._lost = self._lost_since = 0
        return True
